import COpenBLAS

extension Tensor {
    /// The inverse of an upper triangular matrix [n, n], whose other elements are 0; `nil` where it is singular.
    /// - Complexity: O(n³) / 3, by LAPACK's `strtri`.
    package func upperTriangularInverse() throws -> Tensor? {
        let inverse = try copy()
        var (order, info) = (try LAPACK.integer(shape[0], "triangular inverse"), Int32(0))
        // Column-major, a row-major upper triangle is a lower one.
        withExtendedLifetime(inverse.storage) { OpenBLAS.call { strtri_("L", "N", &order, inverse.base(), &order, &info) } }
        if info < 0 { try LAPACK.check(info, "triangular inverse", shape) }
        return info == 0 ? inverse : nil
    }
}
