import Decomposition
import Graphs

/// The state of one allocation: which ranks each layer has, and what the model then costs.
struct Allocation {
    /// What is settled about a layer: dense, given ranks, or free to move on its ladder.
    private enum Choice {
        case dense(reason: String)
        case fixed([Int], reason: String)
        case free(RankLadder)
    }

    private let model: DecomposedModel
    private let limits: [Budget.Limit]
    private var choices: [Choice] = []
    /// Of the free layers, by index; empty for the others.
    private var ranks: [[Int]] = []
    private var free: [(index: Int, ladder: RankLadder)] = []
    private var notes: [String] = []
    private var binding: String?

    init(_ model: DecomposedModel, budget: Budget, planner: Planner, enforces: Bool = true) throws {
        self.model = model
        limits = enforces ? budget.limits : []
        try planner.checkPatterns(model.layers.map(\.name))
        for (index, layer) in model.layers.enumerated() {
            let choice = try choice(for: layer, planner, budget.limits.map(\.quantity))
            choices.append(choice)
            ranks.append([])
            if case .free(let ladder) = choice {
                ranks[index] = ladder.low
                ladder.setRanks(&ranks[index], at: 0)
                free.append((index, ladder))
            }
        }
        for limit in limits where cost(limit.quantity) > limit.value { throw unreachable(limit) }
    }

    private mutating func choice(
        for layer: DecomposableLayer, _ planner: Planner, _ quantities: [Budget.Quantity]
    ) throws -> Choice {
        let rule = planner.rule(for: layer.name)
        if rule.isFrozen { return .dense(reason: "frozen") }
        if let wanted = rule.ranks { return try fixedChoice(layer, wanted) }
        let (ladder, reason) = RankLadder.make(
            layer, quantities: quantities, minRank: planner.minRank, maxRank: planner.maxRank, align: planner.align)
        return ladder.map(Choice.free) ?? .dense(reason: reason)
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

    private func cost(of index: Int, _ quantity: Budget.Quantity) -> Int {
        let layer = model.layers[index]
        switch choices[index] {
        case .dense: return layer.denseCost(quantity)
        case .fixed(let ranks, _): return layer.chainCost(ranks, quantity)
        case .free(let ladder): return ladder.cost(ranks[index], quantity)
        }
    }

    private func cost(_ quantity: Budget.Quantity) -> Int {
        choices.indices.reduce(quantity.value(of: model.cost)) {
            $0 - model.layers[$1].denseCost(quantity) + cost(of: $1, quantity)
        }
    }

    // MARK: One factor for all

    /// Sets every free layer's ranks by the largest β that fits; `nil` where no layer is free.
    mutating func bisect(_ share: (Int) -> Double) throws -> Double? {
        let shares = free.map { share($0.index) }
        guard let least = shares.filter({ $0 > 0 }).min() else { return nil }
        // What does not move is counted once; a step then only adds up the ladders' polynomials.
        let settled = limits.map { limit in
            cost(limit.quantity) - free.reduce(0) { $0 + $1.ladder.cost(ranks[$1.index], limit.quantity) }
        }
        func firstBroken(_ beta: Double) -> Budget.Limit? {
            for (position, entry) in free.enumerated() {
                entry.ladder.setRanks(&ranks[entry.index], at: beta * shares[position])
            }
            return zip(limits, settled).first { limit, settled in
                free.reduce(settled) { $0 + $1.ladder.cost(ranks[$1.index], limit.quantity) } > limit.value
            }?.0
        }
        if let broken = firstBroken(0) { throw unreachable(broken) }
        var (low, high) = (0.0, 1 / least)
        guard let broken = firstBroken(high) else { return high }
        binding = broken.quantity.rawValue
        for _ in 0..<32 {
            let middle = (low + high) / 2
            if let broken = firstBroken(middle) { (high, binding) = (middle, broken.quantity.rawValue) } else { low = middle }
        }
        _ = firstBroken(low)
        return low
    }

    // MARK: What is left over

    /// Spends the rest of the budget: each round gives every layer at most one step, the most significant first; a
    /// layer that has all it can use becomes dense again where even that fits.
    mutating func fill(by significances: [Double]) {
        var room = limits.map { $0.value - cost($0.quantity) }
        var open = free.sorted { (significances[$0.index], $1.index) > (significances[$1.index], $0.index) }
        while !open.isEmpty {
            open = open.filter { index, ladder in
                let next = ladder.next(after: ranks[index])
                for k in limits.indices {
                    let quantity = limits[k].quantity
                    let wanted = next.map { ladder.cost($0, quantity) } ?? model.layers[index].denseCost(quantity)
                    // What does not fit now never will: room only shrinks, and the layer's next step stays the same.
                    if wanted - ladder.cost(ranks[index], quantity) > room[k] { return false }
                }
                for k in limits.indices {
                    let quantity = limits[k].quantity
                    let wanted = next.map { ladder.cost($0, quantity) } ?? model.layers[index].denseCost(quantity)
                    room[k] -= wanted - ladder.cost(ranks[index], quantity)
                }
                if let next { ranks[index] = next } else { choices[index] = .dense(reason: "the budget has room for the dense layer") }
                return next != nil
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
        case .free(let ladder): (self.ranks[index], ladder.reason(self.ranks[index]))
        }
        let squared = ranks.flatMap { layer.decomposition?.relativeSquaredError(ranks: $0) } ?? 0
        return PlanRow(
            layer: layer.name, grouping: layer.grouping, ranks: ranks, maxRanks: layer.maxRanks, reason: reason,
            gain: gain, relativeError: squared.squareRoot(), denseParameterCount: layer.denseParameterCount,
            parameterCount: cost(of: index, .parameters), denseMacCount: layer.denseMacCount,
            macCount: cost(of: index, .macs))
    }
}
