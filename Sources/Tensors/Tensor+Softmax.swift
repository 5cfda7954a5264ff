#if canImport(Glibc)
    import Glibc
#endif

/// Softmax over the last dimension; a row that holds a not-a-number, or +∞, becomes not-a-number.
extension Tensor {
    /// exp(xᵢ) / Σ exp(xⱼ), shifted by the maximum so that nothing overflows.
    public func softmax() throws -> Tensor {
        try mapRows("softmax") { x, y, width in
            _ = Self.exponentials(x, y, width)
            let scale = Float(1 / Vectors.sum(UnsafeBufferPointer(start: y, count: width)))
            for i in 0..<width { y[i] *= scale }
        }
    }

    /// xᵢ − log Σ exp(xⱼ).
    public func logSoftmax() throws -> Tensor {
        try mapRows("log_softmax") { x, y, width in
            let peak = Self.exponentials(x, y, width)
            let shift = peak + Float(log(Vectors.sum(UnsafeBufferPointer(start: y, count: width))))
            for i in 0..<width { y[i] = x[i] - shift }
        }
    }

    /// exp(xᵢ − m) of a row, with m its largest element, which is given back.
    @inline(__always)
    private static func exponentials(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ width: Int) -> Float {
        var peak = x[0]
        for i in 1..<max(1, width) { peak = x[i] > peak ? x[i] : peak }
        for i in 0..<width { y[i] = SmoothFunctions.exponential(x[i] - peak) }
        return peak
    }

    @inline(__always)
    private func mapRows(
        _ operation: String, _ apply: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    ) throws -> Tensor {
        try requireType(.float32, operation)
        guard let width = shape.dims.last, width > 0 else {
            throw TensorFailure.shapeMismatch(operation: operation, detail: "\(shape) has no last dimension")
        }
        let source = try contiguous()
        let result = try Tensor(uninitialized: shape)
        withExtendedLifetime((source.storage, result.storage)) {
            let (from, to) = (source.base(Float.self), result.base(Float.self))
            parallelFor(elementCount / width, grain: max(1, Elementwise.grain / width)) {
                for row in $0 { apply(from + row * width, to + row * width, width) }
            }
        }
        return result
    }
}
