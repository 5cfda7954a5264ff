import Graphs

#if canImport(Glibc)
    import Glibc
#endif

/// Ranks by one factor for all layers: the state of one such allocation.
struct ScaledAllocation {
    private let model: DecomposedModel
    private let planner: Planner
    /// Limits on additive costs. Limits on maxima were applied when the upper ends of the ranks were chosen.
    private let limits: [Budget.Limit]
    private let peaks: [Budget.Limit]
    private var assignments: [LayerChoice?]
    /// Of the free layers, by index; empty for the others.
    private var ranks: [[Int]] = []
    private var free: [(index: Int, scaled: ScaledRanks)] = []
    private(set) var binding: String?

    /// Every free layer at its smallest ranks.
    /// - Throws: `unreachable` where even that breaks a limit.
    init(_ model: DecomposedModel, budget: Budget, planner: Planner, settled: FixedChoices) throws {
        (self.model, self.planner) = (model, planner)
        limits = budget.limits.filter(\.quantity.isSum)
        peaks = budget.limits.filter { !$0.quantity.isSum }
        assignments = settled.assignments
        let sums = limits.map(\.quantity)
        let chains = model.cache.cheapestChains(of: model.layers, by: sums.isEmpty ? [.parameters] : sums)
        guard case .scaled(let paths) = planner.policy.method else { preconditionFailure("a policy that weighs has no factor") }
        let path = paths(model)
        for (index, layer) in model.layers.enumerated() {
            ranks.append([])
            guard assignments[index] == nil else { continue }
            let (scaled, reason) = ScaledRanks.make(
                layer, chain: chains[index], limits: budget.limits, planner, path: path(index, chains[index]))
            guard let scaled else {
                assignments[index] = .dense(reason: reason)
                continue
            }
            ranks[index] = scaled.low
            scaled.setRanks(&ranks[index], at: 0)
            free.append((index, scaled))
        }
        for limit in budget.limits where cost(limit.quantity) > limit.value { throw unreachable(limit) }
    }

    private func unreachable(_ limit: Budget.Limit) -> CompressionFailure {
        model.unreachable(limit, smallest: cost(limit.quantity), planner)
    }

    /// The texts of reasons are built only for the final result.
    private func cost(_ quantity: Budget.Quantity) -> Int { model.cost(assigned { _, _ in "" }, quantity) }

    var result: [LayerChoice] { assigned { $0.reason($1) } }

    private func assigned(reason: (ScaledRanks, [Int]) -> String) -> [LayerChoice] {
        var result = assignments
        for (index, scaled) in free where result[index] == nil {
            result[index] = .chain(index: scaled.chainIndex, ranks: ranks[index], reason: reason(scaled, ranks[index]))
        }
        return result.compactMap { $0 }
    }

    // MARK: One factor for all

    /// At factors below its power of two no layer has a rank more than the least.
    private static let leastExponent = -40.0

    /// Sets every free layer's ranks by the largest β that fits; `nil` where no layer is free.
    mutating func bisect(_ share: (Int) -> Double) throws -> Double? {
        let shares = free.map { share($0.index) }
        guard let least = shares.filter({ $0 > 0 }).min() else { return nil }
        // What does not move is counted once; a step then only adds up the cost polynomials of the free layers.
        let settled = limits.map { limit in
            cost(limit.quantity) - free.reduce(0) { $0 + $1.scaled.cost(ranks[$1.index], limit.quantity) }
        }
        func firstBroken(_ beta: Double) -> Budget.Limit? {
            for (position, entry) in free.enumerated() {
                entry.scaled.setRanks(&ranks[entry.index], at: beta * shares[position])
            }
            return zip(limits, settled).first { limit, settled in
                free.reduce(settled) { $0 + $1.scaled.cost(ranks[$1.index], limit.quantity) } > limit.value
            }?.0
        }
        if let broken = firstBroken(0) { throw unreachable(broken) }
        guard let broken = firstBroken(1 / least) else {
            binding = peaks.first?.quantity.rawValue
            return 1 / least
        }
        binding = broken.quantity.rawValue
        // The exponent is halved, because shares may lie nine orders apart, and with them the factors that matter.
        var (low, high) = (Self.leastExponent, log2(1 / least))
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if let broken = firstBroken(exp2(middle)) { (high, binding) = (middle, broken.quantity.rawValue) } else { low = middle }
        }
        let factor = low > Self.leastExponent ? exp2(low) : 0
        _ = firstBroken(factor)
        return factor
    }

    // MARK: What is left over

    /// Spends the rest of the budget: each round gives every layer at most one step, the most significant first; a
    /// layer that has all it can use becomes dense again where even that fits.
    mutating func fill(by significances: [Double]) {
        var room = limits.map { $0.value - cost($0.quantity) }
        var open = free.sorted { (significances[$0.index], $1.index) > (significances[$1.index], $0.index) }
        while !open.isEmpty {
            open = open.filter { index, scaled in
                let layer = model.layers[index]
                let next = scaled.next(after: ranks[index])
                if next == nil, peaks.contains(where: { layer.denseCost($0.quantity) > $0.value }) { return false }
                let wanted = limits.map { limit in
                    (next.map { scaled.cost($0, limit.quantity) } ?? layer.denseCost(limit.quantity))
                        - scaled.cost(ranks[index], limit.quantity)
                }
                // What does not fit now never will: room only shrinks, and the layer's next step stays the same.
                if zip(wanted, room).contains(where: { $0 > $1 }) { return false }
                for k in room.indices { room[k] -= wanted[k] }
                if let next {
                    ranks[index] = next
                } else {
                    assignments[index] = .dense(reason: "the budget has room for the dense layer")
                }
                return next != nil
            }
        }
    }
}
