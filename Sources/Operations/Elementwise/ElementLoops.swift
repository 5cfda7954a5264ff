import Tensors

/// Loops over the elements of float32 tensors; closures are inlined, so that they vectorise.
enum ElementLoops {
    /// f(x), row-major.
    @inline(__always)
    static func map(_ x: Tensor, _ operation: String, _ f: (Float) -> Float) throws -> Tensor {
        try x.requireType(.float32, operation)
        let source = try x.contiguous()
        let result = try Tensor(uninitialized: x.shape)
        withExtendedLifetime((source.storage, result.storage)) {
            let (from, to) = (source.base(Float.self), result.base(Float.self))
            parallelFor(x.elementCount, grain: Elementwise.grain) { for i in $0 { to[i] = f(from[i]) } }
        }
        return result
    }

    /// f(a, b) for tensors of one shape, row-major.
    @inline(__always)
    static func map(_ a: Tensor, _ b: Tensor, _ operation: String, _ f: (Float, Float) -> Float) throws -> Tensor {
        try a.requireType(.float32, operation)
        try b.requireType(.float32, operation)
        guard a.shape == b.shape else {
            throw OperationFailure.shapes(operation: operation, detail: "\(a.shape) and \(b.shape) differ")
        }
        let (x, y) = (try a.contiguous(), try b.contiguous())
        let result = try Tensor(uninitialized: a.shape)
        withExtendedLifetime((x.storage, y.storage, result.storage)) {
            let (p, q, to) = (x.base(Float.self), y.base(Float.self), result.base(Float.self))
            parallelFor(a.elementCount, grain: Elementwise.grain) { for i in $0 { to[i] = f(p[i], q[i]) } }
        }
        return result
    }
}
