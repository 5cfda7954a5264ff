import Basics
import Compression
import Datasets
import Decomposition
import Graphs
import LuaRuntime

/// Plans as Lua tables of rows: made by `mr.plan`, edited by scripts, read by `model:compress`.
enum PlanTable {
    static func make(_ call: borrowing LuaCall, _ randomState: RandomState) throws {
        let model = try call.object(1, "model", as: ModelObject.self)
        let options = try call.options(2)
        let formats = try FormatOption.read(options)
        let classifier = try options.boolean("classifier")
        let whitening = try Whitening.read(options)
        let limits = try limits(options)
        let latencyBatch = try options.integer("latency_batch")
        let decomposed = try model.decomposition(
            formats, includesClassifier: classifier, whitening: whitening,
            latencyBatch: limits.contains { $0.0 == .latency } ? latencyBatch : nil)
        call.recount(model, position: 1)
        let budget = try Budget(limits, dense: decomposed.cost, denseLatency: decomposed.denseLatency)
        let scores = try options.optionalTable("scores").map(ScoreTable.read)
        let custom = try options.value("policy").function
        let name = custom == nil ? try policyName(options, isWhitened: whitening != nil) : "custom"
        let planner = try planner(options, Policy(name: name) ?? .uniform, scores)
        var choice: PortfolioChoice?
        if name == PortfolioTable.policy {
            let seed = try options.integer("seed", default: randomState.seed)
            choice = try PortfolioTable.choose(model, decomposed, planner, budget, formats, options, seed: seed)
            call.recount(model, position: 1)
        }
        let plan =
            try choice?.plan ?? custom.map { try CustomPolicy.plan(by: $0, decomposed, planner, budget, call.state) }
            ?? planner.plan(decomposed, budget: budget)
        let made = try table(plan, classifier: classifier, in: call.state)
        try made.rawSet("formats", try FormatOption.value(of: options))
        try made.set("whitened", whitening != nil || choice?.isWhitened == true)
        try made.rawSet("whiten", try options.value(choice?.isWhitened == true ? "data" : "whiten"))
        if let choice { try made.set("portfolio", PortfolioTable.rows(choice, in: call.state)) }
        try call.push(made)
    }

    /// What was measured for a policy is used. Images choose from a portfolio, unless a policy is named; without any the weights
    /// decide.
    private static func policyName(_ options: OptionReader, isWhitened: Bool) throws -> String {
        let curves = try options.optionalTable("curves")?.rawGet("measure").string.flatMap(Policy.init(name:))
        let hasImages = try options.has("data")
        let fallback = curves?.name ?? (hasImages && !isWhitened ? PortfolioTable.policy : Policy.standard.name)
        let name = try options.choice("policy", among: Policy.names + [PortfolioTable.policy], default: fallback)
        if hasImages, name != PortfolioTable.policy {
            throw options.invalid("data", "is for choosing among policies, but one is given or follows from the curves: '\(name)'")
        }
        if isWhitened, name == PortfolioTable.policy {
            throw options.invalid("whiten", "must be left out where images choose: plans on whitened weights are among those that they choose from")
        }
        return name
    }

    private static func limits(_ options: OptionReader) throws -> [(Budget.Quantity, Double)] {
        let table = try options.nested("budget", described: OptionTable.options(of: "Budget") ?? [])
        var limits = try Budget.Quantity.allCases.compactMap { quantity in
            try table.optionalNumber(quantity.rawValue).map { (quantity, $0) }
        }
        // A time may be below 1 as a share is, so it has a name of its own.
        if let share = try table.optionalNumber("latency"), share > 1 {
            throw options.invalid("budget.latency", "must be a share of at most 1, got \(share); a time is latency_ms, in milliseconds")
        }
        if let milliseconds = try table.optionalNumber("latency_ms") {
            guard milliseconds > 1e-3 else {
                throw options.invalid("budget.latency_ms", "must be a time above 0.001 ms, got \(milliseconds)")
            }
            if try table.has("latency") { throw options.invalid("budget", "must have latency or latency_ms, not both") }
            limits.append((.latency, milliseconds * 1e6))
        }
        return limits
    }

    private static func planner(_ options: OptionReader, _ policy: Policy, _ scores: LayerScores?) throws -> Planner {
        var planner = Planner(policy: policy, scores: scores)
        planner.curves = try options.optionalTable("curves").map(CurveTable.read)
        let (least, most) = (try options.value("min_rank"), try options.value("max_rank"))
        if least.table == nil { planner.minRank = try rank(least, "min_rank", options) ?? 1 }
        if most.table == nil { planner.maxRank = try rank(most, "max_rank", options) }
        planner.minRanks = try byPattern(least, "min_rank") { try rank($0, $1, options) ?? 1 }.map { ($0, $1) }
        planner.maxRanks = try byPattern(most, "max_rank") { try rank($0, $1, options) ?? 1 }.map { ($0, $1) }
        planner.align = try rank(options.value("align"), "align", options) ?? 1
        planner.frozen = try options.value("freeze").string.map { [$0] } ?? options.optionalStrings("freeze") ?? []
        let fixed = try options.optionalTable("fix").map { LuaValue.table($0) } ?? .nil
        planner.fixed = try byPattern(fixed, "fix") { try ranks($0, place: "mr.plan: option '\($1)'") }.map { ($0, $1) }
        return planner
    }

    /// The fields of a table by names and patterns of layers, the longest last: the last that matches counts.
    private static func byPattern<Value>(
        _ value: LuaValue, _ name: String, _ read: (LuaValue, _ place: String) throws -> Value
    ) throws -> [(String, Value)] {
        if try value.table?.count("mr.plan: option '\(name)'") ?? 0 > 0 {
            throw BindingFailure.planInput(detail: "option '\(name)' needs layers' names, as in { [\"stage1.*\"] = 4 }, but has elements without")
        }
        let fields = try value.table?.fields().map { ($0.name, try read($0.value, "\(name).\($0.name)")) } ?? []
        return fields.sorted { ($0.0.count, $0.0) < ($1.0.count, $1.0) }
    }

    private static func rank(_ value: LuaValue, _ place: String, _ options: OptionReader) throws -> Int? {
        if value.isNil { return nil }
        guard let rank = value.integer, (1...1 << 20).contains(rank) else {
            let got = value.integer.map(String.init) ?? value.number.map { "\($0)" } ?? value.string.map { "'\($0)'" }
            throw options.invalid(place, "must be a whole number of at least 1" + (got.map { ", got " + $0 } ?? ""))
        }
        return rank
    }

    /// One rank for all bonds, or an array of them.
    static func ranks(_ value: LuaValue, place: String) throws -> [Int] {
        if let rank = value.integer { return [rank] }
        let elements = try value.table?.array(place) ?? []
        let ranks = elements.compactMap(\.integer)
        guard !ranks.isEmpty, ranks.count == elements.count else {
            throw BindingFailure.notRanks(place: place)
        }
        return ranks
    }

    static func table(_ plan: Plan, classifier: Bool, in state: LuaState) throws -> LuaTable {
        var fields: LuaFields = [
            "policy": plan.policy, "classifier": classifier,
            "params": plan.parameterCount, "macs": plan.macCount, "dense_params": plan.denseParameterCount,
            "dense_macs": plan.denseMacCount, "bytes": plan.byteCount, "dense_bytes": plan.denseCost.byteCount,
            "activation_bytes": plan.peakActivationByteCount,
            "dense_activation_bytes": plan.denseCost.peakActivationByteCount,
            "keep_params": Double(plan.parameterCount) / Double(max(1, plan.denseParameterCount)),
            "keep_macs": Double(plan.macCount) / Double(max(1, plan.denseMacCount)),
            "seconds": plan.elapsedSeconds, "notes": plan.notes,
        ]
        if let latency = plan.latency, let dense = plan.denseLatency {
            fields.append("latency_ms", Double(latency) / 1e6)
            fields.append("dense_latency_ms", Double(dense) / 1e6)
        }
        if let binding = plan.bindingConstraint { fields.append("binding", binding) }
        if let gap = plan.optimalityGap { fields.append("gap", gap) }
        if let factor = plan.scalingFactor { fields.append("beta", factor) }
        let table = try state.table(fields)
        for row in plan.rows {
            var fields: LuaFields = [
                "layer": row.layer, "format": row.format, "max_ranks": row.maxRanks, "reason": row.reason,
                "error": row.relativeError, "params": row.parameterCount, "dense_params": row.denseParameterCount,
                "macs": row.macCount, "dense_macs": row.denseMacCount,
            ]
            if let ranks = row.ranks { fields.append("ranks", ranks) }
            if let gain = row.gain { fields.append("gain", gain) }
            try table.append(fields)
        }
        return table
    }

    /// The plan a script's table stands for: its rows' ranks, worked out anew for `model`.
    static func read(_ table: LuaTable, for model: ModelObject) throws -> (model: DecomposedModel, plan: Plan) {
        let classifier = try table.rawGet("classifier").boolean ?? false
        let whitening = try Whitening.read(table.rawGet("whiten"))
        if try table.rawGet("whitened").boolean == true, whitening == nil {
            throw BindingFailure.planMismatch(detail: "the plan was made on whitened weights: set its field 'whiten' to the data again")
        }
        var ranks: [String: [Int]] = [:]
        var planner = Planner(policy: .uniform)
        let rows = try LuaJSON.rows(of: table, place: "compress: argument 1 (plan)")
        var made: [(layer: String, parameterCount: Int)] = []
        guard !rows.isEmpty else { throw BindingFailure.planMismatch(detail: "the plan has no rows") }
        for (position, value) in rows.enumerated() {
            guard let row = value.table, let layer = try row.rawGet("layer").string else {
                throw BindingFailure.planMismatch(detail: "plan row \(position + 1) has no 'layer'")
            }
            try refuseUnknownFields(row, layer)
            if let count = try row.rawGet("dense_params").integer { made.append((layer, count)) }
            let chosen = try row.rawGet("ranks")
            if !chosen.isNil { ranks[layer] = try Self.ranks(chosen, place: "compress: \(layer).ranks") }
            // Until 0.2.0 the format was called grouping.
            let format = try row.rawGet("format").string ?? row.rawGet("grouping").string
            if let format { planner.formats[layer] = format }
        }
        let decomposed = try model.decomposition(
            formats(of: table, rows: planner.formats), includesClassifier: classifier, whitening: whitening)
        let policy = try table.rawGet("policy").string ?? "table"
        let plan = try planner.plan(decomposed, budget: nil, ranks: ranks, name: policy)
        try check(plan, wanted: ranks)
        try check(plan, wasMadeFor: made, total: table.rawGet("dense_params").integer, of: model)
        return (decomposed, plan)
    }

    /// The formats that a plan was made in. A plan of 0.2.0 says only which its rows have.
    private static func formats(of table: LuaTable, rows: [String: String]) throws -> FormatChoice {
        if let choice = try FormatOption.read(table.rawGet("formats"), place: "the plan's formats") { return choice }
        let grouping = try table.rawGet("grouping").string
        return FormatChoice([grouping ?? "auto"] + (grouping == nil ? [] : Set(rows.values.filter { $0 != "dense" }).sorted()))
    }

    private static let rowFields = [
        "layer", "format", "grouping", "max_ranks", "reason", "error", "params", "dense_params", "macs", "dense_macs", "ranks", "gain",
    ]

    /// An unknown field is refused, because a misspelt edit would otherwise have no effect.
    private static func refuseUnknownFields(_ row: LuaTable, _ layer: String) throws {
        for (name, _) in try row.fields() where !rowFields.contains(name) {
            let hint = didYouMean(nearestName(to: name, among: rowFields))
            throw BindingFailure.planMismatch(detail: "the plan's row of \(layer) has an unknown field '\(name)'\(hint)")
        }
    }

    /// Ranks that a script set are those that the layers get. A single number stands for as much of it as each bond can have.
    private static func check(_ plan: Plan, wanted: [String: [Int]]) throws {
        for row in plan.rows {
            guard let wanted = wanted[row.layer], let got = row.ranks else { continue }
            let fits = wanted.count == got.count ? wanted == got : wanted[0] <= got.max() ?? 0
            guard fits else {
                throw BindingFailure.planMismatch(
                    detail: "\(row.layer) cannot have ranks \(wanted), at most \(got) of its maximum \(row.maxRanks)")
            }
        }
    }

    private static func check(
        _ plan: Plan, wasMadeFor rows: [(layer: String, parameterCount: Int)], total: Int?, of model: ModelObject
    ) throws {
        let counts = Dictionary(plan.rows.map { ($0.layer, $0.denseParameterCount) }, uniquingKeysWith: { $1 })
        for (layer, count) in rows {
            guard let own = counts[layer], own != count else { continue }
            throw BindingFailure.planMismatch(
                detail: "the plan is of another model: its \(layer) has \(count) parameters, that of \(model.graph.name) \(own)")
        }
        if let total, total != plan.denseParameterCount {
            throw BindingFailure.planMismatch(
                detail: "the plan is of a model with \(total) parameters, but \(model.graph.name) has \(plan.denseParameterCount)")
        }
    }
}
