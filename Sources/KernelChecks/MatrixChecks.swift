import Tensors

/// Matrices are held against what defines their factors: the product gives the matrix back, and bases are orthonormal.
extension KernelCheck {
    private static let tolerance = 2e-5

    static func matrices() -> [KernelCheck] {
        let core = "OpenBLAS:" + NumericLibraries.openBLASCore
        func factors(_ name: String, _ error: @escaping () throws -> Double) -> KernelCheck {
            check(name, within: tolerance) { (try error(), core) }
        }
        return [
            check("matrix product", within: tolerance) { (try product(), "oneDNN:sgemm") },
            factors("singular values", singularValues), factors("QR", orthogonalFactors),
            factors("symmetric eigenvalues", eigenvalues), factors("linear system", linearSystem),
        ]
    }

    /// With every combination of transposed operands.
    private static func product() throws -> Double {
        let (m, k, n) = (67, 129, 45)
        let factor = 1 / Double(k).squareRoot()
        var worst = 0.0
        for (leftTurned, rightTurned) in [(false, false), (false, true), (true, false), (true, true)] {
            let left = try normal(leftTurned ? [k, m] : [m, k], seed: 1).multiplying(factor)
            let right = try normal(rightTurned ? [n, k] : [k, n], seed: 2)
            let (a, b) = (leftTurned ? try left.transposed() : left, rightTurned ? try right.transposed() : right)
            worst = max(worst, difference(try a.matrixProduct(b).floats(), naive(try a.doubles(), try b.doubles(), m, k, n)))
        }
        return worst
    }

    private static func singularValues() throws -> Double {
        let a = try matrix(83, 47)
        let found = try a.singularValueDecomposition()
        let scaled = try found.u.multiplying(Tensor(found.values.map(Float.init)))
        return try max(
            distance(scaled, found.vt, to: a), orthonormality(of: found.u), orthonormality(of: found.vt.transposed()))
    }

    private static func orthogonalFactors() throws -> Double {
        let a = try matrix(83, 47)
        let (q, r) = try a.orthogonalFactors()
        return try max(distance(q, r, to: a), orthonormality(of: q))
    }

    private static func eigenvalues() throws -> Double {
        let square = try matrix(61, 61)
        let a = try square.adding(square.transposed())
        let (values, vectors) = try a.symmetricEigen()
        let scaled = try vectors.multiplying(Tensor(values))
        return try max(distance(scaled, vectors.transposed(), to: a), orthonormality(of: vectors))
    }

    /// A x = b with a matrix that is far from singular.
    private static func linearSystem() throws -> Double {
        let a = try matrix(61, 61).adding(identity(61).multiplying(3))
        let b = try matrix(61, 9)
        return try distance(a, a.solving(b), to: b)
    }

    /// Normal, with a norm of about √columns.
    private static func matrix(_ rows: Int, _ columns: Int) throws -> Tensor {
        try normal([rows, columns], seed: UInt64(rows)).multiplying(1 / Double(rows).squareRoot())
    }

    private static func identity(_ count: Int) throws -> Tensor {
        try Tensor((0..<count * count).map { $0 % (count + 1) == 0 ? Float(1) : 0 }).reshaped([count, count])
    }

    /// Of the product a · b, in double precision, to c.
    private static func distance(_ a: Tensor, _ b: Tensor, to c: Tensor) throws -> Double {
        difference(try c.floats(), naive(try a.doubles(), try b.doubles(), a.shape[0], a.shape[1], b.shape[1]))
    }

    /// Of QᵀQ to the identity.
    private static func orthonormality(of q: Tensor) throws -> Double {
        try distance(q.transposed(), q, to: identity(q.shape[1]))
    }

    private static func naive(_ a: [Double], _ b: [Double], _ m: Int, _ k: Int, _ n: Int) -> [Double] {
        var c = [Double](repeating: 0, count: m * n)
        for i in 0..<m { for l in 0..<k { for j in 0..<n { c[i * n + j] += a[i * k + l] * b[l * n + j] } } }
        return c
    }
}
