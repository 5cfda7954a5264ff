import COpenBLAS

extension Tensor {
    /// The thin QR factors of a matrix [m, n]: Q [m, r] with orthonormal columns, R [r, n], r = min(m, n).
    ///
    /// - Complexity: O(m · n · min(m, n)), by Householder reflections (LAPACK `sgeqrf`, `sorgqr`).
    public func orthogonalFactors() throws -> (q: Tensor, r: Tensor) {
        try requireRank(2, "qr")
        try requireFinite("qr")
        let (m, n) = (shape[0], shape[1])
        let k = min(m, n)
        guard k > 0 else { throw TensorFailure.shapeMismatch(operation: "qr", detail: "\(shape) has no elements") }
        let work = try transposed().copy()  // column-major A
        var rows = Int32(m), columns = Int32(n), rank = Int32(k), info: Int32 = 0, size: Int32 = -1
        var query: Float = 0
        var tau = [Float](repeating: 0, count: k)
        let r = try Tensor.zeros([k, n])
        withExtendedLifetime((work.storage, r.storage)) {
            sgeqrf_(&rows, &columns, work.base(), &rows, &tau, &query, &size, &info)
            size = Int32(query)
            var scratch = [Float](repeating: 0, count: Int(size))
            sgeqrf_(&rows, &columns, work.base(), &rows, &tau, &scratch, &size, &info)
            let (a, upper) = (work.base(Float.self), r.base(Float.self))
            for i in 0..<k { for j in i..<n { upper[i * n + j] = a[j * m + i] } }
            size = -1
            sorgqr_(&rows, &rank, &rank, work.base(), &rows, &tau, &query, &size, &info)
            size = Int32(query)
            scratch = [Float](repeating: 0, count: Int(size))
            sorgqr_(&rows, &rank, &rank, work.base(), &rows, &tau, &scratch, &size, &info)
        }
        guard info == 0 else {
            throw TensorFailure.noConvergence(operation: "qr", detail: "LAPACK refused \(shape) (info \(info))")
        }
        let q = try work.sliced(dim: 0, from: 0, to: k).transposed().copy()
        return (q, r)
    }

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
