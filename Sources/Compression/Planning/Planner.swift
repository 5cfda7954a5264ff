import Basics
import Decomposition
import Graphs

/// Chooses ranks for a budget by one of the policies.
///
/// Scaled policies turn one factor β into ranks,
/// r_{l,k}(β) = clamp(round(lo + (maxUseful_{l,k} − lo) · min(1, β·s_l)), lo, maxUseful_{l,k}), the same β for all
/// layers, where maxUseful is the largest rank at which the chain is still cheaper than the layer. The cost grows
/// with β; what integer ranks leave over is spent rank by rank, most significant layer first, and a layer that has
/// all it can use goes back to dense where the budget still allows that. The other policies solve a knapsack.
public struct Planner: Sendable {
    public var policy: Policy
    public var scores: LayerScores?
    /// What each layer alone loses, for the policies that weigh that.
    public var curves: SensitivityCurves?
    public var minRank = 1
    public var maxRank: Int?
    /// Bounds of layers whose names match, in place of those two; the last pattern that matches counts.
    public var minRanks: [(pattern: String, rank: Int)] = []
    public var maxRanks: [(pattern: String, rank: Int)] = []
    /// Ranks are rounded up to multiples of this where there is room.
    public var align = 1
    /// Patterns (`*`, `?`, `[…]`) of layers that stay dense.
    public var frozen: [String] = []
    /// Patterns of layers with given ranks: one for all bonds of the first format, or one per bond.
    public var fixed: [(pattern: String, ranks: [Int])] = []
    /// The format of single layers by name, where the model was decomposed in several; others are not considered then.
    public var formats: [String: String] = [:]

    public init(policy: Policy, scores: LayerScores? = nil) {
        self.policy = policy
        self.scores = scores
    }

    /// Ranks for every layer of `model` within `budget`.
    ///
    /// Where a budget cannot be met with ranks that are multiples of `align`, that gives way: it is halved until the budget can
    /// be met, and the plan's notes say so.
    /// - Throws: `unreachable` with the smallest achievable cost, `missingScores`, `unknownLayer`.
    /// - Complexity: O(layers · ranks) after the first plan of a model, which lists its layers' options; no
    ///   decomposition and no pass over data.
    public func plan(_ model: DecomposedModel, budget: Budget) throws -> Plan {
        var planner = self
        while true {
            do {
                var plan = try planner.strictPlan(model, budget: budget)
                if planner.align < align {
                    plan.notes.append("align = \(align) gave way to \(planner.align): the budget cannot be met with it")
                }
                return plan
            } catch let failure as CompressionFailure where failure.isUnreachable && planner.align > 1 {
                planner.align /= 2
            }
        }
    }

    private func strictPlan(_ model: DecomposedModel, budget: Budget) throws -> Plan {
        let start = ContinuousClock.now
        let model = try restricted(model)
        try checkBounds(model.layers.map(\.name))
        let significances = try significances(model)
        let settled = try FixedChoices(model, self)
        var plan: Plan
        if let weighing = policy.weighing {
            let found = try KnapsackAllocation.assignments(
                model, budget: budget, planner: self, settled: settled, weighing, weights: significances)
            plan = Plan(
                model, found.assignments, policy: policy.name, scores: scores, notes: settled.notes, binding: found.binding)
            plan.optimalityGap = found.gap
        } else {
            var allocation = try ScaledAllocation(model, budget: budget, planner: self, settled: settled)
            let factor = try allocation.bisect { significances[$0] }
            allocation.fill(by: significances)
            plan = Plan(
                model, allocation.result, policy: policy.name, scores: scores, notes: settled.notes,
                binding: allocation.binding)
            plan.scalingFactor = factor
        }
        plan.notes += policy.notes(model)
        plan.elapsedSeconds = start.duration(to: .now) / .seconds(1)
        return plan
    }

    /// The plan for ranks that someone else chose, by layer; layers not named stay dense, and what is frozen or fixed for
    /// all policies stays so.
    /// - Throws: `unknownLayer`; `invalidRanks`, also for ranks outside the planner's bounds; `overBudget` where the ranks
    ///   break the budget.
    public func plan(_ model: DecomposedModel, budget: Budget?, ranks: [String: [Int]], name: String) throws -> Plan {
        let model = try restricted(model)
        let names = Set(model.layers.map(\.name))
        try checkBounds(names.sorted())
        try checkPatterns(names.sorted())
        if let unknown = ranks.keys.sorted().first(where: { !names.contains($0) }) {
            throw CompressionFailure.unknownLayer(pattern: unknown, nearest: nearestName(to: unknown, among: names))
        }
        let chosen = ranks.filter { !rule(for: $0.key).isFrozen && rule(for: $0.key).ranks == nil }
        let settled = try FixedChoices(model, self, chosen: chosen)
        try checkRanks(chosen, settled, model)
        let plan = Plan(
            model, settled.assignments.compactMap { $0 }, policy: name, scores: scores, notes: settled.notes, binding: nil)
        for limit in budget?.limits ?? [] {
            let cost = model.cost(settled.assignments.compactMap { $0 }, limit.quantity)
            if cost > limit.value {
                throw CompressionFailure.overBudget(
                    policy: name, constraint: limit.quantity.rawValue, limit: limit.value, cost: cost)
            }
        }
        return plan
    }

    /// - Throws: `invalidRanks` for ranks that a policy chose against the bounds.
    private func checkRanks(_ chosen: [String: [Int]], _ settled: FixedChoices, _ model: DecomposedModel) throws {
        for (layer, assignment) in zip(model.layers, settled.assignments) where chosen[layer.name] != nil {
            guard case .chain(let index, let ranks, _) = assignment else { continue }
            let bounds = bounds(of: layer.name)
            let (low, high) = (bounds.smallest(layer.chains[index].maxRanks), bounds.largest(layer.chains[index].maxRanks))
            guard zip(ranks, low).allSatisfy({ $0 >= $1 }), zip(ranks, high).allSatisfy({ $0 <= $1 }) else {
                throw CompressionFailure.invalidRanks(
                    layer: layer.name, detail: "the ranks \(ranks) lie outside min_rank and max_rank, which allow \(low) to \(high)")
            }
        }
    }

    private func significances(_ model: DecomposedModel) throws -> [Double] {
        guard policy.needsScores else { return [Double](repeating: 1, count: model.layers.count) }
        guard let scores else { throw CompressionFailure.missingScores(policy: policy.name) }
        let known = Set(model.layers.flatMap(\.uses).map(\.name))
        if let stranger = scores.rows.first(where: { !known.contains($0.layer) }) {
            throw CompressionFailure.scoreForUnknownLayer(layer: stranger.layer, model: model.graph.name)
        }
        if let odd = scores.rows.first(where: { !($0.significance >= 0 && $0.significance.isFinite) }) {
            throw CompressionFailure.invalidOption(
                name: "scores", detail: "needs significances that are finite and not negative, but '\(odd.layer)' has \(odd.significance)")
        }
        // Edited scores may be of any size: the largest counts as 1, and what is nothing beside it as 0.
        let largest = scores.rows.map(\.significance).max() ?? 0
        let shares = scores.rows.map { row -> (String, Double) in
            let share = largest > 0 ? row.significance / largest : 0
            return (row.layer, share < 1e-9 ? 0 : share)
        }
        let byLayer = Dictionary(shares, uniquingKeysWith: { $1 })
        return try model.layers.map { layer in
            // A layer with several uses is as significant as the most significant of them.
            if let share = layer.uses.compactMap({ byLayer[$0.name] }).max() { return policy.significance(share) }
            let rule = rule(for: layer.name)
            // The classifier has no score, and what is settled needs none.
            guard layer.chains.isEmpty || layer.layer.isClassifier || rule.isFrozen || rule.ranks != nil else {
                throw CompressionFailure.missingScore(policy: policy.name, layer: layer.name)
            }
            return 1
        }
    }

    /// What makes losses of the errors of each layer, in order; `nil` for a scaled policy.
    /// - Throws: as `lossCurves`.
    func lossJudges(_ model: DecomposedModel) throws -> [LossTransform]? {
        if let curves = try lossCurves(model) { return curves.map { curve in { curve($0) } } }
        return policy.weighing.map { weighing in
            model.layers.map { $0.isInSeries ? weighing.lossInSeries ?? weighing.loss : weighing.loss }
        }
    }

    /// One curve per layer, in order; `nil` for a policy that needs none.
    /// - Throws: `missingCurves` where the curves were not given, measured something else or lack a layer.
    private func lossCurves(_ model: DecomposedModel) throws -> [LossCurve]? {
        guard let measure = policy.weighing?.measure else { return nil }
        guard let curves, curves.measure == measure else {
            throw CompressionFailure.missingCurves(policy: policy.name, layer: nil)
        }
        let points = Dictionary(curves.layers.map { ($0.name, $0.points) }, uniquingKeysWith: { $1 })
        return try model.layers.map { layer in
            guard !layer.chains.isEmpty else { return LossCurve([]) }
            guard let own = points[layer.name], !own.isEmpty else {
                throw CompressionFailure.missingCurves(policy: policy.name, layer: layer.name)
            }
            guard own.allSatisfy({ $0.loss.isFinite && $0.squaredError.isFinite }) else {
                throw CompressionFailure.invalidOption(name: "curves", detail: "must be finite, but those of '\(layer.name)' are not")
            }
            return LossCurve(own)
        }
    }

    /// What is settled for a layer: whether it is frozen, and its fixed ranks.
    package func rule(for layer: String) -> (isFrozen: Bool, ranks: [Int]?) {
        if frozen.contains(where: { Self.matches($0, layer) }) { return (true, nil) }
        return (false, fixed.last { Self.matches($0.pattern, layer) }?.ranks)
    }

    /// The model whose layers have the chain of their format alone, where `formats` names one.
    /// - Throws: `unknownLayer`, and `invalidRanks` for a format in which a layer was not decomposed.
    private func restricted(_ model: DecomposedModel) throws -> DecomposedModel {
        guard !formats.isEmpty else { return model }
        let names = Set(model.layers.map(\.name))
        if let unknown = formats.keys.sorted().first(where: { !names.contains($0) }) {
            throw CompressionFailure.unknownLayer(pattern: unknown, nearest: nearestName(to: unknown, among: names))
        }
        var restricted = model
        // What was worked out for all chains does not hold for fewer.
        if model.layers.contains(where: { formats[$0.name] != nil && $0.chains.count > 1 }) { restricted.cache = PlanningCache() }
        for (index, layer) in model.layers.enumerated() where !layer.chains.isEmpty {
            guard let wanted = formats[layer.name] else { continue }
            guard let chain = layer.chainIndex(format: wanted) else {
                let known = layer.chains.map(\.format).joined(separator: ", ")
                throw CompressionFailure.invalidRanks(layer: layer.name, detail: "has no format '\(wanted)', but \(known)")
            }
            restricted.layers[index].keepChain(chain)
        }
        return restricted
    }

    /// - Throws: `unknownLayer` for a pattern that matches nothing.
    func checkPatterns(_ names: [String]) throws {
        let patterns = frozen + fixed.map(\.pattern) + minRanks.map(\.pattern) + maxRanks.map(\.pattern)
        try NamePattern.check(patterns, among: names)
    }

    static func matches(_ pattern: String, _ name: String) -> Bool { NamePattern.matches(pattern, name) }
}
