import KernelChecks
import Tensors
import Testing

@MainActor @Suite struct BatchNormalizationTests {
    /// Large enough to show in the results.
    private let epsilon: Float = 1e-2

    @Test(arguments: [[2, 16, 4, 4], [3, 5, 3, 7], [1, 1, 5, 5], [4, 17, 2, 3], [7, 33, 1, 1], [5, 48, 6, 6]] as [Shape], [false, true])
    func kernelEqualsTheFormula(_ shape: Shape, _ hasReLU: Bool) throws {
        try poisonFreedMemory()
        let x = try sample(shape).multiplying(2).adding(0.7)
        let (scale, shift) = (try sample([shape[1]], seed: 2), try sample([shape[1]], seed: 3))
        let dy = try sample(shape, seed: 4)
        let expected = try NaiveNormalization(
            shape, x: doubles(x), scale: doubles(scale), shift: doubles(shift), dy: doubles(dy), epsilon: Double(epsilon),
            hasReLU: hasReLU)

        let (y, saved) = try BatchNormalization.forward(x, scale: scale, shift: shift, epsilon: epsilon, hasReLU: hasReLU)
        #expect(try relativeDistance(y, expected.y) < kernelTolerance)
        #expect(try relativeDistance(saved.mean, expected.mean) < kernelTolerance)
        #expect(try relativeDistance(saved.variance, expected.variance) < kernelTolerance)
        #expect(try y.surplusLanes().allSatisfy { $0 == 0 })

        var parts = [dy]
        let gradients = try BatchNormalization.backward(&parts, saved: saved, hasResidual: false)
        #expect(gradients.residual == nil)
        #expect(try relativeDistance(gradients.x, expected.dx) < kernelTolerance)
        #expect(try relativeDistance(gradients.scale, expected.dScale) < kernelTolerance)
        #expect(try relativeDistance(gradients.shift, expected.dShift) < kernelTolerance)
        #expect(try gradients.x.surplusLanes().allSatisfy { $0 == 0 })
    }

    /// The gradient comes as one part or two, and in memory that may be taken over or that somebody else still holds.
    @Test(arguments: [(1, false), (1, true), (2, false), (2, true)], [false, true])
    func residualAndPartsEqualTheFormula(_ gradient: (partCount: Int, isHeld: Bool), _ hasReLU: Bool) throws {
        let (partCount, isHeld) = gradient
        try poisonFreedMemory()
        for shape in [[2, 16, 4, 4], [3, 5, 3, 7], [1, 33, 19, 31]] as [Shape] {
            let (x, residual) = (try sample(shape).adding(0.3), try sample(shape, seed: 5))
            let (scale, shift) = (try sample([shape[1]], seed: 2), try sample([shape[1]], seed: 3))
            let dy = try sample(shape, seed: 4)
            for hasResidual in [true, false] {
                let expected = try NaiveNormalization(
                    shape, x: doubles(x), scale: doubles(scale), shift: doubles(shift),
                    residual: hasResidual ? doubles(residual) : nil, dy: doubles(dy), epsilon: Double(epsilon),
                    hasReLU: hasReLU)
                let (y, saved) = try BatchNormalization.forward(
                    x, scale: scale, shift: shift, epsilon: epsilon, residual: hasResidual ? residual : nil,
                    hasReLU: hasReLU)
                #expect(try relativeDistance(y, expected.y) < kernelTolerance)

                var parts = partCount == 1 ? [dy] : try [dy.subtracting(x), x]
                parts = try parts.map { try $0.inFormat(.blocked) }
                let held = isHeld ? parts : []
                let before = try held.map { try $0.array(of: Float.self) }
                let gradients = try BatchNormalization.backward(&parts, saved: saved, hasResidual: hasResidual)
                #expect(try relativeDistance(gradients.x, expected.dx) < kernelTolerance)
                #expect(try relativeDistance(gradients.scale, expected.dScale) < kernelTolerance)
                #expect(try relativeDistance(gradients.shift, expected.dShift) < kernelTolerance)
                #expect((gradients.residual != nil) == hasResidual)
                if let residual = gradients.residual {
                    #expect(try relativeDistance(residual, expected.dResidual) < kernelTolerance)
                }
                let after = try held.map { try $0.array(of: Float.self) }
                #expect(after == before, "what others hold is left alone")
            }
        }
    }

    /// Statistics of values far from zero: the variance is no difference of large sums.
    @Test func largeMeansDoNotDrownTheVariance() throws {
        let x = try sample([4, 16, 40, 40]).adding(1000)
        let saved = try BatchNormalization.forward(
            x, scale: .ones([16]), shift: .zeros([16]), epsilon: epsilon, hasReLU: false
        ).saved
        let expected = try NaiveNormalization(
            x.shape, x: doubles(x), scale: [Double](repeating: 1, count: 16), shift: [Double](repeating: 0, count: 16),
            dy: doubles(x), epsilon: Double(epsilon), hasReLU: false)
        #expect(try relativeDistance(saved.variance, expected.variance) < 1e-4)
    }

    /// A quarter of a million equal summands, whose plain sum in float32 is off by a thousandth.
    @Test func manyPixelsCostNoDigitsOfTheGradient() throws {
        let shape: Shape = [1, 8, 512, 512]
        let saved = try BatchNormalization.forward(
            sample(shape), scale: .ones([8]), shift: .zeros([8]), epsilon: epsilon, hasReLU: false
        ).saved
        var parts = [try Tensor.full(shape, 0.1)]
        let gradients = try BatchNormalization.backward(&parts, saved: saved, hasResidual: false)
        let expected = [Double](repeating: Double(512 * 512) * Double(Float(0.1)), count: 8)
        #expect(try relativeDistance(gradients.shift, expected) < 3e-6)
    }

    @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
        let threads = Threads.count
        defer { Threads.count = threads }
        let (x, dy) = (try sample([64, 32, 16, 16]), try sample([64, 32, 16, 16], seed: 2))
        let results = try [1, 2, 3].map { count in
            Threads.count = count
            let (y, saved) = try BatchNormalization.forward(
                x, scale: .ones([32]), shift: .zeros([32]), epsilon: epsilon, residual: dy, hasReLU: true)
            var parts = [dy]
            let gradients = try BatchNormalization.backward(&parts, saved: saved, hasResidual: true)
            return try [y, gradients.x, gradients.scale, saved.variance].map { try $0.array(of: Float.self) }
        }
        #expect(results[0] == results[1] && results[1] == results[2])
    }

    @Test(arguments: [ActivationFormat.plain, .channelsLast, .blocked]) func everyInputLayoutGivesTheSame(_ format: ActivationFormat) throws {
        let x = try sample([2, 19, 4, 3])
        let (scale, shift) = (try sample([19], seed: 2), try sample([19], seed: 3))
        let expected = try NaiveNormalization(
            x.shape, x: doubles(x), scale: doubles(scale), shift: doubles(shift), dy: doubles(x), epsilon: Double(epsilon),
            hasReLU: false)
        let y = try BatchNormalization.forward(x.inFormat(format), scale: scale, shift: shift, epsilon: epsilon, hasReLU: false).y
        #expect(try relativeDistance(y, expected.y) < kernelTolerance)
    }

    @Test func inferenceUsesTheGivenStatistics() throws {
        let x = try sample([2, 3, 2, 2])
        let (scale, shift, mean) = (try sample([3], seed: 2), try sample([3], seed: 3), try sample([3], seed: 4))
        let variance = try Tensor([0.5, 1, 2] as [Float])
        let y = try BatchNormalization.inference(x, scale: scale, shift: shift, mean: mean, variance: variance, epsilon: epsilon)
        let (s, t, m, v) = (try doubles(scale), try doubles(shift), try doubles(mean), [0.5, 1.0, 2.0])
        let expected = try doubles(x).enumerated().map { i, value in
            let c = i / 4 % 3
            return s[c] * (value - m[c]) / (v[c] + Double(epsilon)).squareRoot() + t[c]
        }
        #expect(try relativeDistance(y, expected) < kernelTolerance)
    }
}
