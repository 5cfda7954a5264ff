import Tensors
import Testing

/// The definition, and its gradient, per channel in double precision.
private struct NaiveNormalization {
    var (y, dx, dScale, dShift, mean, variance) = ([Double](), [Double](), [Double](), [Double](), [Double](), [Double]())

    init(_ shape: Shape, x: [Double], scale: [Double], shift: [Double], dy: [Double], epsilon: Double, hasReLU: Bool) {
        let (n, c, area) = (shape[0], shape[1], shape[2] * shape[3])
        y = x
        dx = x
        for channel in 0..<c {
            let places = (0..<n).flatMap { image in (0..<area).map { (image * c + channel) * area + $0 } }
            let count = Double(places.count)
            let m = places.reduce(0) { $0 + x[$1] } / count
            let v = places.reduce(0) { $0 + (x[$1] - m) * (x[$1] - m) } / count
            let inverse = 1 / (v + epsilon).squareRoot()
            for i in places { y[i] = scale[channel] * (x[i] - m) * inverse + shift[channel] }
            // ReLU lets the gradient through where its input is positive.
            let gradient = Dictionary(uniqueKeysWithValues: places.map { ($0, hasReLU && y[$0] <= 0 ? 0 : dy[$0]) })
            let dShift = places.reduce(0) { $0 + gradient[$1]! }
            let dScale = places.reduce(0) { $0 + gradient[$1]! * (x[$1] - m) * inverse }
            for i in places {
                dx[i] = scale[channel] * inverse * (gradient[i]! - dShift / count - (x[i] - m) * inverse * dScale / count)
            }
            if hasReLU { for i in places { y[i] = max(0, y[i]) } }
            self.dShift.append(dShift)
            self.dScale.append(dScale)
            mean.append(m)
            variance.append(v)
        }
    }
}

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

        let gradients = try BatchNormalization.backward(dy, saved: saved, scale: scale, shift: shift, epsilon: epsilon)
        #expect(try relativeDistance(gradients.x, expected.dx) < kernelTolerance)
        #expect(try relativeDistance(gradients.scale, expected.dScale) < kernelTolerance)
        #expect(try relativeDistance(gradients.shift, expected.dShift) < kernelTolerance)
        #expect(try gradients.x.surplusLanes().allSatisfy { $0 == 0 })
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
