import Basics

/// Ranks by weighing the options of all layers against each other.
enum KnapsackAllocation {
    /// - Throws: `unreachable` with the least the layers can cost.
    static func assignments(
        _ model: DecomposedModel, budget: Budget, planner: Planner, settled: FixedChoices, _ weighing: Policy.Weighing,
        weights: [Double]
    ) throws -> (assignments: [LayerChoice], binding: String?, gap: Double?) {
        let request = RankCandidates.Request(weighing.error, budget.limits, planner, model.layers)
        var all = model.cache.options(request) { zip(model.layers, request.bounds).map { RankCandidates($0, request, $1) } }
        if let judges = try planner.lossJudges(model) { all = zip(all, judges).map { $0.judged(by: $1) } }
        let sums = budget.limits.filter(\.quantity.isSum)
        let free = model.layers.indices.filter { settled.assignments[$0] == nil && all[$0].count > 0 }
        // What the policy does not decide, and what the free layers would cost as they are.
        let start = settled.assignments.map { $0 ?? .dense(reason: "a chain is never within the limits") }
        for limit in budget.limits where !limit.quantity.isSum {
            let blocked = settled.assignments.indices.filter { settled.assignments[$0] != nil || all[$0].count == 0 }
            let smallest = blocked.reduce(model.fixedActivationByteCount) { peak, index in
                let isFree = settled.assignments[index] == nil
                let dense = model.layers[index].cost(start[index], limit.quantity)
                return max(peak, isFree ? min(dense, least(model.layers[index], limit.quantity, request.bounds[index])) : dense)
            }
            if smallest > limit.value { throw model.unreachable(limit, smallest: smallest, planner) }
        }
        let rooms = sums.map { limit in
            limit.value - model.cost(start, limit.quantity)
                + free.reduce(0) { $0 + model.layers[$1].denseCost(limit.quantity) }
        }
        let layers = free.map { (options: all[$0], weight: weights[$0]) }
        for (k, limit) in sums.enumerated() {
            let least = layers.reduce(0) { $0 + ($1.options.costs[k].min() ?? 0) }
            if least > rooms[k] { throw model.unreachable(limit, smallest: limit.value - rooms[k] + least, planner) }
        }
        let knapsack = Knapsack(layers: layers, limits: rooms)
        let solution = weighing.goal == .largest ? knapsack.solveLargest() : knapsack.solve()
        guard let solution else {
            throw CompressionFailure.unreachableTogether(constraints: sums.map(\.quantity.rawValue))
        }
        var result = start
        for (position, index) in free.enumerated() {
            result[index] = assignment(all[index], solution.choice[position], sums, request.bounds[index], weighing)
        }
        let peak = budget.limits.first { !$0.quantity.isSum }
        return (result, (solution.binding.map { sums[$0] } ?? peak)?.quantity.rawValue, solution.gap)
    }

    /// The least that any chain of a layer can cost.
    private static func least(_ layer: DecomposableLayer, _ quantity: Budget.Quantity, _ bounds: RankBounds) -> Int {
        layer.chains.map { $0.cost(bounds.smallest($0.maxRanks), quantity) }.min() ?? layer.denseCost(quantity)
    }

    private static func assignment(
        _ options: RankCandidates, _ choice: Int, _ sums: [Budget.Limit], _ bounds: RankBounds, _ weighing: Policy.Weighing
    ) -> LayerChoice {
        if options.hasDense, choice == options.count - 1 {
            return .dense(
                reason: options.hasChains
                    ? "the budget has room for the dense layer"
                    : bounds.denseReason(sums.map(\.quantity)))
        }
        return .chain(
            index: options.chains[choice], ranks: options.ranks[choice],
            reason: weighing.reason(options.errors[choice], options.losses[choice]))
    }
}
