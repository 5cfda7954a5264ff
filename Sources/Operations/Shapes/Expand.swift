public import Tensors

/// Repeats dimensions of extent 1 to fill a shape.
///
/// - Shape: x that broadcasts to `shape`; an extent 0 stands for that of x. Where a batch is borrowed, dimension 0 of
///   the result has the extent that it has in the second input.
public struct Expand: GraphOperation {
    public static let name = "expand"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    public var target: [Int]
    /// Whether a second input lends its number of samples.
    public var borrowsBatch: Bool

    public init(target: [Int], borrowsBatch: Bool = false) {
        self.target = target
        self.borrowsBatch = borrowsBatch
    }

    public init(attributes: Attributes) throws {
        target = try attributes.ints("shape")
        borrowsBatch = try attributes.bool("borrows_batch")
        guard target.allSatisfy({ $0 >= 0 }) else { throw attributes.refused("shape", "\(target) has negative extents") }
    }
    public var attributes: Attributes { Attributes(Self.name, ["shape": .ints(target), "borrows_batch": .bool(borrowsBatch)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        let count = borrowsBatch ? 2 : 1
        try requireInputs(inputs.count, count...count)
        let x = inputs[0]
        var dims = target.enumerated().map { position, extent in
            let own = position - target.count + x.rank
            return extent == 0 && own >= 0 && own < x.rank ? x[own] : extent
        }
        if borrowsBatch, let batch = inputs[1].dims.first, !dims.isEmpty { dims[0] = batch }
        guard Counts.product(dims) < 1 << 40, try Shape.broadcast(x, Shape(dims), operation: name) == Shape(dims) else {
            throw OperationFailure.shapes(operation: name, detail: "\(x) does not fill \(Shape(dims))")
        }
        return [Shape(dims)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0].shape
        let output = try outputShapes(of: inputs.map(\.shape))[0]
        return Evaluation(try inputs[0].broadcast(to: output), mode) { dy, _ in
            [try dy.summed(to: x)] + [Tensor?](repeating: nil, count: inputs.count - 1)
        }
    }
}
