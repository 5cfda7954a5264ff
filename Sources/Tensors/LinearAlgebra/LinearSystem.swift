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
        var matrix = try transposed().array(of: Float.self).map(Double.init)
        let columns = right.rank == 2 ? try right.transposed() : right
        var sides = try columns.array(of: Float.self).map(Double.init)
        var order = Int32(n), count = Int32(sides.count / n), info: Int32 = 0
        var pivots = [Int32](repeating: 0, count: n)
        let scales = (0..<n).map { column in matrix[column * n..<(column + 1) * n].reduce(0) { max($0, abs($1)) } }
        dgesv_(&order, &count, &matrix, &order, &pivots, &sides, &order, &info)
        // Where columns depend on each other, a pivot is seldom an exact zero, but nothing but rounding beside its column.
        let hasPivots = (0..<n).allSatisfy { abs(matrix[$0 * n + $0]) > scales[$0] * Double(n) * Double.ulpOfOne }
        guard info == 0, hasPivots else {
            throw TensorFailure.invalidArgument(operation: "solve", detail: "the matrix \(shape) is singular")
        }
        let solution = try Tensor(sides.map(Float.init), shape: columns.shape)
        return right.rank == 2 ? try solution.transposed().copy() : solution
    }
}
