import Decomposition

/// The ranks one layer may get, from `low` up to `high`, with their costs: what allocation moves on.
///
/// Planning asks for ranks thousands of times, so a ladder holds plain numbers and no tensors.
struct RankLadder {
    let low: [Int]
    let high: [Int]
    private let align: Int
    /// Neighbouring ranks allow r_k ≤ r_{k−1} · n_k and r_k ≤ n_{k+1} · r_{k+1}.
    private let modes: [Int]
    private let parameters: RankPolynomial
    private let macs: RankPolynomial

    /// `nil` with the reason where the chain would not win on every budgeted quantity.
    static func make(
        _ layer: DecomposableLayer, quantities: [Budget.Quantity], minRank: Int, maxRank: Int?, align: Int
    ) -> (ladder: RankLadder?, reason: String) {
        guard let decomposition = layer.decomposition, let parameters = layer.parameterCost, let macs = layer.macCost else {
            return (nil, layer.denseReason ?? "stays dense")
        }
        let bounds = decomposition.maxRanks.map { min($0, maxRank ?? $0) }
        var high = bounds
        for quantity in quantities {
            let cost = quantity == .parameters ? parameters : macs
            guard let useful = cost.largestRanks(below: layer.denseCost(quantity), bounds: bounds) else {
                return (nil, "a chain is never below the dense layer's \(quantity.rawValue)")
            }
            high = zip(high, useful).map { min($0, $1) }
        }
        let low = zip(high, bounds).map { min($0, max(1, min(minRank, $1))) }
        let ladder = RankLadder(
            low: low, high: high, align: max(1, align), modes: decomposition.modes, parameters: parameters, macs: macs)
        return (ladder, "")
    }

    /// round(low + (high − low) · share), aligned up where there is room; share in [0, 1].
    func setRanks(_ ranks: inout [Int], at share: Double) {
        let t = min(max(share, 0), 1)
        for k in low.indices { ranks[k] = low[k] + Int((Double(high[k] - low[k]) * t).rounded()) }
        normalize(&ranks)
    }

    /// One step more at each bond that has room; `nil` at the top.
    func next(after ranks: [Int]) -> [Int]? {
        var raised = ranks
        for k in ranks.indices { raised[k] = min(ranks[k] + align, high[k]) }
        normalize(&raised)
        return raised == ranks ? nil : raised
    }

    /// Aligned up within the bounds, and lowered to what neighbouring ranks allow.
    private func normalize(_ ranks: inout [Int]) {
        if align > 1 { for k in ranks.indices { ranks[k] = min(high[k], (ranks[k] + align - 1) / align * align) } }
        for k in 1..<max(1, ranks.count) { ranks[k] = min(ranks[k], ranks[k - 1] * modes[k]) }
        for k in stride(from: ranks.count - 2, through: 0, by: -1) { ranks[k] = min(ranks[k], ranks[k + 1] * modes[k + 1]) }
    }

    func cost(_ ranks: [Int], _ quantity: Budget.Quantity) -> Int {
        quantity == .parameters ? parameters(ranks) : macs(ranks)
    }

    /// How far up the ladder `ranks` are, for people.
    func reason(_ ranks: [Int]) -> String {
        if ranks == high { return "all the ranks that pay" }
        if ranks == low { return "the smallest ranks" }
        let span = zip(low, high).reduce(0) { $0 + $1.1 - $1.0 }
        let got = zip(low, ranks).reduce(0) { $0 + $1.1 - $1.0 }
        return "\(Int((100 * Double(got) / Double(max(1, span))).rounded())) % of the ranks that pay"
    }
}
