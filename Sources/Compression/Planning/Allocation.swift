import Decomposition
import Graphs

#if canImport(Glibc)
    import Glibc
#endif

/// The state of one allocation: which ranks each layer has, and what the model then costs.
struct Allocation {
    private enum Choice {
        case dense(reason: String)
        case fixed([Int], reason: String)
        case free(RankLadder, [Int])
    }

    private let model: DecomposedModel
    private let limits: [Budget.Limit]
    private var choices: [Choice] = []
    private var notes: [String] = []
    private var binding: String?

    init(_ model: DecomposedModel, budget: Budget, planner: Planner, enforces: Bool = true) throws {
        self.model = model
        limits = enforces ? budget.limits : []
        try planner.checkPatterns(model.layers.map(\.name))
        for (index, layer) in model.layers.enumerated() {
            choices.append(try choice(for: layer, at: index, planner, budget.limits.map(\.quantity)))
        }
        for limit in limits where cost(limit.quantity) > limit.value { throw unreachable(limit) }
    }

    private mutating func choice(
        for layer: DecomposableLayer, at index: Int, _ planner: Planner, _ quantities: [Budget.Quantity]
    ) throws -> Choice {
        let rule = planner.rule(for: layer.name)
        if rule.isFrozen { return .dense(reason: "frozen") }
        if let wanted = rule.ranks { return try fixedChoice(layer, wanted) }
        let (ladder, reason) = RankLadder.make(
            layer, index: index, quantities: quantities, minRank: planner.minRank, maxRank: planner.maxRank,
            align: planner.align)
        return ladder.map { .free($0, $0.ranks(at: 0)) } ?? .dense(reason: reason)
    }

    private mutating func fixedChoice(_ layer: DecomposableLayer, _ wanted: [Int]) throws -> Choice {
        guard let decomposition = layer.decomposition else {
            throw CompressionFailure.invalidRanks(
                layer: layer.name, detail: "cannot be given ranks: \(layer.denseReason ?? "it stays dense")")
        }
        let bonds = decomposition.bondCount
        guard wanted.count == bonds || wanted.count == 1, wanted.allSatisfy({ $0 >= 1 }) else {
            throw CompressionFailure.invalidRanks(
                layer: layer.name, detail: "needs \(bonds) rank(s) of at least 1 for \(layer.grouping), but got \(wanted)")
        }
        let full = wanted.count == bonds ? wanted : [Int](repeating: wanted[0], count: bonds)
        let (allowed, clamps) = try decomposition.clamped(full)
        for clamp in clamps { notes.append("\(layer.name): \(clamp)") }
        return .fixed(allowed, reason: clamps.isEmpty ? "fixed" : "fixed, lowered to its bound")
    }

    private func unreachable(_ limit: Budget.Limit) -> CompressionFailure {
        .unreachable(
            constraint: limit.quantity.rawValue, limit: limit.value, smallest: cost(limit.quantity),
            dense: limit.quantity.value(of: model.cost))
    }

    // MARK: Cost

    private func cost(_ choice: Choice, _ index: Int, _ quantity: Budget.Quantity) -> Int {
        let layer = model.layers[index]
        let dense = quantity == .parameters ? layer.denseParameterCount : layer.denseMacCount
        switch choice {
        case .dense: return dense
        case .fixed(let ranks, _): return (quantity == .parameters ? layer.parameterCost : layer.macCost)?(ranks) ?? dense
        case .free(let ladder, let ranks): return ladder.cost(ranks, quantity)
        }
    }

    private func cost(_ quantity: Budget.Quantity) -> Int {
        choices.indices.reduce(quantity.value(of: model.cost)) { total, index in
            let layer = model.layers[index]
            let dense = quantity == .parameters ? layer.denseParameterCount : layer.denseMacCount
            return total - dense + cost(choices[index], index, quantity)
        }
    }

    private func firstBroken() -> Budget.Limit? { limits.first { cost($0.quantity) > $0.value } }

    // MARK: One factor for all

    /// Sets every free layer's ranks by the largest β that fits; `nil` where no layer is free.
    mutating func bisect(_ share: (Int) -> Double) throws -> Double? {
        func set(_ beta: Double) {
            for index in choices.indices {
                guard case .free(let ladder, _) = choices[index] else { continue }
                choices[index] = .free(ladder, ladder.ranks(at: beta * share(index)))
            }
        }
        let shares = choices.indices.compactMap { index -> Double? in
            if case .free = choices[index] { share(index) } else { nil }
        }
        guard let least = shares.filter({ $0 > 0 }).min() else { return nil }
        set(0)
        if let broken = firstBroken() { throw unreachable(broken) }
        var (low, high) = (0.0, 1 / least)
        set(high)
        guard let broken = firstBroken() else { return high }
        binding = broken.quantity.rawValue
        for _ in 0..<48 {
            let middle = (low + high) / 2
            set(middle)
            if let broken = firstBroken() { (high, binding) = (middle, broken.quantity.rawValue) } else { low = middle }
        }
        set(low)
        return low
    }

    // MARK: What is left over

    /// Spends the rest of the budget: each round gives every layer at most one step, the most significant first; a
    /// layer that has all it can use becomes dense again where even that fits.
    mutating func fill(by significances: [Double]) {
        var room = limits.map { $0.value - cost($0.quantity) }
        let order = choices.indices.sorted { (significances[$0], $1) > (significances[$1], $0) }
        func spend(_ index: Int, _ choice: Choice) -> Bool {
            let extra = limits.map { cost(choice, index, $0.quantity) - cost(choices[index], index, $0.quantity) }
            guard zip(extra, room).allSatisfy({ $0 <= $1 }) else { return false }
            for k in room.indices { room[k] -= extra[k] }
            choices[index] = choice
            return true
        }
        var changed = true
        while changed {
            changed = false
            for index in order {
                guard case .free(let ladder, let ranks) = choices[index] else { continue }
                if let next = ladder.next(after: ranks) {
                    changed = spend(index, .free(ladder, next)) || changed
                } else {
                    changed = spend(index, .dense(reason: "the budget has room for the dense layer")) || changed
                }
            }
        }
    }

    // MARK: The result

    func plan(policy: String, scores: LayerScores?) -> Plan {
        let gains = Dictionary((scores?.rows ?? []).map { ($0.layer, $0.gain) }, uniquingKeysWith: { $1 })
        let rows = choices.indices.map { row($0, gain: gains[model.layers[$0].name]) }
        return Plan(
            policy: policy, rows: rows, denseParameterCount: model.cost.parameterCount,
            parameterCount: cost(.parameters), denseMacCount: model.cost.macCount, macCount: cost(.macs),
            bindingConstraint: binding, scalingFactor: nil, notes: notes, elapsedSeconds: 0)
    }

    private func row(_ index: Int, gain: Double?) -> PlanRow {
        let layer = model.layers[index]
        let (ranks, reason): ([Int]?, String) = switch choices[index] {
        case .dense(let reason): (nil, reason)
        case .fixed(let ranks, let reason): (ranks, reason)
        case .free(let ladder, let ranks): (ranks, Self.reason(ladder, ranks))
        }
        let squared = ranks.flatMap { layer.decomposition?.relativeSquaredError(ranks: $0) } ?? 0
        return PlanRow(
            layer: layer.name, grouping: layer.grouping, ranks: ranks, maxRanks: layer.maxRanks, reason: reason,
            gain: gain, relativeError: squared.squareRoot(), denseParameterCount: layer.denseParameterCount,
            parameterCount: cost(choices[index], index, .parameters), denseMacCount: layer.denseMacCount,
            macCount: cost(choices[index], index, .macs))
    }

    private static func reason(_ ladder: RankLadder, _ ranks: [Int]) -> String {
        if ranks == ladder.high { return "all the ranks that pay" }
        if ranks == ladder.low { return "the smallest ranks" }
        let span = zip(ladder.low, ladder.high).reduce(0) { $0 + $1.1 - $1.0 }
        let got = zip(ladder.low, ranks).reduce(0) { $0 + $1.1 - $1.0 }
        return "\(Int((100 * Double(got) / Double(max(1, span))).rounded())) % of the ranks that pay"
    }
}
