import Tensors

/// An error spent wholly: the ranks with the fewest parameters that stay within it, as far as a search finds them.
struct ErrorBudget {
    /// The energy that may be lost.
    private let budget: Double
    /// A rank per bond that surely stays within it.
    private let safe: [Int]
    private let train: OrthonormalTrain
    private let energies: [[Double]]
    private let upper: [Int]
    private let isReversible: Bool
    private let search: RankSearch?
    /// How often ranks are tried out, which takes as long as a cut.
    private let trials: Int

    private static let mostTrials = 48.0
    /// Multiply-adds so few that nobody waits for them.
    private static let littleWork = 2e6

    /// - Parameters:
    ///   - train: in the bases of its bonds, whose energies σ² are `energies`.
    ///   - safe, upper: the ranks at an equal cut of every bond, and the highest ones to try.
    ///   - budget: ‖W − Ŵ‖² at most, without the train's power of two.
    ///   - work: multiply-adds that the search may take.
    ///   - isReversible: whether cuts of the train in the opposite order count as well.
    init(
        _ train: OrthonormalTrain, energies: [[Double]], safe: [Int], upper: [Int], budget: Double, work: Double,
        isReversible: Bool = true
    ) {
        self.isReversible = isReversible
        (self.train, self.energies, self.safe, self.upper, self.budget) = (train, energies, safe, upper, budget)
        search = RankSearch(cores: train.cores, energies: energies, upper: upper, modes: train.modes, budget: budget)
        trials = Int(min(max(work, Self.littleWork) / train.cutWork, Self.mostTrials))
    }

    /// The cut with the fewest parameters that was found, and whether it is of the train in the opposite order.
    func spent() throws -> (cut: OrthonormalTrain.Cut, isMirrored: Bool) {
        if train.modes.count == 3, let found = try sliced() { return found }
        guard let search else { return (try cut(train, safe), false) }
        var open = max(trials, 3)
        let enough = TensorTrain.parameterCount(modes: train.modes, ranks: safe)
        // Each bond is cut given those cut before, so that the two orders err differently: a short train is tried in both.
        var mirrored: OrthonormalTrain?
        // What trials found, of what had been predicted.
        var ratio = 1 / RankSearch.slack
        for candidate in search.candidates(budget: budget) where candidate.parameterCount <= enough {
            guard open > 0, candidate.predicted * ratio <= budget * (open == 1 ? 0.98 : 1) else { continue }
            open -= 1
            let found = try cut(train, candidate.ranks)
            if found.cutEnergy <= budget { return (found, false) }
            // A short train is tried whatever was found before: there the two orders differ most.
            guard isShort, isReversible else {
                ratio = max(ratio, 0.97 * found.cutEnergy / candidate.predicted)
                continue
            }
            let other = try mirrored ?? train.mirrored()
            mirrored = other
            let turned = try cut(other, candidate.ranks.reversed())
            if turned.cutEnergy <= budget { return (turned, true) }
        }
        return (try cut(train, safe), false)
    }

    /// The best corner of a train with two bonds, or what a few cuts of fewer parameters give, as far as there is time for them;
    /// `nil` where highest ranks keep every corner above the budget.
    private func sliced() throws -> (cut: OrthonormalTrain.Cut, isMirrored: Bool)? {
        let corners = CornerEnergies(train.cores[1], weights: energies[1].map { max(0, $0) })
        let outer = (train.modes[0], train.modes[2])
        guard let found = corners.ranks(losing: budget, upper: upper, outer: outer) else { return nil }
        var (best, open): ((cut: OrthonormalTrain.Cut, isMirrored: Bool)?, Int) = (nil, trials)
        var count = Int(TensorTrain.parameterCount(modes: train.modes, ranks: found.ranks))
        let mirrored = isReversible && open > 1 ? try train.mirrored() : nil
        for other in corners.ranks(below: count, losing: Self.cornerSlack * budget, upper: upper, outer: outer) where other.count < count {
            guard open > 0 else { break }
            var tried = (cut: try cut(train, other.ranks), isMirrored: false)
            if tried.cut.cutEnergy > budget, let mirrored { tried = (try cut(mirrored, other.ranks.reversed()), true) }
            open -= tried.isMirrored ? 2 : 1
            if tried.cut.cutEnergy <= budget { (best, count) = (tried, other.count) }
        }
        if let best { return best }
        return (try train.sliced(to: found.ranks, energies: energies, cutEnergy: found.lost), false)
    }

    /// How far above the budget a corner may be whose ranks are tried.
    private static let cornerSlack = 1.4

    /// Whether trying out costs next to nothing.
    private var isShort: Bool { Double(trials) >= Self.mostTrials / 4 }

    private func cut(_ train: OrthonormalTrain, _ ranks: [Int]) throws -> OrthonormalTrain.Cut {
        try train.cut(to: ranks, tolerance: isShort ? 0 : 1e-4 * budget)
    }
}
