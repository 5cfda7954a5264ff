import COneDNN

extension Tensor {
    /// The matrix product [m, k] · [k, n] → [m, n], by oneDNN's GEMM; transposed views cost nothing extra.
    /// - Throws: `shapeMismatch` naming the inner dimensions.
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
        Threads.prepareLibraries()
        let status = withExtendedLifetime((a.tensor.storage, b.tensor.storage, result.storage)) {
            cod_sgemm(
                a.transposed, b.transposed, Int64(shape[0]), Int64(other.shape[1]), Int64(shape[1]),
                a.tensor.base(), a.stride, b.tensor.base(), b.stride, 0, result.base(), Int64(other.shape[1]))
        }
        guard status == 0 else { throw TensorFailure.kernel(operation: "matmul", reason: "oneDNN's sgemm refused it") }
        return result
    }

    /// A matrix as GEMM reads it: rows `stride` apart, or the transpose of such.
    private func gemmOperand() throws -> (tensor: Tensor, transposed: CChar, stride: Int64) {
        if case .strided(let strides, _) = layout {
            if strides[1] == 1 || shape[1] == 1, strides[0] >= max(1, shape[1]) {
                return (self, CChar(UInt8(ascii: "N")), Int64(strides[0]))
            }
            if strides[0] == 1 || shape[0] == 1, strides[1] >= max(1, shape[0]) {
                return (self, CChar(UInt8(ascii: "T")), Int64(strides[1]))
            }
        }
        return (try copy(), CChar(UInt8(ascii: "N")), Int64(max(1, shape[1])))
    }
}
