import Basics
import Operations
import Tensors
import Testing

/// One configuration of one operation, with inputs to check its gradient at.
struct GradientCase: Sendable, CustomTestStringConvertible {
    let title: String
    let operation: any GraphOperation
    let inputs: @Sendable () throws -> [Tensor]
    let differentiable: [Bool]
    var isTraining = true
    /// Whether the function has kinks that differences may step over.
    var hasKinks = false

    var testDescription: String { "\(operation.name) \(title)" }

    init(
        _ title: String, _ operation: any GraphOperation, _ shapes: [Shape], differentiable: [Bool]? = nil,
        isTraining: Bool = true, hasKinks: Bool = false
    ) {
        self.init(title, operation, differentiable: differentiable ?? shapes.map { _ in true }) {
            try shapes.enumerated().map { try Samples.normal($1, seed: UInt64($0 + 7)) }
        }
        self.isTraining = isTraining
        self.hasKinks = hasKinks
    }

    init(
        _ title: String, _ operation: any GraphOperation, differentiable: [Bool],
        inputs: @escaping @Sendable () throws -> [Tensor]
    ) {
        self.title = title
        self.operation = operation
        self.inputs = inputs
        self.differentiable = differentiable
    }

    static let all: [GradientCase] =
        elementwise + convolutions + batchNorms + pools + linearLayers + shapeChanges + losses + importedOperations

    static let elementwise: [GradientCase] = [
        .init("same shapes", Add(), [[2, 3, 4], [2, 3, 4]]),
        .init("row broadcast", Add(), [[4, 3], [3]]),
        .init("both broadcast", Add(), [[2, 1, 4], [3, 1]]),
        .init("activation and channel vector", Add(), [[2, 5, 3, 3], [1, 5, 1, 1]]),
        .init("scalar", Add(), [[], [2, 3]]),
        .init("relu", Add(hasReLU: true), [[3, 4], [3, 4]], hasKinks: true),
        .init("relu of a broadcast", Add(hasReLU: true), [[2, 3, 4], [4]], hasKinks: true),
        .init("same shapes", Subtract(), [[2, 3], [2, 3]]),
        .init("broadcast", Subtract(), [[3, 1], [2, 3, 4]]),
        .init("same shapes", Multiply(), [[2, 3], [2, 3]]),
        .init("broadcast", Multiply(), [[2, 3, 1], [1, 4]]),
        .init("negative", Scale(factor: -2.5), [[3, 5]]),
        .init("larger", Extremum(isMaximum: true), [[2, 3, 4], [3, 1]], hasKinks: true),
        .init("smaller", Extremum(isMaximum: false), [[3, 4], [3, 4]], hasKinks: true),
        .init("total", Sum(isMean: false), [[2, 3, 4]]),
        .init("mean", Sum(isMean: true), [[2, 3, 4]]),
        .init("matrix", MatrixMultiply(), [[3, 5], [5, 4]]),
        .init("row by column", MatrixMultiply(), [[1, 6], [6, 1]]),
        .init("away from zero", ReLU(), differentiable: [true]) { [try Samples.separated([3, 17], seed: 3)] },
        .init("activation", ReLU(), differentiable: [true]) { [try Samples.separated([2, 3, 4, 4], seed: 4)] },
        .init("both limits", Clip(low: -1, high: 1.2), differentiable: [true]) { [try Samples.separated([3, 17], seed: 6)] },
        .init("ReLU6", Clip(low: 0, high: 6), differentiable: [true]) { [try Samples.separated([2, 3, 4, 4], seed: 5)] },
        .init("half", Dropout(probability: 0.5, seed: 3), [[4, 6], [1]], differentiable: [true, false]),
        .init("none", Dropout(probability: 0, seed: 3), [[4, 6], [1]], differentiable: [true, false]),
        .init("inference", Dropout(probability: 0.5, seed: 3), [[4, 6], [1]], differentiable: [true, false], isTraining: false),
    ]

    private static func conv(
        _ title: String, x: Shape, w: Shape, _ geometry: ConvolutionGeometry = .init(stride: 1, padding: 1),
        bias: Bool = false, residual: Shape? = nil, relu: Bool = false
    ) -> GradientCase {
        let operation = Conv2D(geometry, hasBias: bias, addsResidual: residual != nil, hasReLU: relu)
        let shapes = [x, w] + (bias ? [[w[0]]] : []) + (residual.map { [$0] } ?? [])
        return GradientCase(title, operation, shapes, hasKinks: relu)
    }

    static let convolutions: [GradientCase] = [
        conv("3×3", x: [2, 3, 6, 5], w: [4, 3, 3, 3]),
        conv("1×1 bias", x: [2, 5, 4, 4], w: [3, 5, 1, 1], .init(), bias: true),
        conv("3×1", x: [2, 3, 6, 5], w: [4, 3, 3, 1], .init(stride: [2, 1], padding: [1, 0, 1, 0])),
        conv("1×3", x: [2, 3, 6, 5], w: [4, 3, 1, 3], .init(stride: [1, 2], padding: [0, 1, 0, 1])),
        conv("stride 2", x: [2, 3, 7, 8], w: [4, 3, 3, 3], .init(stride: 2, padding: 1), bias: true),
        conv("uneven padding", x: [1, 2, 5, 6], w: [3, 2, 3, 2], .init(padding: [0, 1, 2, 0])),
        conv("no padding 5×5", x: [1, 2, 7, 9], w: [2, 2, 5, 5], .init()),
        conv("dilation", x: [2, 3, 9, 8], w: [4, 3, 3, 3], .init(padding: [2, 2, 2, 2], dilation: [2, 2])),
        conv("uneven dilation", x: [1, 2, 9, 8], w: [2, 2, 3, 3], .init(padding: [3, 1, 3, 1], dilation: [3, 1])),
        conv("groups", x: [2, 4, 5, 5], w: [6, 2, 3, 3], .init(stride: 1, padding: 1, groups: 2), bias: true),
        conv("many groups", x: [1, 32, 4, 4], w: [32, 8, 3, 3], .init(stride: 1, padding: 1, groups: 4)),
        conv("depthwise", x: [2, 5, 6, 6], w: [5, 1, 3, 3], .init(stride: 2, padding: 1, groups: 5), bias: true),
        conv("17 channels", x: [1, 17, 4, 5], w: [19, 17, 3, 3], bias: true),
        conv("relu", x: [2, 3, 5, 5], w: [4, 3, 3, 3], relu: true),
        conv("bias relu", x: [2, 3, 5, 5], w: [4, 3, 3, 3], bias: true, relu: true),
        conv("residual", x: [2, 3, 5, 5], w: [4, 3, 3, 3], residual: [2, 4, 5, 5]),
        conv("bias residual relu", x: [2, 3, 5, 5], w: [4, 3, 3, 3], bias: true, residual: [2, 4, 5, 5], relu: true),
    ]

    private static func norm(
        _ title: String, _ x: Shape, isTraining: Bool, residual: Bool = false, relu: Bool = false, epsilon: Double = 1e-5
    ) -> GradientCase {
        var result = GradientCase(
            title, BatchNorm(epsilon: epsilon, addsResidual: residual, hasReLU: relu),
            differentiable: [true, true, true, false, false] + (residual ? [true] : [])
        ) {
            let channels: Shape = [x[1]]
            let inputs = [
                try Samples.normal(x, seed: 21), try Samples.uniform(channels, low: 0.5, high: 1.5, seed: 22),
                try Samples.normal(channels, seed: 23), try Samples.normal(channels, seed: 24),
                try Samples.uniform(channels, low: 0.5, high: 2, seed: 25),
            ]
            return residual ? inputs + [try Samples.normal(x, seed: 26)] : inputs
        }
        result.isTraining = isTraining
        result.hasKinks = relu
        return result
    }

    static let batchNorms: [GradientCase] = [
        norm("training", [4, 3, 3, 3], isTraining: true),
        norm("training, 17 channels", [3, 17, 2, 5], isTraining: true),
        norm("training, large epsilon", [4, 2, 3, 3], isTraining: true, epsilon: 0.5),
        norm("training relu", [4, 3, 3, 3], isTraining: true, relu: true),
        norm("vectors, training", [6, 5], isTraining: true), norm("vectors, inference relu", [6, 5], isTraining: false, relu: true),
        norm("vectors, training residual relu", [6, 5], isTraining: true, residual: true, relu: true),
        norm("sequences, training", [3, 4, 5], isTraining: true),
        norm("inference", [3, 4, 3, 2], isTraining: false),
        norm("inference, 17 channels", [3, 17, 2, 5], isTraining: false),
        norm("inference relu", [3, 4, 3, 2], isTraining: false, relu: true),
        norm("training residual", [4, 3, 3, 3], isTraining: true, residual: true),
        norm("training residual relu", [3, 5, 4, 3], isTraining: true, residual: true, relu: true),
        norm("inference residual", [3, 4, 3, 2], isTraining: false, residual: true),
        norm("inference residual relu", [3, 4, 3, 2], isTraining: false, residual: true, relu: true),
    ]

    private static func pool(_ kind: PoolingGeometry.Kind, _ title: String, _ x: Shape, _ geometry: PoolingGeometry) -> GradientCase {
        .init("\(kind.rawValue) \(title)", Pool2D(geometry), differentiable: [true]) { [try Samples.separated(x, seed: 31)] }
    }

    static let pools: [GradientCase] =
        PoolingGeometry.Kind.allCases.flatMap { kind in
            [
                pool(kind, "2×2", [2, 3, 6, 4], .init(kind: kind, window: [2, 2])),
                pool(kind, "3×3 stride 2 padding", [2, 3, 7, 6], .init(kind: kind, window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1])),
                pool(kind, "uneven", [1, 17, 5, 6], .init(kind: kind, window: [3, 2], stride: [1, 3], padding: [0, 1, 2, 0])),
            ]
        } + [
            .init("to 2×3", AdaptiveAveragePool2D(rows: 2, columns: 3), [[2, 3, 4, 6]]),
            .init("overlapping cells", AdaptiveAveragePool2D(rows: 3, columns: 2), [[2, 17, 7, 5]]),
            .init("small", GlobalAveragePool2D(), [[2, 3, 4, 5]]),
            .init("1×1", GlobalAveragePool2D(), [[2, 3, 1, 1]]),
        ]

    static let linearLayers: [GradientCase] = [
        .init("bias", Linear(hasBias: true), [[3, 5], [4, 5], [4]]),
        .init("no bias", Linear(hasBias: false), [[1, 6], [2, 6]]),
    ]

    static let shapeChanges: [GradientCase] = [
        .init("open extent", Reshape(target: [2, -1]), [[2, 3, 4]]),
        .init("kept extents", Reshape(target: [0, 0, 2, 2]), [[2, 3, 4]]),
        .init("activation", Flatten(), [[2, 3, 2, 2]]),
        .init("vector", Flatten(), [[3]]),
        .init("channels", Pad(dimension: 1, before: 2, after: 1), [[2, 3, 2, 2]]),
        .init("last dimension", Pad(dimension: 2, before: 0, after: 3), [[2, 3, 4]]),
        .init("every second", Slice(dimension: 2, by: 2), [[2, 3, 5]]),
        .init("part", Slice(dimension: 1, from: 1, to: 4), [[2, 6]]),
        .init("from the back", Slice(dimension: 0, from: 1, to: -2, by: 3), [[9, 2]]),
        .init("stride 2", SubsamplePad(stride: 2, before: 2, after: 3), [[2, 3, 5, 4]]),
        .init("more than a block", SubsamplePad(stride: 2, before: 8, after: 8), [[1, 16, 4, 4]]),
        .init("stride 1", SubsamplePad(stride: 1, before: 1, after: 0), [[1, 17, 2, 3]]),
    ]

    private static func crossEntropy(_ smoothing: Double) -> GradientCase {
        .init("smoothing \(smoothing)", CrossEntropy(smoothing: smoothing), differentiable: [true, false]) {
            [try Samples.normal([4, 5], seed: 41), try Tensor([Int64]([0, 4, 2, 2]))]
        }
    }

    static let losses: [GradientCase] = [
        crossEntropy(0), crossEntropy(0.1), crossEntropy(0.9),
        .init("matrix", LogSoftmax(), [[3, 5]]),
        .init("rank 3", LogSoftmax(), [[2, 2, 4]]),
        .init("temperature 1", KLDivergence(), [[3, 5], [3, 5]], differentiable: [true, false]),
        .init("temperature 4", KLDivergence(temperature: 4), [[3, 5], [3, 5]], differentiable: [true, false]),
        .init("activation", MeanSquaredError(), [[2, 3, 2, 2], [2, 3, 2, 2]], differentiable: [true, false]),
    ]
}
