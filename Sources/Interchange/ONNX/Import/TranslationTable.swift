import Operations

/// How a node of a file becomes operations: adds them to the graph and gives the values of the node's outputs.
typealias Translation = @Sendable (ONNXNode, inout GraphAssembly) throws -> [ONNXValue]

/// The operators that are read, each with its translation. One that knows several versions asks for `node.opset`.
enum TranslationTable {
    static let all: [String: Translation] = layers.merging(elementwise) { first, _ in first }
        .merging(shapes) { first, _ in first }

    private static let layers: [String: Translation] = [
        "Conv": ConvolutionTranslations.convolution,
        "ConvTranspose": ConvolutionTranslations.transposedConvolution,
        "BatchNormalization": NormalizationTranslations.batchNorm,
        "LayerNormalization": NormalizationTranslations.layerNorm,
        "MaxPool": PoolingTranslations.maximum,
        "AveragePool": PoolingTranslations.average,
        "GlobalAveragePool": PoolingTranslations.globalAverage,
        "ReduceMean": PoolingTranslations.mean,
        "ReduceSum": PoolingTranslations.sum,
        "Gemm": ProductTranslations.gemm,
        "MatMul": ProductTranslations.matrixProduct,
        "Softmax": NormalizationTranslations.softmax { Softmax() },
        "LogSoftmax": NormalizationTranslations.softmax { LogSoftmax() },
        "Resize": ResizeTranslations.resize,
        "Upsample": ResizeTranslations.upsample,
    ]

    private static let elementwise: [String: Translation] = [
        "Relu": ElementwiseTranslations.unary { _ in ReLU() },
        "LeakyRelu": ElementwiseTranslations.unary { LeakyReLU(slope: try $0.float("alpha", default: 0.01)) },
        "Sigmoid": ElementwiseTranslations.unary { _ in Sigmoid() },
        "HardSigmoid": ElementwiseTranslations.unary {
            HardSigmoid(alpha: try $0.float("alpha", default: 0.2), beta: try $0.float("beta", default: 0.5))
        },
        "HardSwish": ElementwiseTranslations.unary { _ in HardSwish() },
        "Tanh": ElementwiseTranslations.unary { _ in Tanh() },
        "Gelu": ElementwiseTranslations.unary { GELU(isApproximate: try $0.text("approximate", default: "none") == "tanh") },
        "Sqrt": ElementwiseTranslations.unary { _ in SquareRoot() },
        "Exp": ElementwiseTranslations.unary { _ in Exponential() },
        "Log": ElementwiseTranslations.unary { _ in Logarithm() },
        "Abs": ElementwiseTranslations.unary { _ in Abs() },
        "Erf": ElementwiseTranslations.unary { _ in ErrorFunction() },
        "PRelu": ElementwiseTranslations.parametricRectifier,
        "Clip": ElementwiseTranslations.clip,
        "Add": ElementwiseTranslations.binary(Add()),
        "Sub": ElementwiseTranslations.binary(Subtract()),
        "Mul": ElementwiseTranslations.binary(Multiply()),
        "Div": ElementwiseTranslations.binary(Divide()),
        "Pow": ElementwiseTranslations.binary(Power()),
        "Sum": ElementwiseTranslations.sum,
        "Cast": ElementwiseTranslations.cast,
        "Dropout": ElementwiseTranslations.dropout,
        "Identity": { node, _ in [try node.input(0)] },
    ]

    private static let shapes: [String: Translation] = [
        "Concat": ShapeTranslations.concatenate,
        "ConstantOfShape": ShapeTranslations.constantOfShape,
        "Expand": ShapeTranslations.expand,
        "Flatten": ShapeTranslations.flatten,
        "Gather": SelectionTranslations.gather,
        "Pad": SelectionTranslations.pad,
        "Reshape": ShapeTranslations.reshape,
        "Slice": SelectionTranslations.slice,
        "Split": SelectionTranslations.split,
        "Squeeze": ShapeTranslations.squeeze,
        "Transpose": ShapeTranslations.transpose,
        "Unsqueeze": ShapeTranslations.unsqueeze,
    ]
}
