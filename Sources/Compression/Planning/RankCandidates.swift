import Decomposition
import Tensors

/// The loss of a layer as a function of ‖W − Ŵ‖² / ‖W‖², monotonically non-decreasing.
typealias LossTransform = @Sendable (Double) -> Double

/// The error that the loss of a candidate is computed from.
enum OptionLoss: Hashable, Sendable {
    /// ‖W − Ŵ‖² / ‖W‖².
    case energy
    /// The largest σ_{r+1} / σ_1 of its bonds.
    case spectralNorm

    func callAsFunction(_ factorization: any Factorization, _ ranks: [Int]) -> Double {
        switch self {
        case .energy: factorization.relativeSquaredError(ranks: ranks)
        case .spectralNorm: factorization.largestCut(ranks: ranks)
        }
    }
}

/// The candidate ranks of one layer. A candidate that another beats in loss and in every limited cost is left out.
///
/// With several limits the candidates between the extremes stay, because one of them may be the only one that meets all
/// limits. They are stored in columns, ordered by their cost under the first limit. The last one is the dense layer, where that
/// is allowed.
package struct RankCandidates: Sendable {
    /// Everything besides the model that the candidates depend on.
    struct Request: Hashable {
        let loss: OptionLoss
        /// The limited quantities whose cost is the sum over the layers.
        let quantities: [Budget.Quantity]
        /// Limits on quantities whose cost is the maximum over the layers; each layer must meet them by itself.
        let peaks: [Peak]
        /// One per layer.
        let bounds: [RankBounds]
        let align: Int

        struct Peak: Hashable {
            let quantity: Budget.Quantity
            let value: Int
        }

        init(_ loss: OptionLoss, _ limits: [Budget.Limit], _ planner: Planner, _ layers: [DecomposableLayer]) {
            self.loss = loss
            quantities = limits.map(\.quantity).filter(\.isSum)
            peaks = limits.filter { !$0.quantity.isSum }.map { Peak(quantity: $0.quantity, value: $0.value) }
            bounds = layers.map { planner.bounds(of: $0.name) }
            align = max(1, planner.align)
        }
    }

    /// Ranks of a bond that are tried where it could have more; the ends are among them.
    private static let triedRanks = 64

    private(set) var chains: [Int] = []
    private(set) var ranks: [[Int]] = []
    /// By `OptionLoss`.
    private(set) var errors: [Double] = []
    /// What the policy makes of the errors: the same, unless they were judged.
    package private(set) var losses: [Double] = []
    /// Per limited quantity, one cost per option.
    private(set) var costs: [[Int]]
    /// Whether the last option is the dense layer.
    let hasDense: Bool
    /// Whether any chain is among the options.
    var hasChains: Bool { chains.count > (hasDense ? 1 : 0) }
    package var count: Int { chains.count }

    init(_ layer: DecomposableLayer, _ request: Request, _ bounds: RankBounds) {
        // Without a limited sum the parameters are what a better option must not cost more of.
        let quantities = request.quantities.isEmpty ? [.parameters] : request.quantities
        var all: [(chain: Int, ranks: [Int], loss: Double, costs: [Int])] = []
        let dense = quantities.map { layer.denseCost($0) }
        let hasDense = request.peaks.allSatisfy { layer.denseCost($0.quantity) <= $0.value }
        self.hasDense = hasDense
        for (index, chain) in layer.chains.enumerated() {
            for ranks in Self.ranks(of: chain, request, bounds) {
                let costs = quantities.map { chain.cost(ranks, $0) }
                // What is cheaper than the dense layer in nothing is of no use, for it loses more.
                guard !hasDense || zip(costs, dense).contains(where: { $0 < $1 }),
                    request.peaks.allSatisfy({ chain.cost(ranks, $0.quantity) <= $0.value })
                else { continue }
                all.append((index, ranks, request.loss(chain.factorization, ranks), costs))
            }
        }
        costs = quantities.map { _ in [] }
        for index in Self.unbeaten(all.map(\.loss), all.map(\.costs)) {
            append(all[index].chain, all[index].ranks, all[index].loss, all[index].costs)
        }
        if hasDense { append(-1, [], 0, dense) }
    }

    /// Options that are given by their losses and costs, one array of costs per limited quantity.
    package init(losses: [Double], costs: [[Int]]) {
        (errors, self.losses, self.costs, hasDense) = (losses, losses, costs, false)
        chains = losses.map { _ in 0 }
        ranks = losses.map { _ in [] }
    }

    /// The same candidates with transformed losses. None becomes dominated, because the transform is monotone.
    func judged(by judge: LossTransform) -> RankCandidates {
        var judged = self
        judged.losses = errors.map(judge)
        return judged
    }

    private mutating func append(_ chain: Int, _ ranks: [Int], _ loss: Double, _ costs: [Int]) {
        chains.append(chain)
        self.ranks.append(ranks)
        errors.append(loss)
        losses.append(loss)
        for k in costs.indices { self.costs[k].append(costs[k]) }
    }

    /// The indices of what no other beats on loss and on every cost, cheapest first by the first cost; of equals the first.
    package static func unbeaten(_ losses: [Double], _ costs: [[Int]]) -> [Int] {
        guard let first = costs.first else { return [] }
        // In this order nothing is beaten by what comes after it.
        let order = losses.indices.sorted {
            losses[$0] != losses[$1] ? losses[$0] < losses[$1] : costs[$0].lexicographicallyPrecedes(costs[$1])
        }
        var front = ParetoFront(width: first.count)
        return order.filter { front.insert(costs[$0]) }.sorted { (costs[$0][0], losses[$0]) < (costs[$1][0], losses[$1]) }
    }

    // MARK: Which ranks

    /// All ranks of one bond or pairs of two; of more bonds, the way up on which each step saves the most error.
    private static func ranks(of chain: LayerChain, _ request: Request, _ bounds: RankBounds) -> [[Int]] {
        let ends = zip(bounds.smallest(chain.maxRanks), bounds.largest(chain.maxRanks))
        if let offered = chain.factorization.offeredRanks {
            return offered.filter { ranks in zip(ranks, ends).allSatisfy { $0 >= $1.0 && $0 <= $1.1 && ($0 % request.align == 0 || $0 == $1.1) } }
        }
        let values = ends.map { steps(from: $0, to: $1, request) }
        switch values.count {
        case 1: return values[0].map { [$0] }
        case 2:
            return values[0].flatMap { first in values[1].map { [first, $0] } }.filter { chain.factorization.lowered($0) == $0 }
        default: return climb(chain, values)
        }
    }

    /// Multiples of `align` from the least rank to `bound`, which is among them, as are whole blocks of channels where
    /// time counts: a rank beyond one costs all of the next.
    private static func steps(from low: Int, to bound: Int, _ request: Request) -> [Int] {
        let first = min(bound, (low + request.align - 1) / request.align * request.align)
        let stride = max(1, ((bound - first) / triedRanks + request.align) / request.align) * request.align
        var values = Array(Swift.stride(from: first, through: bound, by: stride))
        if values.last != bound { values.append(bound) }
        guard stride > 1, request.quantities.contains(.latency) else { return values }
        let block = Layout.channelBlock
        let blocks = Swift.stride(from: block, to: bound, by: block).filter { $0 >= first && $0 % request.align == 0 }
        return Set(values + blocks).sorted()
    }

    private static func climb(_ chain: LayerChain, _ values: [[Int]]) -> [[Int]] {
        var positions = [Int](repeating: 0, count: values.count)
        var path: [[Int]] = []
        func ranks(_ positions: [Int]) -> [Int] {
            chain.factorization.lowered(zip(values, positions).map { $0[$1] })
        }
        while true {
            let now = ranks(positions)
            path.append(now)
            let (error, cost) = (chain.relativeSquaredError(now), chain.parameterCost(now))
            var best: (positions: [Int], value: Double)?
            for k in positions.indices where positions[k] + 1 < values[k].count {
                var next = positions
                next[k] += 1
                let there = ranks(next)
                let saved = error - chain.relativeSquaredError(there)
                let value = saved / Double(max(1, chain.parameterCost(there) - cost))
                if value > best?.value ?? -.infinity { best = (next, value) }
            }
            guard let best else { return path }
            positions = best.positions
        }
    }
}
