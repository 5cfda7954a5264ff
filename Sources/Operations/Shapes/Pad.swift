public import Tensors

/// Zeros before and behind along one dimension.
public struct Pad: GraphOperation {
    public static let name = "pad"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    public var dimension: Int
    public var before: Int
    public var after: Int

    public init(dimension: Int, before: Int, after: Int) {
        self.dimension = dimension
        self.before = before
        self.after = after
    }

    public init(attributes: Attributes) throws {
        dimension = try attributes.int("dim")
        before = try attributes.int("before")
        after = try attributes.int("after")
    }

    public var attributes: Attributes {
        Attributes(Self.name, ["dim": .int(dimension), "before": .int(before), "after": .int(after)])
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        guard dimension >= 0, dimension < inputs[0].rank, (0..<1 << 20).contains(before), (0..<1 << 20).contains(after)
        else {
            throw OperationFailure.shapes(
                operation: name, detail: "\(before) before and \(after) behind do not fit dimension \(dimension) of \(inputs[0])")
        }
        var dims = inputs[0].dims
        dims[dimension] += before + after
        return [Shape(dims)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let y = try Tensor.zeros(outputShapes(of: [inputs[0].shape])[0], dtype: inputs[0].dtype)
        let end = before + inputs[0].shape[dimension]
        try y.sliced(dim: dimension, from: before, to: end).assign(inputs[0])
        return Evaluation(y, mode) { dy, _ in
            [try dy.sliced(dim: dimension, from: before, to: end)]
        }
    }
}
