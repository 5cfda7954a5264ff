public import Tensors

/// Average pooling to a given number of rows and columns, whatever the input's.
///
/// - Shape: [N, C, H, W] to [N, C, P, Q].
public struct AdaptiveAveragePool2D: GraphOperation {
    public static let name = "adaptive_avg_pool2d"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)
    public var rows: Int
    public var columns: Int

    public init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }

    public init(attributes: Attributes) throws {
        let size = try attributes.ints("size", count: 2)
        (rows, columns) = (size[0], size[1])
    }

    public var attributes: Attributes { Attributes(Self.name, ["size": .ints([rows, columns])]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return [try AdaptivePooling.outputShape(inputs[0], rows: rows, columns: columns)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let input = inputs[0].shape
        return Evaluation(try AdaptivePooling.forward(inputs[0], rows: rows, columns: columns), mode) { dy, _ in
            [try AdaptivePooling.backward(dy, input: input)]
        }
    }
}

/// The mean over rows and columns.
///
/// - Shape: [N, C, H, W] to [N, C, 1, 1].
public struct GlobalAveragePool2D: PlainOperation {
    public static let name = "global_avg_pool2d"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return [try AdaptivePooling.outputShape(inputs[0], rows: 1, columns: 1)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        try AdaptiveAveragePool2D(rows: 1, columns: 1).evaluate(inputs, mode)
    }
}
