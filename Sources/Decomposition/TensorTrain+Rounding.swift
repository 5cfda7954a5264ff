import Tensors

extension TensorTrain {
    /// This train at lower ranks: QR from right to left, then a sweep of truncated SVDs from left to right.
    ///
    /// - Parameter ranks: r_1 … r_{d−1}, each ≥ 1; those above this train's are lowered and reported as clamps.
    /// - Complexity: O(d · n · r³) for modes n and ranks r: the full tensor is never formed.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, algorithm 2.
    public func rounded(ranks: [Int]) throws -> TruncatedTrain {
        let (allowed, clamps) = try RankClamp.apply(ranks, bounds: self.ranks, "rounding")
        return try rounded(.ranks(allowed), clamps)
    }

    /// This train at the smallest ranks whose error is at most ε times its norm.
    /// - Parameters: as in `decompose(_:relativeError:maxRank:)`.
    public func rounded(relativeError: Double, maxRank: Int? = nil) throws -> TruncatedTrain {
        try rounded(Truncation.error(relativeError, maxRank: maxRank, "rounding"), [])
    }

    private func rounded(_ truncation: Truncation, _ clamps: [RankClamp]) throws -> TruncatedTrain {
        for core in cores { try Self.requireDecomposable(core, "rounding") }
        let orthogonal = try rightOrthogonalized()
        let first = orthogonal.cores[0]
        // With every later core orthonormal, the first one carries the norm of the whole.
        var sweep = TruncationSweep(truncation, norm: try first.norm(), bondCount: cores.count - 1, clamps: clamps)
        var current = first
        for k in 0..<(cores.count - 1) {
            let next = orthogonal.cores[k + 1]
            let rest = try sweep.cut(current.reshaped([-1, current.shape[2]]), mode: current.shape[1])
            current = try rest.matrixProduct(next.reshaped([next.shape[0], -1]))
                .reshaped([sweep.rank, next.shape[1], next.shape[2]])
        }
        return try sweep.finished(lastCore: current)
    }

    /// The same tensor with every core but the first having orthonormal rows as [r_{k−1}, n_k·r_k].
    package func rightOrthogonalized() throws -> TensorTrain {
        var cores = self.cores
        for k in stride(from: cores.count - 1, to: 0, by: -1) {
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
    public func norm() throws -> Double { try rightOrthogonalized().cores[0].norm() }

    /// The singular values of every unfolding [n_1⋯n_k, n_{k+1}⋯n_d], from the cores alone.
    public func bondSpectra() throws -> [[Float]] { try rounded(ranks: ranks).bondSpectra }
}
