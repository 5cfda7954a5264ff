import Decomposition

/// The ranks of one layer as a function of one global factor, from `low` at 0 to `high` at 1.
///
/// It is a class, because planning goes over the ranks of all layers dozens of times, and copying its arrays would take longer
/// than the work itself.
final class ScaledRanks {
    /// How a factor in [0, 1] is mapped to ranks.
    enum Path {
        /// low + (high − low) · factor.
        case proportional
        /// The smallest ranks whose bonds keep the share `factor` of their energy: per bond what rank 0, 1, … keeps.
        case energy([[Double]])
        /// These numbers times the factor.
        case scaled([Double])
    }

    let low: [Int]
    let high: [Int]
    let chainIndex: Int
    private let chain: LayerChain
    private let align: Int
    private let path: Path

    private init(low: [Int], high: [Int], chainIndex: Int, chain: LayerChain, align: Int, path: Path) {
        self.low = low
        self.high = high
        self.chainIndex = chainIndex
        self.chain = chain
        self.align = align
        self.path = path
    }

    /// `nil` with the reason where the chain would not win on every budgeted sum.
    static func make(
        _ layer: DecomposableLayer, chain index: Int, limits: [Budget.Limit], _ planner: Planner, path: Path
    ) -> (scaled: ScaledRanks?, reason: String) {
        let quantities = limits.map(\.quantity).filter(\.isSum)
        let chain = layer.chains[index]
        let rules = planner.bounds(of: layer.name)
        let (low, bounds) = (rules.smallest(chain.maxRanks), rules.largest(chain.maxRanks))
        var high = bounds
        for quantity in quantities {
            let dense = layer.denseCost(quantity)
            guard chain.cost(low, quantity) < dense, let useful = ProportionalRanks.largest(bounds, where: { chain.cost($0, quantity) < dense })
            else { return (nil, rules.denseReason([quantity])) }
            high = zip(high, useful).map { min($0, $1) }
        }
        // In proportion one bond may come out below its least rank; raised to that, the chain may no longer pay.
        high = zip(low, high).map { max($0, $1) }
        if quantities.contains(where: { chain.cost(high, $0) >= layer.denseCost($0) }) { high = low }
        for limit in limits where !limit.quantity.isSum {
            let allowed = ProportionalRanks.largest(high, where: { chain.cost($0, limit.quantity) <= limit.value }) ?? low
            high = zip(low, allowed).map { max($0, $1) }
            // Where neither fits, the lesser of the two shows how far the limit is out of reach.
            let (dense, least) = (layer.denseCost(limit.quantity), chain.cost(low, limit.quantity))
            if least > limit.value, dense <= least { return (nil, rules.denseReason([limit.quantity])) }
        }
        let scaled = ScaledRanks(
            low: low, high: high, chainIndex: index, chain: chain, align: max(1, planner.align), path: path)
        return (scaled, "")
    }

    /// The ranks at a factor in [0, 1], aligned up where there is room.
    func setRanks(_ ranks: inout [Int], at factor: Double) {
        let t = min(max(factor, 0), 1)
        for k in low.indices {
            switch path {
            case .proportional: ranks[k] = low[k] + Int((Double(high[k] - low[k]) * t).rounded())
            case .energy(let kept): ranks[k] = Self.firstIndex(in: kept[k], atLeast: t)
            case .scaled(let base): ranks[k] = Int(min(base[k] * t, 1e9).rounded())
            }
            ranks[k] = min(max(ranks[k], low[k]), high[k])
        }
        normalize(&ranks)
    }

    /// Bisection in an ascending list.
    private static func firstIndex(in values: [Double], atLeast wanted: Double) -> Int {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low
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
        ranks = chain.factorization.lowered(ranks)
    }

    func cost(_ ranks: [Int], _ quantity: Budget.Quantity) -> Int { chain.cost(ranks, quantity) }

    /// How far `ranks` are from `low` to `high`, for people.
    func reason(_ ranks: [Int]) -> String {
        if ranks == high { return "all the ranks that pay" }
        if ranks == low { return "the smallest ranks" }
        let span = zip(low, high).reduce(0) { $0 + $1.1 - $1.0 }
        let got = zip(low, ranks).reduce(0) { $0 + $1.1 - $1.0 }
        return "\(Int((100 * Double(got) / Double(max(1, span))).rounded())) % of the ranks that pay"
    }
}
