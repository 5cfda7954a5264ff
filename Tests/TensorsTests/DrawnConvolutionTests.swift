import Basics
import COneDNN
import KernelChecks
import Tensors
import Testing

extension ConvolutionCase {
    /// Shapes from a seed, of which every third has more padding than the kernel reaches, so that some outputs see nothing
    /// else.
    static func drawn(seed: UInt64) -> ConvolutionCase {
        var source = RandomSource(seed: seed)
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &source) }
        while true {
            let isDepthwise = pick(0...4) == 0
            let groups = isDepthwise ? pick(1...64) : [1, 1, 1, 2, 4][pick(0...4)]
            let most = 64 / groups
            let (c, o) = isDepthwise ? (1, 1) : (pick(1...most), pick(1...most))
            let kernel = [pick(1...5), pick(1...5)]
            let (stride, dilation) = ([pick(1...3), pick(1...3)], [pick(1...3), pick(1...3)])
            let size = [pick(1...12), pick(1...12)]
            var padding = (0..<4).map { pick(0...max(1, kernel[$0 % 2] - 1)) }
            if seed % 3 == 0 {
                let side = pick(0...3)
                padding[side] = dilation[side % 2] * (kernel[side % 2] - 1) + pick(1...4)
            }
            let batch = pick(1...3)
            let found = ConvolutionCase(
                input: [batch, c * groups, size[0], size[1]], weight: [o * groups, c, kernel[0], kernel[1]],
                geometry: .init(stride: stride, padding: padding, dilation: dilation, groups: groups), hasBias: pick(0...1) == 1)
            guard let output = try? found.geometry.outputShape(input: found.input, weight: found.weight) else { continue }
            // The loops take too long for more.
            if output.elementCount * c * kernel[0] * kernel[1] <= 1_000_000 { return found }
        }
    }

    /// Whether a row or column of outputs reads nothing but padding.
    var hasOutputsInPadding: Bool {
        guard let output = try? geometry.outputShape(input: input, weight: weight) else { return false }
        return (0..<2).contains { axis in
            (0..<output[2 + axis]).contains { place in
                let first = place * geometry.stride[axis] - geometry.padding[axis]
                return !(0..<weight[2 + axis]).contains {
                    (0..<input[2 + axis]).contains(first + $0 * geometry.dilation[axis])
                }
            }
        }
    }
}

/// Whatever the shapes, the kernels that are chosen for them are right.
@MainActor @Suite struct DrawnConvolutionTests {
    private nonisolated static let seeds: [UInt64] = Array(0..<304)
    /// Largest difference, where operands are made so that sums have variance 1.
    private let tolerance = 5e-5
    private let bfloat16Tolerance = 4e-2

    @Test func aQuarterHasOutputsInThePadding() {
        let count = Self.seeds.filter { ConvolutionCase.drawn(seed: $0).hasOutputsInPadding }.count
        #expect(count > Self.seeds.count / 4)
    }

    @Test(arguments: 0..<8) func everyPassEqualsTheLoops(_ part: Int) throws {
        for seed in Self.seeds where seed % 8 == part { try check(seed) }
    }

    private func check(_ seed: UInt64) throws {
        let c = ConvolutionCase.drawn(seed: seed)
        func expect(_ pass: String, _ found: [Float], _ wanted: [Double], within tolerance: Double) {
            let error = difference(found, wanted)
            #expect(error <= tolerance, "seed \(seed), \(pass) of \(c.description)")
        }
        try poisonFreedMemory()
        let output = try c.geometry.outputShape(input: c.input, weight: c.weight)
        let fanIn = Double(c.weight[1] * c.weight[2] * c.weight[3])
        let (x, w) = (try sample(c.input), try sample(c.weight, seed: 2).multiplying(1 / fanIn.squareRoot()))
        let b = c.hasBias ? try sample([c.weight[0]], seed: 3) : nil
        let dy = try sample(output, seed: 4)
        let naive = try NaiveConvolution(
            c, output: output, x: doubles(x), w: doubles(w), b: b.map(doubles), dy: doubles(dy))

        let y = try Convolution.forward(x, w, b, c.geometry, training: true)
        expect("training", try y.array(), naive.y, within: tolerance)
        let dx = try Convolution.gradientOfInput(dy, w, input: c.input, c.geometry)
        expect("gradient of input", try dx.array(), naive.dx, within: tolerance)
        let gradients = try Convolution.gradientOfWeights(dy, x, weight: c.weight, hasBias: c.hasBias, c.geometry)
        expect("gradient of weights", try gradients.weights.array(), naive.dw, within: tolerance)
        if let bias = gradients.bias { expect("gradient of bias", try bias.array(), naive.db, within: tolerance) }
        for surplus in [y, dx] { #expect(try surplus.surplusLanes().allSatisfy { $0 == 0 }, "seed \(seed)") }

        for variant in 0..<4 {
            var fused = FusedConvolution(c, addsToResult: variant & 1 == 1, rectifies: variant & 2 == 2)
            let wanted = fused.expected(naive.y, try doubles(dy))
            let name = "inference\(fused.addsToResult ? " with sum" : "")\(fused.rectifies ? " with ReLU" : "")"
            expect(name, try #require(try fused.run(x, w, b, into: dy)), wanted, within: tolerance)
            fused.isBFloat16 = true
            guard cod_has_bfloat16() != 0, let half = try fused.run(x, w, b, into: dy) else { continue }
            expect(name + " in bfloat16", half, wanted, within: bfloat16Tolerance)
        }
    }
}
