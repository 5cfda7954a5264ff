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
}
