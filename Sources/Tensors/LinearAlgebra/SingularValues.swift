import COpenBLAS

/// A thin singular value decomposition A = U · diag(σ) · Vᵀ.
public struct SingularValueDecomposition: Sendable {
    /// [m, r] with orthonormal columns.
    public let u: Tensor
    /// r singular values, descending; those of float32 matrices may be beyond float32.
    public let values: [Double]
    /// [r, n] with orthonormal rows.
    public let vt: Tensor
}

extension Tensor {
    /// The thin SVD of a matrix [m, n], r = min(m, n), by LAPACK's divide and conquer (`sgesdd`).
    /// - Throws: `shapeMismatch` for anything but a matrix with elements, `invalidArgument` for values that are not finite,
    ///   `noConvergence`, `outOfMemory`.
    /// - Complexity: O(m · n · min(m, n)).
    public func singularValueDecomposition() throws -> SingularValueDecomposition {
        try requireRank(2, "svd")
        try requireFinite("svd")
        let (m, n) = (shape[0], shape[1])
        let r = min(m, n)
        guard r > 0 else {
            throw TensorFailure.shapeMismatch(operation: "svd", detail: "\(shape) has no elements")
        }
        // LAPACK is column-major: our row-major A is its Aᵀ = V Σ Uᵀ, so U and Vᵀ change places.
        let exponent = PowerOfTwo.exponent(energy: try energy())
        let work = exponent == 0 ? try copy() : try multiplied(byPowerOfTwo: -exponent)
        let u = try Tensor(uninitialized: [m, r])
        let vt = try Tensor(uninitialized: [r, n])
        let values = try Tensor(uninitialized: [r])
        var (rows, columns) = (try LAPACK.integer(n, "svd"), try LAPACK.integer(m, "svd"))
        var rank = min(rows, columns)
        try withExtendedLifetime((work.storage, u.storage, vt.storage, values.storage)) {
            try LAPACK.run("svd", shape, needs: .singularValues(r)) { (call: inout LAPACK.Call<Float>) in
                sgesdd_(
                    "S", &rows, &columns, work.base(), &rows, values.base(), vt.base(), &rows, u.base(), &rank, call.reals,
                    &call.realCount, call.integers, &call.info)
            }
        }
        let unit = PowerOfTwo.value(exponent)
        return SingularValueDecomposition(
            u: u, values: try values.array(of: Float.self).map { Double($0) * unit }, vt: vt)
    }

    /// - Throws: `invalidArgument` when an element is infinite or not a number.
    package func requireFinite(_ operation: String) throws {
        try requireType(.float32, operation)
        let finite = try withElements(of: Float.self) { $0.allSatisfy(\.isFinite) }
        guard finite else {
            throw TensorFailure.invalidArgument(operation: operation, detail: "\(shape) holds values that are not finite")
        }
    }
}
