public import Tensors

/// Dimensions in another order: dimension d of the result is dimension `order[d]` of the input.
public struct Transpose: GraphOperation {
    public static let name = "transpose"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    public var order: [Int]

    public init(order: [Int]) { self.order = order }
    public init(attributes: Attributes) throws {
        order = try attributes.ints("order")
        guard order.sorted() == Array(0..<order.count) else {
            throw attributes.refused("order", "\(order) must name each dimension exactly once")
        }
    }
    public var attributes: Attributes { Attributes(Self.name, ["order": .ints(order)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        guard inputs[0].rank == order.count else {
            throw OperationFailure.shapes(operation: name, detail: "\(order) is no order of the dimensions of \(inputs[0])")
        }
        return [Shape(order.map { inputs[0][$0] })]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        var inverse = order
        for (position, dimension) in order.enumerated() { inverse[dimension] = position }
        return Evaluation(try inputs[0].permuted(order), mode) { dy, _ in [try dy.permuted(inverse)] }
    }
}
