import COneDNN
import Tensors
import Testing

/// Winograd's kernels at sizes where they are chosen.
@MainActor @Suite struct WinogradTests {
    /// ‖y − ŷ‖ / ‖y‖ of F(4×4, 3×3) in float32, ŷ being the loops in double precision: 2e-7 to 9e-7 was seen.
    private let tolerance = 5e-6

    private nonisolated static func layer(_ input: Shape, _ outputs: Int) -> ConvolutionCase {
        ConvolutionCase(
            input: input, weight: [outputs, input[1], 3, 3], geometry: .init(stride: 1, padding: 1), hasBias: false)
    }

    @Test(arguments: [layer([8, 32, 16, 16], 32), layer([24, 48, 9, 11], 40), layer([3, 16, 31, 29], 16)])
    func passesEqualTheLoops(_ c: ConvolutionCase) throws {
        try poisonFreedMemory()
        let (x, w) = (try sample(c.input), try sample(c.weight, seed: 2))
        let output = try c.geometry.outputShape(input: c.input, weight: c.weight)
        let dy = try sample(output, seed: 3)
        let expected = try NaiveConvolution(c, output: output, x: doubles(x), w: doubles(w), b: nil, dy: doubles(dy))

        func expectWinograd(_ pass: cod_pass) throws {
            let name = try Convolution.primitive(
                pass, input: c.input, weight: c.weight, geometry: c.geometry, hasBias: false).implementation
            // oneDNN has these kernels for AVX-512 only.
            #expect(name.contains("wino") || Layout.channelBlock != 16, "\(c.testDescription): \(name)")
        }
        try expectWinograd(cod_backward_weights)
        if c.input[1] >= 32 { for pass in [cod_forward_training, cod_backward_data] { try expectWinograd(pass) } }

        let y = try Convolution.forward(x, w, nil, c.geometry, training: true)
        #expect(try relativeDistance(y, expected.y) < tolerance)
        let dx = try Convolution.gradientOfInput(dy, w, input: c.input, c.geometry)
        #expect(try relativeDistance(dx, expected.dx) < tolerance)
        let dw = try Convolution.gradientOfWeights(dy, x, weight: c.weight, hasBias: false, c.geometry).weights
        #expect(try relativeDistance(dw, expected.dw) < tolerance)
    }
}
