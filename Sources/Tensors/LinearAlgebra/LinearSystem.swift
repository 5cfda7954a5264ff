import COpenBLAS

extension Tensor {
    /// The solution X of A · X = B for this square matrix A, in double precision inside.
    ///
    /// - Shape: A [n, n]; B [n] or [n, k], and X like B.
    /// - Throws: `shapeMismatch` for shapes that do not fit, `invalidArgument` for values that are not finite and for a
    ///   matrix that is singular to working precision.
    /// - Complexity: O(n² · (n + k)), by LU factors with partial pivoting (LAPACK `dgesv`).
    public func solving(_ right: Tensor) throws -> Tensor {
        try requireRank(2, "solve")
        let n = shape[0]
        guard n > 0, shape[1] == n else {
            throw TensorFailure.shapeMismatch(operation: "solve", detail: "needs a square matrix, but got \(shape)")
        }
        guard (1...2).contains(right.rank), right.shape[0] == n, right.elementCount > 0 else {
            throw TensorFailure.shapeMismatch(
                operation: "solve", detail: "a matrix \(shape) needs a right side [\(n)] or [\(n), k], but got \(right.shape)")
        }
        try requireFinite("solve")
        try right.requireFinite("solve")
        // LAPACK is column-major: both sides go in transposed, and X comes out so.
        let columns = right.rank == 2 ? try right.transposed() : right
        let matrix = try PreciseMatrix(transposed(), rows: n, columns: n)
        let sides = try PreciseMatrix(columns, rows: right.elementCount / n, columns: n)
        var (order, count, info) = (try LAPACK.integer(n, "solve"), try LAPACK.integer(sides.rows, "solve"), Int32(0))
        let pivots = try Storage(byteCount: 4 * n)
        let scales = (0..<n).map { column in (0..<n).reduce(0) { max($0, abs(matrix.base[column * n + $1])) } }
        withExtendedLifetime((matrix, sides, pivots)) {
            OpenBLAS.call {
                dgesv_(
                    &order, &count, matrix.base, &order, pivots.pointer.assumingMemoryBound(to: Int32.self), sides.base, &order, &info)
            }
        }
        if info < 0 { try LAPACK.check(info, "solve", shape) }
        // Where columns depend on each other, a pivot is seldom an exact zero, but nothing but rounding beside its column.
        let hasPivots = (0..<n).allSatisfy { abs(matrix.base[$0 * n + $0]) > scales[$0] * Double(n) * Double.ulpOfOne }
        guard info == 0, hasPivots else {
            throw TensorFailure.invalidArgument(operation: "solve", detail: "the matrix \(shape) is singular")
        }
        let solution = try sides.narrowed(columns.shape).tensor
        return right.rank == 2 ? try solution.transposed().copy() : solution
    }
}
