import Operations
import Tensors

/// Operations that nets from elsewhere bring.
extension GradientCase {
    static let importedOperations = activations + powers + normalizations + products + selections

    private static func smooth(_ title: String, _ operation: any GraphOperation, _ shape: Shape = [3, 17]) -> GradientCase {
        GradientCase(title, operation, [shape])
    }

    /// Values away from the kinks at whole numbers.
    private static func kinked(_ title: String, _ operation: any GraphOperation) -> GradientCase {
        .init(title, operation, differentiable: [true]) { [try Samples.separated([3, 17], seed: 61)] }
    }

    private static let activations: [GradientCase] = [
        smooth("sequence", Sigmoid(), [2, 3, 5]), smooth("matrix", Tanh()), smooth("exact", GELU()), smooth("matrix", SiLU()),
        smooth("by tanh", GELU(isApproximate: true)), smooth("matrix", ErrorFunction()),
        smooth("matrix", Exponential()), kinked("matrix", Abs()),
        kinked("slope 0.1", LeakyReLU(slope: 0.1)), kinked("wide", HardSigmoid(alpha: 0.2, beta: 0.5)),
        smooth("between its kinks", HardSwish()), GradientCase("open above", Clip(low: -0.55, high: 1e30), [[3, 17]], hasKinks: true),
        kinked("alpha 0.5", ELU(alpha: 0.5)), smooth("matrix", Softplus()), smooth("matrix", Mish()),
        positive("between whole numbers", Trunc(), [[3, 4]]),
        .init("channels", PReLU(), differentiable: [true, true]) {
            [try Samples.separated([2, 3, 2, 2], seed: 62), try Samples.normal([3, 1, 1], seed: 63)]
        },
    ]

    private static func positive(_ title: String, _ operation: any GraphOperation, _ shapes: [Shape]) -> GradientCase {
        .init(title, operation, differentiable: shapes.map { _ in true }) {
            try shapes.enumerated().map { try Samples.uniform($1, low: 1.1, high: 1.9, seed: UInt64(64 + $0)) }
        }
    }

    private static let powers: [GradientCase] = [
        positive("broadcast", Divide(), [[2, 3, 4], [3, 1]]), positive("broadcast", Power(), [[2, 3], [3]]),
        positive("matrix", SquareRoot(), [[3, 5]]), positive("matrix", Logarithm(), [[3, 5]]),
        .init("square", Power(), differentiable: [true, false]) { [try Samples.normal([3, 5], seed: 66), try .full([], 2)] },
        .init("root", Power(), differentiable: [true, false]) {
            [try Samples.uniform([3, 5], low: 0.7, high: 2, seed: 67), try .full([], 0.5)]
        },
    ]

    private static let normalizations: [GradientCase] = [
        smooth("rows", Softmax(), [2, 3, 5]), .init("rows", LayerNorm(), [[2, 3, 8], [8], [8]]),
        .init("two dimensions, no bias", LayerNorm(dimensionCount: 2, epsilon: 0.1, hasBias: false), [[3, 2, 5], [2, 5]]),
        smooth("inner, kept", ReduceMean(dimensions: [1], keepsDimensions: true), [2, 3, 4]),
        smooth("inner, kept", ReduceSum(dimensions: [1], keepsDimensions: true), [2, 3, 4]),
        smooth("two, dropped", ReduceSum(dimensions: [0, 2], keepsDimensions: false), [2, 3, 4]),
        smooth("two, dropped", ReduceMean(dimensions: [0, 2], keepsDimensions: false), [2, 3, 4]),
    ]

    private static func upward(_ geometry: ConvolutionGeometry, _ extra: [Int], _ x: Shape, _ w: Shape, bias: Bool) -> GradientCase {
        let shapes = [x, w] + (bias ? [[w[1] * geometry.groups]] : [])
        return .init("stride \(geometry.stride)", ConvTranspose2D(geometry, outputPadding: extra, hasBias: bias), shapes)
    }

    private static let products: [GradientCase] = [
        .init("stack", MatrixMultiply(), [[2, 3, 4, 5], [2, 3, 5, 2]]),
        .init("stack by one matrix", MatrixMultiply(), [[3, 4, 5], [5, 2]]),
        .init("broadcast stacks", MatrixMultiply(), [[2, 1, 3, 4], [5, 4, 2]]),
        .init("sequence", Linear(hasBias: true), [[2, 3, 5], [4, 5], [4]]),
        upward(.init(stride: 1, padding: 0), [0, 0], [2, 3, 4, 5], [3, 2, 3, 3], bias: true),
        upward(.init(stride: [2, 1], padding: [1, 0, 0, 1], dilation: [1, 2]), [1, 0], [1, 2, 4, 3], [2, 3, 3, 2], bias: false),
        upward(.init(stride: 2, padding: 1, groups: 2), [0, 0], [2, 4, 3, 3], [4, 3, 3, 3], bias: true),
    ]

    private static func resized(_ mode: Resize.Interpolation, _ coordinates: Resize.Coordinates, _ size: Int) -> GradientCase {
        smooth(
            "\(mode) \(coordinates) \(size)",
            Resize(dimension: 2, size: size, scale: Double(size) / 4, interpolation: mode, coordinates: coordinates), [2, 3, 4, 2])
    }

    private static let selections: [GradientCase] = [
        smooth("attention", Transpose(order: [2, 0, 3, 1]), [2, 3, 4, 2]),
        .init("three parts", Concatenate(dimension: 1), [[2, 3, 2], [2, 1, 2], [2, 4, 2]]),
        smooth("rows", Expand(target: [4, 0, 3]), [2, 1]),
        .init("batch of another", Expand(target: [0, 3, 2], borrowsBatch: true), differentiable: [true, false]) {
            [try Samples.normal([1, 3, 1], seed: 71), try Samples.normal([4, 2], seed: 72)]
        },
        .init("words", Gather(dimension: 0), differentiable: [true, false]) {
            [try Samples.normal([5, 3], seed: 73), try Tensor([4, 0, 0, -1] as [Float], shape: [2, 2])]
        },
        .init("inner", Gather(dimension: 1), differentiable: [true, false]) {
            [try Samples.normal([2, 5, 3], seed: 74), try Tensor([Int64]([1, 1, 3]))]
        },
        resized(.nearest, .halfPixel, 8), resized(.nearest, .asymmetric, 3), resized(.linear, .halfPixel, 7),
        resized(.linear, .alignCorners, 3), resized(.linear, .pytorchHalfPixel, 1),
    ]
}
