public import Tensors

/// Ranks by how many parameters they leave.
extension TensorTrain {
    /// TT-SVD to a share of the tensor's elements: the ranks whose parameters are at most `share` of them, with the same
    /// error cut at every bond.
    ///
    /// The train is made once at full rank; lower ranks are a rounding of it.
    /// - Parameter share: parameters of the train per element of the tensor, 0 < share ≤ 1.
    /// - Throws: `invalidShare` where even ranks of 1 need more.
    /// - Complexity: TT-SVD at full rank, which is costlier than at low ranks, and a rounding.
    public static func decompose(_ tensor: Tensor, keeping share: Double) throws -> TruncatedTrain {
        let full = try decompose(tensor, ranks: maxRanks(modes: tensor.shape.dims)).train
        return try full.rounded(keeping: share, of: Double(tensor.elementCount), "tensor train")
    }

    /// This train with at most `share` of its own parameters.
    /// - Throws: `invalidShare`.
    public func rounded(keeping share: Double) throws -> TruncatedTrain {
        try rounded(keeping: share, of: Double(parameterCount), "rounding")
    }

    private func rounded(keeping share: Double, of whole: Double, _ operation: String) throws -> TruncatedTrain {
        let least = Double(modes.reduce(0, +))
        guard share <= 1, share * whole >= least else {
            throw DecompositionFailure.invalidShare(operation: operation, got: share, least: least / whole)
        }
        return try rounded(ranks: Self.ranks(modes: modes, spectra: bondSpectra(), below: share * whole))
    }

    /// The ranks of the smallest common cut whose train has at most `limit` parameters.
    static func ranks(modes: [Int], spectra: [[Double]], below limit: Double) -> [Int] {
        // Sorted so that each further step raises one rank by one: the energy that its next value would save.
        // Of one and the same tensor, so that their shares of its energy compare.
        let tails = spectra.map { SpectrumTails.shares($0) }
        let steps = tails.enumerated().flatMap { bond, tail in tail.indices.dropFirst().dropLast().map { (bond: bond, energy: tail[$0]) } }
            .sorted { $0.energy > $1.energy }
        func ranks(_ count: Int) -> [Int] {
            var ranks = [Int](repeating: 1, count: spectra.count)
            for step in steps[..<count] { ranks[step.bond] += 1 }
            return ranks
        }
        var (low, high) = (0, steps.count + 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if parameterCount(modes: modes, ranks: ranks(middle)) <= limit { low = middle } else { high = middle }
        }
        return ranks(low)
    }

    /// Σ r_{k−1} n_k r_k, as a number that cannot overflow.
    static func parameterCount(modes: [Int], ranks: [Int]) -> Double {
        let ends = [1] + ranks + [1]
        return modes.indices.reduce(0) { $0 + Double(ends[$1]) * Double(modes[$1]) * Double(ends[$1 + 1]) }
    }
}
