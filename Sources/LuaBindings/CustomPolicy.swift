import Basics
import Compression
import Decomposition
import LuaRuntime

/// A Lua function `(layers, budget) -> { [layer] = rank, ranks or { ranks = …, format = … } }` as a policy.
enum CustomPolicy {
    /// The plan of what `policy` gives.
    static func plan(
        by policy: LuaFunction, _ model: DecomposedModel, _ planner: Planner, _ budget: Budget, _ state: LuaState
    ) throws -> Plan {
        let limits = try state.table()
        for limit in budget.limits {
            let (name, value) = amount(limit.quantity, limit.value)
            try limits.rawSet(name, value)
        }
        let rows = try model.layers.filter { !$0.chains.isEmpty }.map { try row($0, planner, state) }
        guard let answer = try policy(rows, limits).first?.table else {
            throw BindingFailure.planInput(detail: "the policy must return a table of ranks by layer name")
        }
        var (ranks, planner) = ([String: [Int]](), planner)
        try answer.forEach { key, value in
            guard let layer = key.string else {
                throw BindingFailure.planInput(detail: "the policy must return ranks by layer name, got the key \(try state.text(of: key))")
            }
            let place = "mr.plan: the policy's ranks of \(layer)"
            guard let table = value.table, let chosen = try table.fields().first(where: { $0.name == "ranks" })?.value else {
                ranks[layer] = try PlanTable.ranks(value, place: place)
                return
            }
            ranks[layer] = try PlanTable.ranks(chosen, place: place)
            planner.formats[layer] = try table.rawGet("format").string
        }
        return try planner.plan(model, budget: budget, ranks: ranks, name: "custom")
    }

    /// What a policy sees of a layer: what it says of ranks holds in its first format, or the one that it is asked for.
    private static func row(_ layer: DecomposableLayer, _ planner: Planner, _ state: LuaState) throws -> LuaFields {
        let chain = layer.chains[0]
        var row: LuaFields = ["name": layer.name, "format": layer.format, "max_ranks": layer.maxRanks]
        costs(isTimed: layer.denseLatency != nil, layer.denseCost).forEach { row.append($0.name, $0.value) }
        row.append("useful_ranks", chain.factorization.maxUsefulRanks(below: layer.denseParameterCount) ?? [])
        let rule = planner.rule(for: layer.name)
        if rule.isFrozen { row.append("frozen", true) }
        if let ranks = rule.ranks { row.append("fixed", ranks) }
        if let score = planner.scores?.rows.first(where: { $0.layer == layer.name }) {
            row.append("gain", score.gain)
            row.append("significance", score.significance)
        }
        row.append("formats", layer.chains.map(\.format))
        func asked(_ call: borrowing LuaCall, _ function: String) throws -> (chain: LayerChain, ranks: [Int]) {
            let ranks = try PlanTable.ranks(try call.value(1), place: "\(function): argument 1")
            let name = try call.optionalString(2, "format") ?? chain.format
            guard let asked = layer.chains.first(where: { $0.format == name }) else {
                throw call.invalid(2, "format", "must be one of \(layer.chains.map(\.format).joined(separator: ", ")), got '\(name)'")
            }
            let full = ranks.count == 1 ? [Int](repeating: ranks[0], count: asked.factorization.bondCount) : ranks
            return (asked, try asked.factorization.clamped(full).ranks)
        }
        row.append(
            "error",
            try state.function("layer.error") { call in
                let (chain, ranks) = try asked(call, "layer.error")
                try call.push(chain.relativeSquaredError(ranks).squareRoot())
            })
        row.append(
            "cost",
            try state.function("layer.cost") { call in
                let (chain, ranks) = try asked(call, "layer.cost")
                var fields = LuaFields()
                costs(isTimed: layer.denseLatency != nil) { chain.cost(ranks, $0) }.forEach { fields.append($0.name, $0.value) }
                try call.push(fields)
            })
        if let curve = planner.curves?.curve(of: layer.name) {
            row.append(
                "loss",
                try state.function("layer.loss") { call in
                    let (chain, ranks) = try asked(call, "layer.loss")
                    try call.push(curve(chain.relativeSquaredError(ranks)))
                })
        }
        return row
    }

    private static func costs(
        isTimed: Bool, _ cost: (Budget.Quantity) -> Int
    ) -> [(name: String, value: LuaValue)] {
        Budget.Quantity.allCases.filter { isTimed || $0 != .latency }.map { amount($0, cost($0)) }
    }

    /// An amount under the name that scripts have for it. They count time in milliseconds.
    private static func amount(_ quantity: Budget.Quantity, _ amount: Int) -> (name: String, value: LuaValue) {
        quantity == .latency ? ("latency_ms", .number(Double(amount) / 1e6)) : (quantity.rawValue, .integer(amount))
    }
}
