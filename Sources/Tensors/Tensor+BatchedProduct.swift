import Basics

extension Tensor {
    /// Matrix products over leading dimensions, which broadcast: […, m, k] · […, k, n] → […, m, n]; transposed views
    /// cost nothing extra.
    /// - Throws: `shapeMismatch` naming what disagrees; `Interrupted`.
    /// - Complexity: O(b · m · n · k).
    public func batchedProduct(_ other: Tensor) throws -> Tensor {
        try requireType(.float32, "matmul")
        try other.requireType(.float32, "matmul")
        let output = try Self.productShape(shape, other.shape)
        let (m, n, k) = (output[output.rank - 2], output[output.rank - 1], shape[rank - 1])
        if k == 0 || output.elementCount == 0 { return try .zeros(output) }
        let result = try Tensor(uninitialized: output)
        let batch = Shape(Array(output.dims.dropLast(2)))
        let a = try matrices(), b = try other.matrices()
        let strides = [a.tensor.batchStrides(over: batch), b.tensor.batchStrides(over: batch)]
        var walker = StridedWalker(dims: batch.dims, strides: strides)
        var target = result.base(Float.self)
        try withExtendedLifetime((a.tensor.storage, b.tensor.storage, result.storage)) {
            let (left, right) = (a.tensor.base(Float.self), b.tensor.base(Float.self))
            repeat {
                try Cancellation.check()
                try MatrixPieces.multiply(
                    .init(left + walker.offsets[0], isTransposed: a.isTransposed, stride: a.stride),
                    .init(right + walker.offsets[1], isTransposed: b.isTransposed, stride: b.stride), into: target, rows: m,
                    columns: n, inner: k, operation: "matmul")
                target += m * n
            } while walker.advance()
        }
        return result
    }

    /// - Throws: `shapeMismatch` unless both are (stacks of) matrices that can be multiplied.
    package static func productShape(_ a: Shape, _ b: Shape) throws -> Shape {
        guard a.rank >= 2, b.rank >= 2 else {
            throw TensorFailure.shapeMismatch(operation: "matmul", detail: "needs matrices, but got \(a) and \(b)")
        }
        let (columns, rows) = (a[a.rank - 1], b[b.rank - 2])
        guard columns == rows else {
            throw TensorFailure.shapeMismatch(
                operation: "matmul", detail: "lhs \(a) and rhs \(b) disagree on the inner dimension (\(columns) ≠ \(rows))")
        }
        let batch = try Shape.broadcast(
            Shape(Array(a.dims.dropLast(2))), Shape(Array(b.dims.dropLast(2))), operation: "matmul")
        return Shape(batch.dims + [a[a.rank - 2], b[b.rank - 1]])
    }

    /// The last two dimensions as GEMM reads matrices: rows `stride` apart, or the transposes of such.
    func matrices() throws -> (tensor: Tensor, isTransposed: Bool, stride: Int) {
        let (rows, columns) = (shape[rank - 2], shape[rank - 1])
        if case .strided(let strides, _) = layout {
            let (down, across) = (strides[rank - 2], strides[rank - 1])
            if across == 1 || columns == 1, down >= max(1, columns) {
                return (self, false, down)
            }
            if down == 1 || rows == 1, across >= max(1, rows) { return (self, true, across) }
        }
        return (try copy(), false, max(1, columns))
    }

    /// Strides over leading dimensions that broadcast to `batch`.
    private func batchStrides(over batch: Shape) -> [Int] {
        guard case .strided(let strides, _) = layout else { return [] }
        let own = rank - 2
        return (0..<batch.rank).map { position in
            let d = position - batch.rank + own
            return d < 0 || shape[d] == 1 ? 0 : strides[d]
        }
    }
}
