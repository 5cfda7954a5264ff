import COpenBLAS

extension Tensor {
    /// X·Xᵀ [m, m] of a matrix X [m, n].
    /// - Complexity: O(m²·n), half of a product's.
    package func gram() throws -> Tensor {
        let source = try contiguous()
        let (order, length) = (shape[0], shape[1])
        // A short, very long matrix: each thread sums its own part, because BLAS divides the order alone.
        let parts = max(1, min(Threads.count, length / max(1, 4 * order)))
        let sums = try (0..<parts).map { _ in try Tensor(uninitialized: [order, order]) }
        let addresses = sums.map { $0.base(Float.self) }
        let from = source.base(Float.self)
        let (size, lineLength) = (try LAPACK.integer(order, "Gram matrix"), try LAPACK.integer(length, "Gram matrix"))
        withExtendedLifetime((source.storage, sums)) {
            OpenBLAS.call {
                parallelFor(parts, grain: 1) { range in
                    for part in range {
                        let start = length * part / parts
                        var (n, count, stride) = (size, Int32(length * (part + 1) / parts - start), lineLength)
                        var (one, zero) = (Float(1), Float(0))
                        // Row-major X is column-major Xᵀ.
                        OpenBLAS.call { ssyrk_("L", "T", &n, &count, &one, from + start, &stride, &zero, addresses[part], &n) }
                    }
                }
            }
            for other in addresses.dropFirst() { for i in 0..<order * order { addresses[0][i] += other[i] } }
            for i in 0..<order { for j in 0..<i { addresses[0][i * order + j] = addresses[0][j * order + i] } }
        }
        return sums[0]
    }
}
