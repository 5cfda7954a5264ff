public import Tensors

/// The inputs one after another along a dimension.
public struct Concatenate: GraphOperation {
    public static let name = "concat"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)
    public var dimension: Int

    public init(dimension: Int) { self.dimension = dimension }
    public init(attributes: Attributes) throws { dimension = try attributes.int("dim") }
    public var attributes: Attributes { Attributes(Self.name, ["dim": .int(dimension)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...4096)
        guard dimension >= 0, dimension < inputs[0].rank else {
            throw OperationFailure.shapes(operation: name, detail: "\(inputs[0]) has no dimension \(dimension)")
        }
        var dims = inputs[0].dims
        for input in inputs.dropFirst() {
            guard input.rank == dims.count, dims.indices.allSatisfy({ $0 == dimension || input[$0] == dims[$0] }) else {
                throw OperationFailure.shapes(
                    operation: name, detail: "\(inputs[0]) and \(input) differ beside dimension \(dimension)")
            }
            dims[dimension] = Counts.sum(dims[dimension], input[dimension])
        }
        return [Shape(dims)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: inputs.map(\.shape))
        return Evaluation(try Tensor.concatenated(inputs, dim: dimension), mode) { dy, needed in
            var start = 0
            return try inputs.enumerated().map { position, input in
                defer { start += input.shape[dimension] }
                guard needed[position] else { return nil }
                return try dy.sliced(dim: dimension, from: start, to: start + input.shape[dimension])
            }
        }
    }
}
