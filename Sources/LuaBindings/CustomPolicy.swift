import Basics
import Compression
import Decomposition
import LuaRuntime

/// A Lua function `(layers, budget) -> { [layer] = rank or ranks }` as a policy.
enum CustomPolicy {
    static func ranks(
        from policy: LuaFunction, _ model: DecomposedModel, _ planner: Planner, _ budget: Budget, _ scores: LayerScores?,
        _ state: LuaState
    ) throws -> [String: [Int]] {
        let limits = try state.table()
        for limit in budget.limits { try limits.set(limit.quantity.rawValue, limit.value) }
        let rows = try model.layers.filter { $0.decomposition != nil }.map { try row($0, scores, state) }
        guard let answer = try policy(rows, limits).first?.table else {
            throw BindingFailure.planMismatch(detail: "the policy must return a table of ranks by layer name")
        }
        var ranks: [String: [Int]] = [:]
        try answer.forEach { key, value in
            guard let layer = key.string else {
                throw BindingFailure.planMismatch(detail: "the policy must return ranks by layer name, got the key \(try state.text(of: key))")
            }
            ranks[layer] = try PlanTable.ranks(value, place: "the policy's ranks of \(layer)")
        }
        return ranks
    }

    private static func row(_ layer: DecomposableLayer, _ scores: LayerScores?, _ state: LuaState) throws -> LuaFields {
        let score = scores?.rows.first { $0.layer == layer.name }
        var row: LuaFields = [
            "name": layer.name, "grouping": layer.grouping, "params": layer.denseParameterCount,
            "macs": layer.denseMacCount, "max_ranks": layer.maxRanks,
        ]
        if let score {
            row.append("gain", score.gain)
            row.append("significance", score.significance)
        }
        guard let decomposition = layer.decomposition, let parameters = layer.parameterCost, let macs = layer.macCost else {
            return row
        }
        row.append("useful_ranks", decomposition.maxUsefulRanks ?? [])
        func asked(_ call: borrowing LuaCall) throws -> [Int] {
            let ranks = try PlanTable.ranks(try call.value(1), place: "ranks")
            let full = ranks.count == 1 ? [Int](repeating: ranks[0], count: decomposition.bondCount) : ranks
            return try decomposition.clamped(full).ranks
        }
        row.append("error", try state.function("layer.error") { call in
            try call.push(decomposition.relativeSquaredError(ranks: try asked(call)).squareRoot())
        })
        row.append("cost", try state.function("layer.cost") { call in
            let ranks = try asked(call)
            try call.push(["params": parameters(ranks), "macs": macs(ranks)] as LuaFields)
        })
        return row
    }
}
