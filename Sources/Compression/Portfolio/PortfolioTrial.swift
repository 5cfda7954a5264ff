import Basics
import Graphs
import Tensors

/// Makes the plans of a portfolio, cuts and fits by them, and judges what comes out.
struct PortfolioTrial {
    let model: DecomposedModel
    let whitened: DecomposedModel
    let planner: Planner
    let budget: Budget
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
                let twin = entries.first { $0.isWhitened == entry.isWhitened && Self.areAlike($0.plan, plan) }
                entry.plan = twin == nil ? plan : nil
                entry.note = twin.map { "the same plan as \($0.name)" }
            } catch let failure as CompressionFailure where failure.isUnreachable {
                entry.note = "does not fit into the budget"
                firstFailure = firstFailure ?? failure
            }
            entries.append(entry)
        }
        if let firstFailure, entries.allSatisfy({ $0.plan == nil }) { throw firstFailure }
        return entries
    }

    /// Whether two plans make the same model of the same decomposition.
    static func areAlike(_ one: Plan?, _ other: Plan) -> Bool {
        one?.rows.map(\.ranks) == other.rows.map(\.ranks) && one?.rows.map(\.format) == other.rows.map(\.format)
    }

    private func plan(_ candidate: PortfolioCandidate) throws -> Plan {
        var planner = planner
        planner.policy = candidate.policy
        // Measures that need labels must have been taken before; without them the planner says so.
        if let measure = candidate.policy.weighing?.measure, [.output, .features].contains(measure), planner.curves?.measure != measure {
            planner.curves = try curves(measure, candidate.isWhitened)
        }
        // What the planner allows at most goes before the least that a candidate wants.
        let most = (planner.maxRanks.map(\.rank) + [planner.maxRank ?? .max]).reduce(.max, min)
        planner.minRank = max(planner.minRank, min(candidate.minRank, most))
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
}
