import Basics
import Compression
import Decomposition
import LuaRuntime

/// A Lua function `(layers, budget) -> { [layer] = rank or ranks }` as a policy.
enum CustomPolicy {
    static func ranks(
        from policy: LuaFunction, _ model: DecomposedModel, _ planner: Planner, _ budget: Budget, _ state: LuaState
    ) throws -> [String: [Int]] {
        let limits = try state.table()
        for limit in budget.limits {
            if limit.quantity == .latency {
                try limits.set("latency", microseconds(limit.value))
            } else {
                try limits.set(limit.quantity.rawValue, limit.value)
            }
        }
        let rows = try model.layers.filter { !$0.chains.isEmpty }.map { try row($0, planner, state) }
        guard let answer = try policy(rows, limits).first?.table else {
            throw BindingFailure.planInput(detail: "the policy must return a table of ranks by layer name")
        }
        var ranks: [String: [Int]] = [:]
        try answer.forEach { key, value in
            guard let layer = key.string else {
                throw BindingFailure.planInput(detail: "the policy must return ranks by layer name, got the key \(try state.text(of: key))")
            }
            ranks[layer] = try PlanTable.ranks(value, place: "mr.plan: the policy's ranks of \(layer)")
        }
        return ranks
    }

    /// What a policy sees of a layer, under the first grouping.
    private static func row(_ layer: DecomposableLayer, _ planner: Planner, _ state: LuaState) throws -> LuaFields {
        let chain = layer.chains[0]
        var row: LuaFields = ["name": layer.name, "grouping": layer.grouping, "max_ranks": layer.maxRanks]
        costs(isTimed: layer.denseLatency != nil, layer.denseCost).forEach { row.append($0.name, $0.value) }
        row.append("useful_ranks", chain.decomposition.maxUsefulRanks ?? [])
        let rule = planner.rule(for: layer.name)
        if rule.isFrozen { row.append("frozen", true) }
        if let ranks = rule.ranks { row.append("fixed", ranks) }
        if let score = planner.scores?.rows.first(where: { $0.layer == layer.name }) {
            row.append("gain", score.gain)
            row.append("significance", score.significance)
        }
        func asked(_ call: borrowing LuaCall, _ function: String) throws -> [Int] {
            let ranks = try PlanTable.ranks(try call.value(1), place: "\(function): argument 1")
            let full = ranks.count == 1 ? [Int](repeating: ranks[0], count: chain.decomposition.bondCount) : ranks
            return try chain.decomposition.clamped(full).ranks
        }
        row.append("error", try state.function("layer.error") { call in
            try call.push(chain.decomposition.relativeSquaredError(ranks: try asked(call, "layer.error")).squareRoot())
        })
        row.append("cost", try state.function("layer.cost") { call in
            let ranks = try asked(call, "layer.cost")
            var fields = LuaFields()
            costs(isTimed: layer.denseLatency != nil) { chain.cost(ranks, $0) }.forEach { fields.append($0.name, $0.value) }
            try call.push(fields)
        })
        if let curve = planner.curves?.curve(of: layer.name) {
            row.append("loss", try state.function("layer.loss") { call in
                try call.push(curve(chain.decomposition.relativeSquaredError(ranks: try asked(call, "layer.loss"))))
            })
        }
        return row
    }

    private static func costs(
        isTimed: Bool, _ cost: (Budget.Quantity) -> Int
    ) -> [(name: String, value: any LuaConvertible)] {
        Budget.Quantity.allCases.filter { isTimed || $0 != .latency }.map { quantity in
            (quantity.rawValue, quantity == .latency ? microseconds(cost(.latency)) : cost(quantity))
        }
    }

    /// Scripts count latency in microseconds.
    private static func microseconds(_ nanoseconds: Int) -> Double { Double(nanoseconds) / 1e3 }
}
