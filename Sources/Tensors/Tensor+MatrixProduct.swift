extension Tensor {
    /// The matrix product [m, k] · [k, n] → [m, n], by oneDNN's GEMM; transposed views cost nothing extra.
    /// - Throws: `shapeMismatch` naming the inner dimensions; `Interrupted`.
    /// - Complexity: O(m · n · k).
    public func matrixProduct(_ other: Tensor) throws -> Tensor {
        try requireType(.float32, "matmul")
        try other.requireType(.float32, "matmul")
        guard rank == 2, other.rank == 2 else {
            throw TensorFailure.shapeMismatch(
                operation: "matmul", detail: "needs two matrices, but got \(shape) and \(other.shape)")
        }
        guard shape[1] == other.shape[0] else {
            throw TensorFailure.shapeMismatch(
                operation: "matmul",
                detail: "lhs \(shape) and rhs \(other.shape) disagree on the inner dimension (\(shape[1]) ≠ \(other.shape[0]))")
        }
        let result = try Tensor(uninitialized: [shape[0], other.shape[1]])
        if shape[1] == 0 || result.elementCount == 0 { return try .zeros(result.shape) }
        let a = try gemmOperand()
        let b = try other.gemmOperand()
        try withExtendedLifetime((a.storage, b.storage, result.storage)) {
            try MatrixPieces.multiply(
                a.operand, b.operand, into: result.base(), rows: shape[0], columns: other.shape[1], inner: shape[1],
                operation: "matmul")
        }
        return result
    }

    /// A matrix as GEMM reads it: rows `stride` apart, or the transpose of such.
    private func gemmOperand() throws -> (storage: Storage, operand: MatrixPieces.Operand) {
        let (plain, isTransposed, stride) = try matrices()
        return (plain.storage, .init(plain.base(), isTransposed: isTransposed, stride: stride))
    }
}
