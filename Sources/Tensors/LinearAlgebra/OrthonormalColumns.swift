import COpenBLAS

extension Tensor {
    /// Q [m, r] with orthonormal columns and R [r, r] with Q·R = self, for a matrix [m, r] with m ≥ r.
    ///
    /// Where the columns are nearly orthogonal already, as a matrix times its singular vectors is, Cholesky's factor of
    /// the small Gram matrix gives them at the cost of two matrix products; otherwise Householder reflections do.
    /// - Reference: A. Stathopoulos, K. Wu, *A Block Orthogonalization Procedure with Constant Synchronization
    ///   Requirements*, SIAM J. Sci. Comput. 23(6), 2002, doi:10.1137/S1064827500370883.
    func orthonormalColumns() throws -> (q: Tensor, r: Tensor) {
        try choleskyFactors() ?? orthogonalFactors()
    }

    /// `nil` where the columns, scaled to length 1, are too far from orthogonal for float32.
    private func choleskyFactors() throws -> (q: Tensor, r: Tensor)? {
        let (m, r) = (shape[0], shape[1])
        let columns = try contiguous()
        let factor = try Tensor(uninitialized: [r, r])
        // Column-major, a row-major matrix is its transpose, and so the lower triangle of the Gram matrix our R.
        var (order, length) = (try LAPACK.integer(r, "qr"), try LAPACK.integer(m, "qr"))
        var (one, zero) = (Float(1), Float(0))
        let isFactored = withExtendedLifetime((columns.storage, factor.storage)) {
            OpenBLAS.call { ssyrk_("L", "N", &order, &length, &one, columns.base(), &order, &zero, factor.base(), &order) }
            guard Self.isNearlyOrthogonal(factor.base(), r) else { return false }
            return TriangularFactors.factor(factor.base(Float.self), r)
        }
        guard isFactored else { return nil }
        // The columns are close to orthogonal, so R is close to diagonal and safe to invert.
        let inverse = try Tensor(uninitialized: [r, r])
        withExtendedLifetime((factor.storage, inverse.storage)) {
            TriangularFactors.invert(factor.base(Float.self), into: inverse.base(Float.self), r)
        }
        return (try columns.matrixProduct(inverse), factor)
    }

    /// Whether ‖D^{−½}·G·D^{−½} − I‖ < ½ for the lower triangle (column-major) of a Gram matrix G with diagonal D.
    private static func isNearlyOrthogonal(_ gram: UnsafePointer<Float>, _ order: Int) -> Bool {
        var deviation: Float = 0
        for column in 0..<order {
            let diagonal = gram[column * order + column]
            // Also refuses not-a-numbers, and squares near the ends of float32's range.
            guard diagonal > 1e-30, diagonal < 1e30 else { return false }
            for row in (column + 1)..<max(column + 1, order) {
                let product = gram[column * order + row] / diagonal
                deviation += product * gram[column * order + row] / gram[row * order + row]
            }
        }
        return 2 * deviation < 0.25
    }
}
