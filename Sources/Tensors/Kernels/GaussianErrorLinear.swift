/// x · Φ(x), with Φ the distribution function of a standard normal variable, and its gradient.
///
/// The loops stand in the module of the functions that they call: from another module each element would be a call.
/// - Reference: Hendrycks, Gimpel, *Gaussian Error Linear Units*, 2016, arXiv:1606.08415.
package enum GaussianErrorLinear {
    /// x · Φ(x), row-major.
    /// - Throws: `typeMismatch` for other than float32.
    package static func forward(_ x: Tensor) throws -> Tensor {
        try x.requireType(.float32, "gelu")
        let source = try x.contiguous()
        let result = try Tensor(uninitialized: x.shape)
        withExtendedLifetime((source.storage, result.storage)) {
            let (from, to) = (source.base(Float.self), result.base(Float.self))
            parallelFor(x.elementCount, grain: Elementwise.grain) {
                for i in $0 { to[i] = from[i] * distribution(from[i]) }
            }
        }
        return result
    }

    /// dy · (Φ(x) + x φ(x)), with φ the density; row-major.
    /// - Throws: `shapeMismatch`; `typeMismatch` for other than float32.
    package static func gradient(_ x: Tensor, _ dy: Tensor) throws -> Tensor {
        for tensor in [x, dy] { try tensor.requireType(.float32, "gelu") }
        guard x.shape == dy.shape else {
            throw TensorFailure.shapeMismatch(operation: "gelu", detail: "the gradient is \(dy.shape), but the input \(x.shape)")
        }
        let (source, slope) = (try x.contiguous(), try dy.contiguous())
        let result = try Tensor(uninitialized: x.shape)
        withExtendedLifetime((source.storage, slope.storage, result.storage)) {
            let (from, by, to) = (source.base(Float.self), slope.base(Float.self), result.base(Float.self))
            parallelFor(x.elementCount, grain: Elementwise.grain) {
                for i in $0 {
                    let density = 0.398_942_28 * SmoothFunctions.exponential(-0.5 * from[i] * from[i])
                    to[i] = by[i] * (distribution(from[i]) + from[i] * density)
                }
            }
        }
        return result
    }

    @inline(__always)
    private static func distribution(_ x: Float) -> Float { 0.5 * (1 + SmoothFunctions.errorFunction(x * 0.707_106_78)) }
}
