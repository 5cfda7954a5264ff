import COneDNN
import KernelChecks
import Tensors
import Testing

/// Winograd's kernels and those for strides at sizes where they are chosen, and their neighbours.
@MainActor @Suite struct OwnConvolutionTests {
    /// ‖y − ŷ‖ / ‖y‖ of F(4×4, 3×3) and F(4, 3) in float32, ŷ being the loops in double precision: 2e-7 to 9e-7 was seen.
    private let tolerance = 5e-6

    private nonisolated static func layer(
        _ input: Shape, _ outputs: Int, kernel: [Int] = [3, 3], stride: [Int] = [1, 1], padding: [Int]? = nil
    ) -> ConvolutionCase {
        let same = [kernel[0] / 2, kernel[1] / 2, kernel[0] / 2, kernel[1] / 2]
        return ConvolutionCase(
            input: input, weight: [outputs, input[1], kernel[0], kernel[1]],
            geometry: .init(stride: stride, padding: padding ?? same), hasBias: false)
    }

    @Test(arguments: [
        layer([8, 32, 16, 16], 32), layer([24, 48, 9, 11], 40), layer([3, 16, 31, 29], 16),
        layer([4, 32, 14, 14], 23, kernel: [3, 1]), layer([4, 23, 14, 14], 40, kernel: [1, 3]),
        layer([5, 8, 7, 9], 19, kernel: [3, 1], padding: [2, 0, 0, 0]),
        layer([3, 35, 11, 7], 8, kernel: [1, 3], padding: [0, 0, 0, 2]),
    ])
    func passesOfWinogradEqualTheLoops(_ c: ConvolutionCase) throws {
        try passesEqualTheLoops(c)
        let isAvailable = cod_has_winograd() != 0 && (c.weight[2] == c.weight[3] || cod_channel_block() == 8)
        let hasAllPasses = c.input[1] >= 32 || cod_channel_block() == 8
        for pass in [cod_backward_weights] + (hasAllPasses ? [cod_forward_training, cod_backward_data] : []) where isAvailable {
            #expect(try implementation(of: pass, c).contains("wino"))
        }
    }

    /// The last ones have rows and columns that no output reads, and fewer pixels than are worked on at a time.
    @Test(arguments: [
        layer([3, 16, 14, 14], 23, stride: [2, 2]), layer([4, 23, 13, 9], 40, kernel: [3, 1], stride: [2, 1]),
        layer([2, 8, 9, 28], 32, kernel: [1, 3], stride: [1, 2]), layer([2, 19, 11, 12], 8, kernel: [5, 4], stride: [2, 1]),
        layer([4, 9, 12, 12], 17, kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0]),
        layer([11, 24, 6, 8], 16, kernel: [3, 3], stride: [2, 2], padding: [0, 0, 0, 0]),
    ])
    func passesWithStridesEqualTheLoops(_ c: ConvolutionCase) throws {
        try passesEqualTheLoops(c)
        for pass in [cod_forward_training, cod_backward_data, cod_backward_weights] where cod_channel_block() == 8 {
            #expect(try implementation(of: pass, c).contains("gathering") || cod_has_winograd() == 0)
        }
    }

    private func implementation(of pass: cod_pass, _ c: ConvolutionCase) throws -> String {
        try Convolution.primitive(pass, input: c.input, weight: c.weight, geometry: c.geometry, hasBias: false).implementation
    }

    private func passesEqualTheLoops(_ c: ConvolutionCase) throws {
        try poisonFreedMemory()
        let (x, w) = (try sample(c.input), try sample(c.weight, seed: 2))
        let output = try c.geometry.outputShape(input: c.input, weight: c.weight)
        let dy = try sample(output, seed: 3)
        let expected = try NaiveConvolution(c, output: output, x: doubles(x), w: doubles(w), b: nil, dy: doubles(dy))
        let y = try Convolution.forward(x, w, nil, c.geometry, training: true)
        #expect(try relativeDistance(y, expected.y) < tolerance)
        let dx = try Convolution.gradientOfInput(dy, w, input: c.input, c.geometry)
        #expect(try relativeDistance(dx, expected.dx) < tolerance)
        let dw = try Convolution.gradientOfWeights(dy, x, weight: c.weight, hasBias: false, c.geometry).weights
        #expect(try relativeDistance(dw, expected.dw) < tolerance)
    }

    /// Inference adds a bias and what lies in the result already, and rectifies, in the kernel.
    @Test(arguments: [
        layer([2, 24, 9, 10], 20), layer([1, 136, 4, 3], 140), layer([1, 128, 2, 2], 136), layer([4, 64, 8, 8], 64),
        layer([2, 24, 9, 10], 20, kernel: [3, 1]), layer([1, 23, 7, 7], 64, kernel: [1, 3]),
        layer([1, 136, 4, 3], 140, kernel: [1, 3]), layer([2, 24, 17, 16], 20, stride: [2, 2]),
        layer([1, 23, 14, 14], 64, kernel: [1, 3], stride: [1, 2]),
    ])
    func whatFollowsEqualsTheLoops(_ c: ConvolutionCase) throws {
        try poisonFreedMemory()
        let (x, w, b) = (try sample(c.input), try sample(c.weight, seed: 2), try sample([c.weight[0]], seed: 3))
        let output = try c.geometry.outputShape(input: c.input, weight: c.weight)
        let residual = try sample(output, seed: 4)
        let plain = try NaiveConvolution(
            c, output: output, x: doubles(x), w: doubles(w), b: doubles(b), dy: doubles(residual)
        ).y
        let expected = zip(plain, try doubles(residual)).map { max(0, $0 + $1) }

        let primitive = try Convolution.primitive(
            cod_forward_inference, input: c.input, weight: c.weight, geometry: c.geometry, hasBias: true, hasSum: true,
            activation: .rectifier())
        let source = try x.inFormat(primitive.format(of: cod_src))
        let weights = try primitive.packed(w, as: cod_weights)
        let y = try residual.inFormat(primitive.format(of: cod_dst))
        try withExtendedLifetime((source.storage, weights, b.storage)) {
            try primitive.execute([
                (cod_src, source.rawBase), (cod_weights, weights.pointer), (cod_bias, b.rawBase), (cod_dst, y.rawBase),
            ])
        }
        #expect(try relativeDistance(y, expected) < tolerance, "\(primitive.implementation)")
        #expect(try y.surplusLanes().allSatisfy { $0 == 0 })
    }

    /// ReLU of −∞ is 0, and not −∞ · 0, which it is where a processor without AVX2 leaves the shape to oneDNN's products of
    /// matrices. Programs find such a value: `NotANumberTests`.
    @Test func infinitiesAreRectified() throws {
        let c = Self.layer([1, 24, 9, 10], 20)
        let output = try c.geometry.outputShape(input: c.input, weight: c.weight)
        let primitive = try Convolution.primitive(
            cod_forward_inference, input: c.input, weight: c.weight, geometry: c.geometry, hasBias: true, hasSum: false,
            activation: .rectifier())
        if primitive.implementation.contains("gemm") { return }
        let (x, w) = (try sample(c.input), try sample(c.weight, seed: 2))
        let bias = try Tensor([-Float.infinity, .infinity] + [Float](repeating: 0, count: 18))
        let source = try x.inFormat(primitive.format(of: cod_src))
        let weights = try primitive.packed(w, as: cod_weights)
        let y = try Tensor.zeros(output).inFormat(primitive.format(of: cod_dst))
        try withExtendedLifetime((source.storage, weights, bias.storage)) {
            try primitive.execute([
                (cod_src, source.rawBase), (cod_weights, weights.pointer), (cod_bias, bias.rawBase), (cod_dst, y.rawBase),
            ])
        }
        let values = try y.array(of: Float.self)
        let pixels = output[2] * output[3]
        #expect(values[..<pixels].allSatisfy { $0 == 0 }, "\(primitive.implementation)")
        #expect(values[pixels..<2 * pixels].allSatisfy { $0 == .infinity })
    }
}
