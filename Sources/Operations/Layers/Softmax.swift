public import Tensors

/// exp(xᵢ) / Σ exp(xⱼ) over the last dimension, shifted by the maximum so that nothing overflows.
public struct Softmax: PlainOperation {
    public static let name = "softmax"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        guard let width = inputs[0].dims.last, width > 0 else {
            throw OperationFailure.shapes(operation: name, detail: "\(inputs[0]) has no last dimension")
        }
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let y = try inputs[0].softmax()
        return Evaluation(y, mode) { dy, _ in
            let inner = try dy.multiplying(y).sum(along: -1, keeping: true)
            return [try y.multiplying(dy.subtracting(inner))]
        }
    }
}

/// Sums over rows in memory.
enum RowSums {
    /// Σ xᵢ in double precision.
    static func sum(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
        Vectors.sum(UnsafeBufferPointer(start: x, count: count))
    }
}
