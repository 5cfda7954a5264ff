import Tensors

/// The same tensor with orthonormal cores on one side of a chosen one, which then carries the whole norm.
extension TensorTrain {
    /// Every core before `position` has orthonormal columns as [r_{k−1}·n_k, r_k], every one after it orthonormal rows
    /// as [r_{k−1}, n_k·r_k]. Ranks above what the modes allow fall to that.
    /// - Parameter position: the core, from 0, that keeps the norm.
    /// - Throws: `invalidCore`.
    /// - Complexity: O(d · n · r³), by QR.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, algorithm 2.
    public func orthogonalized(at position: Int) throws -> TensorTrain {
        guard cores.indices.contains(position) else {
            throw DecompositionFailure.invalidCore(position: position, count: cores.count)
        }
        var cores = self.cores
        for k in 0..<position {
            let core = cores[k]
            let (q, r) = try core.reshaped([-1, core.shape[2]]).orthogonalFactors()
            cores[k] = try q.reshaped([core.shape[0], core.shape[1], r.shape[0]])
            let next = cores[k + 1]
            cores[k + 1] = try r.matrixProduct(next.reshaped([next.shape[0], -1]))
                .reshaped([r.shape[0], next.shape[1], next.shape[2]])
        }
        for k in stride(from: cores.count - 1, to: position, by: -1) {
            let core = cores[k]
            let (q, r) = try core.reshaped([core.shape[0], -1]).transposed().orthogonalFactors()
            let rank = r.shape[0]
            cores[k] = try q.transposed().reshaped([rank, core.shape[1], core.shape[2]])
            let before = cores[k - 1]
            cores[k - 1] = try before.reshaped([-1, before.shape[2]]).matrixProduct(r.transposed())
                .reshaped([before.shape[0], before.shape[1], rank])
        }
        return try TensorTrain(cores: cores)
    }

    /// ‖W‖, from the cores alone.
    public func norm() throws -> Double { try orthogonalized(at: 0).cores[0].norm() }
}
