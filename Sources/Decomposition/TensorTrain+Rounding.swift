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
        let orthogonal = try orthogonalized(at: 0)
        let first = orthogonal.cores[0]
        // With every later core orthonormal, the first one carries the norm of the whole.
        var sweep = TruncationSweep(truncation, energy: try first.energy(), bondCount: cores.count - 1, clamps: clamps)
        var current = first
        for k in 0..<(cores.count - 1) {
            let next = orthogonal.cores[k + 1]
            let rest = try sweep.cut(current.reshaped([-1, current.shape[2]]), mode: current.shape[1])
            current = try rest.matrixProduct(next.reshaped([next.shape[0], -1]))
                .reshaped([sweep.rank, next.shape[1], next.shape[2]])
        }
        return try sweep.finished(lastCore: current)
    }

    /// The singular values of every unfolding [n_1⋯n_k, n_{k+1}⋯n_d], from the cores alone.
    public func bondSpectra() throws -> [[Float]] { try rounded(ranks: ranks).bondSpectra.map(\.values) }
}
