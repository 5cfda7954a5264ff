import Tensors

extension TensorTrain {
    /// This train at lower ranks: QR from right to left, then every bond cut from left to right, in float64.
    ///
    /// - Parameter ranks: r_1 … r_{d−1}, each ≥ 1; those above this train's are lowered and reported as clamps.
    /// - Throws: `rankCount`, `rankNotPositive`, `notFinite`; `outOfRange` where no cores of float32 can carry the scale.
    /// - Complexity: O(d · n · r³) for modes n and ranks r: the full tensor is never formed.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, algorithm 2.
    public func rounded(ranks: [Int]) throws -> TruncatedTrain {
        let (allowed, _) = try RankClamp.apply(ranks, bounds: self.ranks, "rounding")
        try requireFinite("rounding")
        return try onFewThreads { try rounded(allowed, requested: ranks) }
    }

    private func rounded(_ allowed: [Int], requested: [Int]) throws -> TruncatedTrain {
        // In the opposite order, so that bonds are cut from left to right, as TT-SVD does.
        let train = try OrthonormalTrain(orthonormalizing: cores.reversed().map { try PreciseCore($0).mirrored() })
        let bounds = RankClamp.neighbourly(zip(allowed, train.ranks.reversed()).map { min($0, $1) }, modes: modes)
        let (lowered, clamps) = try RankClamp.apply(requested, bounds: bounds, "rounding")
        let cut = try train.cut(to: lowered.reversed())
        return try train.truncated(cut, isMirrored: true, clamps, spectra: cut.energies.reversed())
    }

    /// This train at the fewest parameters found whose error is at most ε times its norm.
    /// - Parameters: as in `decompose(_:relativeError:maxRank:)`.
    /// - Throws: `invalidError`, `rankNotPositive`, `notFinite`; `outOfRange` where no cores of float32 can carry the scale.
    public func rounded(relativeError: Double, maxRank: Int? = nil) throws -> TruncatedTrain {
        let truncation = try Truncation.error(relativeError, maxRank: maxRank, bondCount: ranks.count, "rounding")
        try requireFinite("rounding")
        return try onFewThreads { try rounded(truncation) }
    }

    private func rounded(_ truncation: Truncation) throws -> TruncatedTrain {
        let plain = try OrthonormalTrain(self)
        let whole = try plain.cut()
        // The same train in the bases of its bonds, which are square and so leave it orthonormal.
        let train = OrthonormalTrain(cores: try whole.cores(), exponent: plain.exponent)
        guard case .relativeError(let error, let mostRank) = truncation else { return try train.truncated(whole, isMirrored: false, []) }
        let budget = error * error * train.energy
        let share = budget / Double(max(1, ranks.count))
        let safe = whole.energies.map { SVDTruncation.energy(cutting: share, maxRank: mostRank).rank(energies: $0, unlisted: 0) }
        let upper = zip(safe, whole.energies).map {
            SVDTruncation.energy(cutting: share, maxRank: mostRank).spared($0, count: $1.count)
        }
        let found = try ErrorBudget(
            train, energies: whole.energies, safe: safe, upper: upper, budget: budget, work: 4 * train.cutWork
        ).spent()
        return try train.truncated(found.cut, isMirrored: found.isMirrored, [], spectra: whole.energies)
    }

    /// The singular values of every unfolding [n_1⋯n_k, n_{k+1}⋯n_d], from the cores alone, in float64.
    /// - Throws: `notFinite`.
    public func bondSpectra() throws -> [[Double]] {
        try requireFinite("spectra of a train")
        return try onFewThreads {
            let train = try OrthonormalTrain(self)
            return try train.cut().energies.map { values in
                values.map { PowerOfTwo.scaled(max(0, $0).squareRoot(), by: train.exponent) }
            }
        }
    }

    /// On the calling thread alone where cores are so small that waking the others takes longer than the work.
    func onFewThreads<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Threads.forWork(cores.reduce(0) { $0 + Double($1.elementCount) * Double($1.shape[0] + $1.shape[2]) }, body)
    }
}

extension OrthonormalTrain {
    /// A cut of this train, or of the one in the opposite order, as a train in float32.
    /// - Parameters:
    ///   - spectra: the energies σ² per bond to report; those that the cut met without.
    ///   - before: what was given up before this train, as energy, and as a norm what was lost in rounding.
    func truncated(
        _ cut: Cut, isMirrored: Bool, _ clamps: [RankClamp], spectra: [[Double]]? = nil, before: (cut: Double, rounding: Double) = (0, 0),
        whole: Double? = nil
    ) throws -> TruncatedTrain {
        let found = try Self.rounded(cut)
        let cores = try isMirrored ? found.cores.reversed().map { try $0.permuted([2, 1, 0]).contiguous() } : found.cores
        let norm = (whole ?? energy).squareRoot()
        let lost = (before.cut + cut.cutEnergy).squareRoot() + before.rounding + found.rounding
        let reported = spectra ?? cut.energies
        return TruncatedTrain(
            train: try .scaled(cores, byPowerOfTwo: exponent, "truncating a train"), clamps: clamps,
            bondSpectra: reported.map { energies in
                let values = energies.map { PowerOfTwo.scaled(max(0, $0).squareRoot(), by: exponent) }
                return SingularSpectrum(
                    values: values, unlistedEnergy: 0, resolution: 1e-7 * (values.first ?? 0), isComplete: true)
            },
            routes: reported.map { _ in .gramDouble }, relativeError: norm > 0 ? lost / norm : 0)
    }
}
