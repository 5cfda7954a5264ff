import Operations

/// How a node of a file becomes operations: adds them to the graph and gives the values of the node's outputs.
typealias Translation = @Sendable (ONNXNode, inout GraphAssembly) throws -> [ONNXValue]

/// The operators that are read, each with its translation. One that knows several versions asks for `node.opset`.
enum TranslationTable {
    static let all: [String: Translation] = [layers, elementwise, functions, shapes].reduce(into: [:]) {
        $0.merge($1) { first, _ in first }
    }

    /// Functions of one element say themselves what they are read from.
    private static let functions = Dictionary(
        uniqueKeysWithValues: OperationCatalog.elementFunctions.compactMap { type in
            type.onnxOperator.map { ($0.name, ElementwiseTranslations.function(type.name, $0)) }
        })

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
