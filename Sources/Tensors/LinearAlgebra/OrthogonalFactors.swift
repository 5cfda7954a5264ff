import COpenBLAS

extension Tensor {
    /// The thin QR factors of a matrix [m, n]: Q [m, r] with orthonormal columns, R [r, n], r = min(m, n).
    ///
    /// - Throws: `shapeMismatch` for anything but a matrix with elements, `invalidArgument` for values that are not finite and
    ///   for factors beyond float32, `outOfMemory`.
    /// - Complexity: O(m · n · min(m, n)), by Householder reflections (LAPACK `sgeqrf`, `sorgqr`).
    public func orthogonalFactors() throws -> (q: Tensor, r: Tensor) {
        try requireRank(2, "qr")
        try requireFinite("qr")
        let (m, n) = (shape[0], shape[1])
        let k = min(m, n)
        guard k > 0 else { throw TensorFailure.shapeMismatch(operation: "qr", detail: "\(shape) has no elements") }
        let exponent = PowerOfTwo.exponent(energy: try energy())
        // Column-major A.
        let work = try exponent == 0 ? transposed().copy() : transposed().multiplied(byPowerOfTwo: -exponent)
        var (rows, columns) = (try LAPACK.integer(m, "qr"), try LAPACK.integer(n, "qr"))
        var rank = min(rows, columns)
        let tau = try Tensor(uninitialized: [k])
        let r = try Tensor.zeros([k, n])
        try withExtendedLifetime((work.storage, tau.storage, r.storage)) {
            try LAPACK.run("qr", shape, needs: LAPACK.Need(reals: n)) { (call: inout LAPACK.Call<Float>) in
                sgeqrf_(&rows, &columns, work.base(), &rows, tau.base(), call.reals, &call.realCount, &call.info)
            }
            let (a, upper) = (work.base(Float.self), r.base(Float.self))
            for i in 0..<k { for j in i..<n { upper[i * n + j] = a[j * m + i] } }
            try LAPACK.run("qr", shape, needs: LAPACK.Need(reals: k)) { (call: inout LAPACK.Call<Float>) in
                sorgqr_(&rows, &rank, &rank, work.base(), &rows, tau.base(), call.reals, &call.realCount, &call.info)
            }
        }
        let q = try work.sliced(dim: 0, from: 0, to: k).transposed().copy()
        guard exponent != 0 else { return (q, r) }
        let scaled = try r.multiplied(byPowerOfTwo: exponent)
        guard try scaled.energy().isFinite else {
            throw TensorFailure.invalidArgument(
                operation: "qr", detail: "the factor R of \(shape) holds values beyond float32; scale the matrix down")
        }
        return (q, scaled)
    }
}
