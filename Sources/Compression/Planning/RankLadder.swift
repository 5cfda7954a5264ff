import Decomposition

/// The ranks one layer may get, from `low` up to `high`, with their costs: what allocation moves on.
struct RankLadder {
    let index: Int
    let low: [Int]
    let high: [Int]
    let align: Int
    private let layer: DecomposableLayer
    private let parameters: RankPolynomial
    private let macs: RankPolynomial

    /// `nil` with the reason where the chain would not win on every budgeted quantity.
    static func make(
        _ layer: DecomposableLayer, index: Int, quantities: [Budget.Quantity], minRank: Int, maxRank: Int?, align: Int
    ) -> (ladder: RankLadder?, reason: String) {
        guard let decomposition = layer.decomposition, let parameters = layer.parameterCost, let macs = layer.macCost else {
            return (nil, layer.denseReason ?? "stays dense")
        }
        let bounds = decomposition.maxRanks.map { min($0, maxRank ?? $0) }
        var high = bounds
        for quantity in quantities {
            let (cost, dense) = quantity == .parameters
                ? (parameters, layer.denseParameterCount) : (macs, layer.denseMacCount)
            guard let useful = cost.largestRanks(below: dense, bounds: bounds) else {
                return (nil, "a chain is never below the dense layer's \(quantity.rawValue)")
            }
            high = zip(high, useful).map { min($0, $1) }
        }
        let low = zip(high, bounds).map { min($0, max(1, min(minRank, $1))) }
        let ladder = RankLadder(
            index: index, low: low, high: high, align: max(1, align), layer: layer, parameters: parameters, macs: macs)
        return (ladder, "")
    }

    /// round(low + (high − low) · share), aligned up where there is room; share in [0, 1].
    func ranks(at share: Double) -> [Int] {
        let t = min(max(share, 0), 1)
        return normalized(zip(low, high).map { $0 + Int((Double($1 - $0) * t).rounded()) })
    }

    /// One step more at each bond that has room; `nil` at the top.
    func next(after ranks: [Int]) -> [Int]? {
        let raised = normalized(zip(ranks, high).map { min($0 + align, $1) })
        return raised == ranks ? nil : raised
    }

    /// Aligned up within the bounds, and lowered to what neighbouring ranks allow.
    private func normalized(_ ranks: [Int]) -> [Int] {
        var ranks = ranks
        if align > 1 { for k in ranks.indices { ranks[k] = min(high[k], (ranks[k] + align - 1) / align * align) } }
        if let allowed = try? layer.decomposition?.clamped(ranks).ranks { ranks = allowed }
        return ranks
    }

    /// What the model saves (positive) with these ranks against the dense layer.
    func cost(_ ranks: [Int], _ quantity: Budget.Quantity) -> Int {
        quantity == .parameters ? parameters(ranks) : macs(ranks)
    }

    func denseCost(_ quantity: Budget.Quantity) -> Int {
        quantity == .parameters ? layer.denseParameterCount : layer.denseMacCount
    }
}
