import Basics
import Graphs
import Tensors

/// Makes the plans of a portfolio, cuts and fits by them, and judges what comes out.
struct PortfolioTrial {
    private let model: DecomposedModel
    private let whitened: DecomposedModel
    private let planner: Planner
    private let budget: Budget
    private let images: [Tensor]
    private let judge: QualityJudge
    private let firstImages: [Tensor]
    private let firstJudge: QualityJudge

    init(
        _ model: DecomposedModel, whitened: DecomposedModel, planner: Planner, budget: Budget, images: [Tensor], held: [Tensor],
        _ firstLookCount: Int
    ) throws {
        (self.model, self.whitened, self.planner, self.budget, self.images) = (model, whitened, planner, budget, images)
        judge = try QualityJudge(dense: model.graph, images: held, labels: nil)
        firstImages = try Self.first(firstLookCount, of: images)
        firstJudge = try QualityJudge(dense: model.graph, images: Self.first(firstLookCount, of: held), labels: nil)
    }

    /// The first `count` images of batches.
    private static func first(_ count: Int, of batches: [Tensor]) throws -> [Tensor] {
        var (taken, left) = ([Tensor](), count)
        for batch in batches where left > 0 {
            let size = min(left, batch.shape[0])
            taken.append(size == batch.shape[0] ? batch : try batch.sliced(dim: 0, from: 0, to: size).contiguous())
            left -= size
        }
        return taken
    }

    // MARK: Plans

    /// A plan of each candidate that can make one, and what keeps the others from it.
    /// - Throws: `unreachable` where none meets the budget; what is wrong with the planner's options.
    func planned(_ candidates: [PortfolioCandidate]) throws -> [PortfolioEntry] {
        var (entries, firstFailure) = ([PortfolioEntry](), CompressionFailure?.none)
        for candidate in candidates where !candidate.policy.needsScores || planner.scores != nil {
            var entry = PortfolioEntry(name: candidate.name, isWhitened: candidate.isWhitened)
            do {
                let plan = try plan(candidate)
                let twin = entries.first {
                    $0.isWhitened == entry.isWhitened && $0.plan?.rows.map(\.ranks) == plan.rows.map(\.ranks)
                        && $0.plan?.rows.map(\.format) == plan.rows.map(\.format)
                }
                entry.plan = twin == nil ? plan : nil
                entry.note = twin.map { "the same plan as \($0.name)" }
            } catch let failure as CompressionFailure {
                switch failure {
                case .unreachable, .unreachableTogether: entry.note = "does not fit into the budget"
                default: throw failure
                }
                firstFailure = firstFailure ?? failure
            }
            entries.append(entry)
        }
        if let firstFailure, entries.allSatisfy({ $0.plan == nil }) { throw firstFailure }
        return entries
    }

    private func plan(_ candidate: PortfolioCandidate) throws -> Plan {
        var planner = planner
        planner.policy = candidate.policy
        if let measure = candidate.policy.weighing?.measure {
            guard measure == .output || measure == .features else { preconditionFailure("a measure that needs labels is no candidate") }
            if planner.curves?.measure != measure { planner.curves = try curves(measure, candidate.isWhitened) }
        }
        planner.minRank = max(planner.minRank, candidate.minRank)
        return try planner.plan(candidate.isWhitened ? whitened : model, budget: budget)
    }

    private func curves(_ measure: SensitivityCurves.Measure, _ isWhitened: Bool) throws -> SensitivityCurves {
        var analysis = SensitivityAnalysis()
        analysis.measure = measure
        let labels = firstImages.map { [Int](repeating: 0, count: $0.shape[0]) }
        return try analysis.measure(isWhitened ? whitened : model, images: firstImages, labels: labels)
    }

    // MARK: What comes of them

    /// Fits to the first images, and judges by the first of the others.
    func look(at entry: inout PortfolioEntry) throws {
        let start = ContinuousClock.now
        guard let plan = entry.plan else { return }
        entry.firstLook = try quality(plan, entry.isWhitened, firstImages, firstJudge)
        entry.elapsedSeconds += start.duration(to: .now) / .seconds(1)
    }

    /// Fits to all images, and judges by all others.
    func judge(_ entry: inout PortfolioEntry) throws {
        let start = ContinuousClock.now
        guard let plan = entry.plan else { return }
        entry.quality = try quality(plan, entry.isWhitened, images, judge)
        entry.elapsedSeconds += start.duration(to: .now) / .seconds(1)
    }

    /// Of the better of the cut model and the fitted one.
    private func quality(_ plan: Plan, _ isWhitened: Bool, _ images: [Tensor], _ judge: QualityJudge) throws -> ModelQuality {
        try Cancellation.check()
        let cut = try Compressor.compress(isWhitened ? whitened : model, plan: plan)
        let before = try judge.quality(of: cut)
        guard cut.nodes.contains(where: { $0.origin != nil }) else { return before }
        let fitted = try LeastSquaresReconstruction.repair(cut, towards: model.graph, images: images).graph
        let after = try judge.quality(of: fitted)
        return after.isBetter(than: before) ? after : before
    }

    // MARK: Between two plans

    /// The plan whose ranks lie between those of two, in the formats of the first; `nil` where there is none, or it is one of them.
    ///
    /// A layer that one of them leaves dense has all the ranks that pay there. The means are scaled by one factor to the budget.
    func between(_ one: PortfolioEntry, _ other: PortfolioEntry) throws -> PortfolioEntry? {
        guard let first = one.plan, let second = other.plan else { return nil }
        let model = one.isWhitened ? whitened : model
        var (planner, means) = (planner, [String: [Double]]())
        for ((layer, row), rival) in zip(zip(model.layers, first.rows), second.rows) {
            let leader = row.ranks == nil ? rival : row
            guard leader.ranks != nil, let chain = layer.chainIndex(format: leader.format) else {
                planner.frozen.append(layer.name)
                continue
            }
            planner.formats[layer.name] = leader.format
            means[layer.name] = Self.mean(row, rival, bounds: layer.chains[chain].maxRanks)
        }
        let scale = zip(model.layers, model.layers.map { means[$0.name] }).reduce(1.0) { largest, entry in
            zip(entry.0.chains.first { $0.format == planner.formats[entry.0.name] }?.maxRanks ?? [], entry.1 ?? [])
                .reduce(largest) { max($0, Double($1.0) / $1.1) }
        }
        let found = means
        planner.policy = Policy(
            "between \(one.name) and \(other.name)",
            .scaled { model in
                { layer, _ in .scaled((found[model.layers[layer].name] ?? []).map { $0 * scale }) }
            })
        guard let plan = try? planner.plan(model, budget: budget), plan.rows.map(\.ranks) != first.rows.map(\.ranks),
            plan.rows.map(\.ranks) != second.rows.map(\.ranks)
        else { return nil }
        return PortfolioEntry(name: planner.policy.name, isWhitened: one.isWhitened, plan: plan)
    }

    /// Geometric means of the ranks of two rows, where both have as many; else those of the one that has some.
    private static func mean(_ one: PlanRow, _ other: PlanRow, bounds: [Int]) -> [Double] {
        let own = one.ranks ?? bounds
        guard let ranks = one.ranks == nil ? other.ranks : one.format == other.format ? other.ranks : other.ranks == nil ? bounds : own,
            ranks.count == own.count
        else { return own.map(Double.init) }
        return zip(own, ranks).map { (Double($0) * Double($1)).squareRoot() }
    }
}
