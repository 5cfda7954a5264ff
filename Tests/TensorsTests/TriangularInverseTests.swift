import Tensors
import Testing

@MainActor @Suite struct TriangularInverseTests {
    /// OpenBLAS's kernels for old processors, which it takes for new ones it does not know, crash at many of these orders.
    @Test func everyOrderHasAnInverseOnOneThread() throws {
        try Threads.withOneThread {
            for order in [1, 2, 7, 64, 131, 132, 133, 134, 135, 137, 200, 257, 330] {
                let upper = try Tensor(
                    (0..<order * order).map { place -> Float in
                        let (row, column) = (place / order, place % order)
                        return row == column ? 2 : row < column ? 1 / Float(order) : 0
                    }
                ).reshaped([order, order])
                let inverse = try #require(try upper.upperTriangularInverse())
                let identity = try upper.matrixProduct(inverse).array(of: Float.self)
                let error = identity.enumerated().map { abs($1 - ($0 % (order + 1) == 0 ? 1 : 0)) }.max() ?? .infinity
                #expect(error < 1e-5, "order \(order)")
            }
        }
    }
}
