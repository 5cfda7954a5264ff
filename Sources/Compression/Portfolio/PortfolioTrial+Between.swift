/// A plan between two others.
extension PortfolioTrial {
    /// The plan whose ranks lie between those of two, in the formats of the first; `nil` where there is none within the budget, or it
    /// is one of them.
    ///
    /// A layer that the first leaves dense stays so, since a chain that saves little there may take more time; one that only the second
    /// leaves dense has all its ranks there. The means are scaled by one factor to the budget.
    func between(_ one: PortfolioEntry, _ other: PortfolioEntry) throws -> PortfolioEntry? {
        guard let first = one.plan, let second = other.plan else { return nil }
        let model = one.isWhitened ? whitened : model
        var (planner, targets, reasons) = (planner, [[Double]](), [String: String]())
        for (layer, (row, rival)) in zip(model.layers, zip(first.rows, second.rows)) {
            guard let ranks = row.ranks, let chain = layer.chainIndex(format: row.format) else {
                planner.frozen.append(layer.name)
                reasons[layer.name] = row.reason
                targets.append([])
                continue
            }
            planner.formats[layer.name] = row.format
            targets.append(Self.means(ranks, of: row.format, rival, bounds: layer.chains[chain].maxRanks))
        }
        planner.policy = Self.policy("between \(one.name) and \(other.name)", targets, planner.formats, model)
        do {
            var plan = try planner.plan(model, budget: budget)
            guard !Self.areAlike(first, plan), !Self.areAlike(second, plan) else { return nil }
            // Nobody asked for these to be frozen: they are dense for the reason that they have in the first plan.
            for index in plan.rows.indices { plan.rows[index].reason = reasons[plan.rows[index].layer] ?? plan.rows[index].reason }
            return PortfolioEntry(name: planner.policy.name, isWhitened: one.isWhitened, plan: plan)
        } catch let failure as CompressionFailure where failure.isUnreachable {
            return nil
        }
    }

    /// Ranks in the proportion of `targets`, by layer, in the only format that each has; all are at their bounds where the factor is 1.
    private static func policy(_ name: String, _ targets: [[Double]], _ formats: [String: String], _ model: DecomposedModel) -> Policy {
        let bounds = model.layers.map { layer in layer.chains.first { $0.format == formats[layer.name] }?.maxRanks ?? [] }
        let ratios = zip(bounds, targets).flatMap { zip($0, $1).map { Double($0) / $1 } }
        let ratio = ratios.reduce(1, max)
        return Policy(name, .scaled { _ in { layer, _ in .scaled(targets[layer].map { $0 * ratio }) } })
    }

    /// The geometric means of ranks and of those of a row in the same format; where that is another, the ranks themselves.
    private static func means(_ own: [Int], of format: String, _ other: PlanRow, bounds: [Int]) -> [Double] {
        let theirs = other.ranks == nil ? bounds : other.format == format ? other.ranks ?? [] : own
        return zip(own, theirs).map { (Double($0) * Double($1)).squareRoot() }
    }
}
