public import Tensors

/// The mean over some dimensions, which are dropped or kept with extent 1.
public struct ReduceMean: Operation {
    public static let name = "reduce_mean"
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
        return [shape(inputs[0], keeping: keepsDimensions)]
    }

    private func shape(_ input: Shape, keeping: Bool) -> Shape {
        Shape(input.dims.enumerated().compactMap { dimensions.contains($0) ? (keeping ? 1 : nil) : $1 })
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        let output = try outputShapes(of: [x.shape])[0]
        try x.requireType(.float32, name)
        let kept = x.shape.dims.indices.filter { !dimensions.contains($0) }
        let rows = try x.permuted(kept + dimensions).contiguous()
        let width = dimensions.reduce(1) { $0 * x.shape[$1] }
        let y = try Tensor(uninitialized: output)
        withExtendedLifetime((rows.storage, y.storage)) {
            let (from, to) = (rows.base(Float.self), y.base(Float.self))
            parallelFor(y.elementCount, grain: max(1, Elementwise.grain / max(1, width))) {
                for row in $0 { to[row] = Float(RowSums.sum(from + row * width, width) / Double(width)) }
            }
        }
        return Evaluation(y, mode) { dy, _ in
            let spread = try dy.reshaped(shape(x.shape, keeping: true)).broadcast(to: x.shape)
            return [try spread.multiplying(1 / Double(max(1, width)))]
        }
    }
}
