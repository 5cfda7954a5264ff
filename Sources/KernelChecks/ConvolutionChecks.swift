import COneDNN
import Tensors

extension KernelCheck {
    /// float32 kernels sum some hundred terms in another order; Winograd's transforms leave a few units more.
    private static let tolerance = 5e-5
    /// bfloat16 has 8 bits.
    private static let bfloat16Tolerance = 3e-2

    private static let kinds: [(name: String, ConvolutionCase)] = [
        ("3×3", .init(input: [4, 32, 14, 14], weight: [40, 32, 3, 3], geometry: .init(stride: 1, padding: 1))),
        ("3×3 with stride 2", .init(input: [3, 16, 15, 15], weight: [24, 16, 3, 3], geometry: .init(stride: 2, padding: 1))),
        ("5×5 of an image", .init(input: [2, 3, 20, 20], weight: [16, 3, 5, 5], geometry: .init(stride: 1, padding: 2))),
        ("1×1", .init(input: [2, 64, 8, 8], weight: [20, 64, 1, 1])),
        (
            "3×3 depthwise",
            .init(input: [2, 33, 12, 12], weight: [33, 1, 3, 3], geometry: .init(stride: 1, padding: 1, groups: 33))
        ),
    ]

    private static let fused: [(name: String, FusedConvolution)] = [
        ("3×3 with sum and ReLU", .init(kinds[0].1, addsToResult: true, rectifies: true)),
        (
            "1×1 with sum and ReLU into the padding",
            .init(
                .init(input: [2, 20, 5, 5], weight: [32, 20, 1, 1], geometry: .init(stride: 1, padding: 3)), addsToResult: true,
                rectifies: true)
        ),
        (
            "3×3 depthwise with sum of 30 channels",
            .init(
                .init(input: [2, 30, 9, 9], weight: [30, 1, 3, 3], geometry: .init(stride: 1, padding: 1, groups: 30)),
                addsToResult: true)
        ),
    ]

    static func convolutions() -> [KernelCheck] {
        let halves = cod_has_bfloat16() != 0 ? [("3×3 in bfloat16", FusedConvolution(kinds[0].1, isBFloat16: true))] : []
        return kinds.flatMap(passes) + (fused + halves).map(inference)
    }

    /// Forward and both gradients.
    private static func passes(_ name: String, _ c: ConvolutionCase) -> [KernelCheck] {
        let expected = Result { try Sample(c) }
        func pass(_ which: String, _ pass: cod_pass, _ error: (Sample) throws -> Double) -> KernelCheck {
            check("convolution \(name), \(which)", within: tolerance) {
                let sample = try expected.get()
                let primitive = try Convolution.primitive(
                    pass, input: c.input, weight: c.weight, geometry: c.geometry,
                    hasBias: c.hasBias && pass != cod_backward_data)
                return (try error(sample), primitive.implementation)
            }
        }
        return [
            pass("forward", cod_forward_training) {
                difference(try Convolution.forward($0.x, $0.w, $0.b, c.geometry, training: true).floats(), $0.naive.y)
            },
            pass("gradient of input", cod_backward_data) {
                difference(try Convolution.gradientOfInput($0.dy, $0.w, input: c.input, c.geometry).floats(), $0.naive.dx)
            },
            pass("gradient of weights", cod_backward_weights) {
                let found = try Convolution.gradientOfWeights($0.dy, $0.x, weight: c.weight, hasBias: c.hasBias, c.geometry)
                return max(
                    difference(try found.weights.floats(), $0.naive.dw),
                    difference(try found.bias?.floats() ?? [], c.hasBias ? $0.naive.db : []))
            },
        ]
    }

    private static func inference(_ name: String, _ fused: FusedConvolution) -> KernelCheck {
        check("convolution \(name)", within: fused.isBFloat16 ? bfloat16Tolerance : tolerance) {
            let sample = try Sample(fused.convolution)
            let y = try fused.run(sample.x, sample.w, sample.b, into: sample.dy)
            let expected = fused.expected(sample.naive.y, try sample.dy.doubles())
            return (difference(y ?? [], expected), try fused.primitive().implementation)
        }
    }

    /// Operands, and what must come of them.
    private struct Sample {
        let x: Tensor
        let w: Tensor
        let b: Tensor?
        let dy: Tensor
        let naive: NaiveConvolution

        init(_ c: ConvolutionCase) throws {
            let output = try c.geometry.outputShape(input: c.input, weight: c.weight)
            x = try normal(c.input, seed: 1)
            // Sums of variance 1.
            w = try normal(c.weight, seed: 2)
                .multiplying(1 / Double(c.weight[1] * c.weight[2] * c.weight[3]).squareRoot())
            b = c.hasBias ? try normal([c.weight[0]], seed: 3) : nil
            dy = try normal(output, seed: 4)
            naive = NaiveConvolution(
                c, output: output, x: try x.doubles(), w: try w.doubles(), b: try b?.doubles(), dy: try dy.doubles())
        }
    }
}
