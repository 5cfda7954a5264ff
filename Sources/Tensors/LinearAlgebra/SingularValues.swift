import COpenBLAS

/// A thin singular value decomposition A = U · diag(σ) · Vᵀ.
public struct SingularValueDecomposition: Sendable {
    /// [m, r] with orthonormal columns.
    public let u: Tensor
    /// r singular values, descending.
    public let values: [Float]
    /// [r, n] with orthonormal rows.
    public let vt: Tensor
}

extension Tensor {
    /// The thin SVD of a matrix [m, n], r = min(m, n), by LAPACK's divide and conquer (`sgesdd`).
    /// - Throws: `noConvergence` when it does not converge or the matrix holds values that are not finite.
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
        let work = try copy()
        let u = try Tensor(uninitialized: [m, r])
        let vt = try Tensor(uninitialized: [r, n])
        var values = [Float](repeating: 0, count: r)
        var rows = Int32(n), columns = Int32(m), rank = Int32(r), info: Int32 = 0
        var size: Int32 = -1
        var query: Float = 0
        var whole = [Int32](repeating: 0, count: 8 * r)
        withExtendedLifetime((work.storage, u.storage, vt.storage)) {
            sgesdd_("S", &rows, &columns, work.base(), &rows, &values, vt.base(), &rows, u.base(), &rank, &query, &size, &whole, &info)
            size = Int32(query)
            var scratch = [Float](repeating: 0, count: Int(size))
            sgesdd_("S", &rows, &columns, work.base(), &rows, &values, vt.base(), &rows, u.base(), &rank, &scratch, &size, &whole, &info)
        }
        guard info == 0 else {
            throw TensorFailure.noConvergence(operation: "svd", detail: "LAPACK did not converge on \(shape) (info \(info))")
        }
        return SingularValueDecomposition(u: u, values: values, vt: vt)
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
