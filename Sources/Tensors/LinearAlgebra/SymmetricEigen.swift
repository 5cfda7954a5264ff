import COpenBLAS

extension Tensor {
    /// The eigenvalues (ascending) and eigenvectors (columns of [n, n]) of a symmetric matrix.
    /// - Complexity: O(n³), by LAPACK's divide and conquer (`ssyevd`).
    public func symmetricEigen() throws -> (values: [Float], vectors: Tensor) {
        try requireRank(2, "eigen")
        try requireFinite("eigen")
        let n = shape[0]
        guard n > 0, shape[1] == n else {
            throw TensorFailure.shapeMismatch(operation: "eigen", detail: "needs a square matrix, but got \(shape)")
        }
        let work = try copy()
        var order = Int32(n), info: Int32 = 0, size: Int32 = -1, wholeSize: Int32 = -1
        var query: Float = 0
        var wholeQuery: Int32 = 0
        var values = [Float](repeating: 0, count: n)
        withExtendedLifetime(work.storage) {
            ssyevd_("V", "U", &order, work.base(), &order, &values, &query, &size, &wholeQuery, &wholeSize, &info)
            size = Int32(query)
            wholeSize = wholeQuery
            var scratch = [Float](repeating: 0, count: Int(size))
            var whole = [Int32](repeating: 0, count: Int(wholeSize))
            ssyevd_("V", "U", &order, work.base(), &order, &values, &scratch, &size, &whole, &wholeSize, &info)
        }
        guard info == 0 else {
            throw TensorFailure.noConvergence(operation: "eigen", detail: "LAPACK did not converge on \(shape) (info \(info))")
        }
        return (values, try work.transposed().copy())
    }
}
