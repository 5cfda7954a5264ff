public import Tensors

/// The sum over some dimensions, which are dropped or kept with extent 1.
public struct ReduceSum: GraphOperation {
    public static let name = "reduce_sum"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    /// The dimensions, ascending.
    public var dimensions: [Int]
    public var keepsDimensions: Bool

    public init(dimensions: [Int], keepsDimensions: Bool) {
        self.dimensions = dimensions
        self.keepsDimensions = keepsDimensions
    }

    public init(attributes: Attributes) throws {
        let mean = try ReduceMean(attributes: attributes)
        (dimensions, keepsDimensions) = (mean.dimensions, mean.keepsDimensions)
    }

    public var attributes: Attributes {
        Attributes(Self.name, ["dims": .ints(dimensions), "keep": .bool(keepsDimensions)])
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        guard dimensions.allSatisfy({ $0 < inputs[0].rank }) else {
            throw OperationFailure.shapes(operation: name, detail: "\(inputs[0]) has not the dimensions \(dimensions)")
        }
        return [inputs[0].reduced(over: dimensions, keeping: keepsDimensions)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        let output = try outputShapes(of: [x.shape])[0]
        try x.requireType(.float32, name)
        let y =
            dimensions.count == 1
            ? try x.sum(along: dimensions[0], keeping: keepsDimensions) : try x.rows(over: dimensions).sum(along: 1).reshaped(output)
        return Evaluation(y, mode) { dy, _ in [try dy.spread(over: dimensions, of: x.shape).contiguous()] }
    }
}
