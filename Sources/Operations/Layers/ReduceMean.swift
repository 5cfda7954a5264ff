public import Tensors

/// The mean over some dimensions, which are dropped or kept with extent 1.
public struct ReduceMean: GraphOperation {
    public static let name = "reduce_mean"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    /// The dimensions, ascending.
    public var dimensions: [Int]
    public var keepsDimensions: Bool

    public init(dimensions: [Int], keepsDimensions: Bool) {
        self.dimensions = dimensions
        self.keepsDimensions = keepsDimensions
    }

    public init(attributes: Attributes) throws {
        dimensions = try attributes.ints("dims")
        keepsDimensions = try attributes.bool("keep")
        guard dimensions == Set(dimensions).sorted(), dimensions.allSatisfy({ $0 >= 0 }) else {
            throw attributes.refused("dims", "\(dimensions) do not ascend from 0")
        }
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
            ? try x.mean(along: dimensions[0], keeping: keepsDimensions) : try x.rows(over: dimensions).mean(along: 1).reshaped(output)
        let width = dimensions.reduce(1) { $0 * x.shape[$1] }
        return Evaluation(y, mode) { dy, _ in
            [try dy.spread(over: dimensions, of: x.shape).multiplying(1 / Double(max(1, width)))]
        }
    }
}

extension Shape {
    /// Without some dimensions, or with extent 1 for them.
    func reduced(over dimensions: [Int], keeping: Bool) -> Shape {
        Shape(dims.enumerated().compactMap { dimensions.contains($0) ? (keeping ? 1 : nil) : $1 })
    }
}

extension Tensor {
    /// A row for each place in the other dimensions, with all that lies along these.
    func rows(over dimensions: [Int]) throws -> Tensor {
        let kept = shape.dims.indices.filter { !dimensions.contains($0) }
        let width = dimensions.reduce(1) { $0 * shape[$1] }
        return try permuted(kept + dimensions).reshaped([kept.reduce(1) { $0 * shape[$1] }, width])
    }

    /// What was reduced over some dimensions of `target`, repeated along them.
    func spread(over dimensions: [Int], of target: Shape) throws -> Tensor {
        try reshaped(target.reduced(over: dimensions, keeping: true)).broadcast(to: target)
    }
}
