public import Tensors

/// exp(xᵢ) / Σ exp(xⱼ) over the last dimension, shifted by the maximum so that nothing overflows.
public struct Softmax: PlainOperation {
    public static let name = "softmax"

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        guard let width = inputs[0].dims.last, width > 0 else {
            throw OperationFailure.shapes(operation: name, detail: "\(inputs[0]) has no last dimension")
        }
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: inputs.map(\.shape))
        try inputs[0].requireType(.float32, name)
        let x = try inputs[0].contiguous()
        let y = try Tensor(uninitialized: x.shape)
        let width = x.shape[x.rank - 1]
        withExtendedLifetime((x.storage, y.storage)) {
            let (from, to) = (x.base(Float.self), y.base(Float.self))
            parallelFor(x.elementCount / width, grain: max(1, Elementwise.grain / width)) {
                for row in $0 { Self.softmax(from + row * width, into: to + row * width, width) }
            }
        }
        return Evaluation(y, mode) { dy, _ in
            let inner = try dy.multiplying(y).sum(along: -1, keeping: true)
            return [try y.multiplying(dy.subtracting(inner))]
        }
    }

    private static func softmax(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ width: Int) {
        var peak = x[0]
        for i in 1..<max(1, width) { peak = x[i] > peak ? x[i] : peak }
        for i in 0..<width { y[i] = SmoothFunctions.exponential(x[i] - peak) }
        let scale = Float(1 / RowSums.sum(y, width))
        for i in 0..<width { y[i] *= scale }
    }
}

/// Sums over rows in memory.
enum RowSums {
    /// Σ xᵢ in double precision.
    static func sum(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
        Vectors.sum(UnsafeBufferPointer(start: x, count: count))
    }
}
