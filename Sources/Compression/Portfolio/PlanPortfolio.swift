import Basics
public import Graphs
public import Tensors

/// Plans by several policies, of which images without labels choose one.
///
/// No policy is the best for every network: what keeps a ResNet may give up a layer of a narrow network that everything passes
/// through. Planning takes milliseconds and a fit by least squares seconds, so several plans are made, cut and fitted, and that
/// one is taken whose model diverges least from the dense model on images that nothing was fitted to. All of them get a first
/// look on few images; the best are fitted and judged on all; then a plan between the two best is tried.
public struct PlanPortfolio: Sendable {
    /// On how many images models are told apart whose divergences differ by a tenth.
    public static let judgedImageCount = 512

    public var candidates = PortfolioCandidate.usual
    /// How many images everything is fitted to, and how many it is judged on, in the first look.
    public var firstLookCount = 64
    /// How many plans at most are fitted to all images.
    public var finalistCount = 4
    /// A plan whose divergence at the first look is above this many times the least is no finalist, unless it is the second.
    public var tolerance = 2.0

    public init() {}

    /// - Parameters:
    ///   - model: decomposed, of the plain weights.
    ///   - whitened: the same with moments of its layers' inputs, for the candidates that plan on these.
    ///   - planner: everything but the policy: bounds of ranks, alignment, what is frozen or fixed, and scores where there are any.
    ///   - images: batches as the model takes them, [N, …], to fit to.
    ///   - held: others, to judge by.
    /// - Returns: the plan with the least divergence, and what was measured of each.
    /// - Throws: `unreachable` where no candidate meets the budget; `noImages`, `notFiniteImages`, `noContent`; `notFinite` where no
    ///   candidate gives numbers; failures of planning, of the fit and of execution.
    /// - Complexity: a fit by least squares on all images for each finalist and one more, and one on few for each candidate.
    public func choose(
        _ model: DecomposedModel, whitened: DecomposedModel, planner: Planner, budget: Budget, images: [Tensor], held: [Tensor]
    ) throws -> PortfolioChoice {
        let start = ContinuousClock.now
        try ImageCheck.check(images)
        let trial = try PortfolioTrial(model, whitened: whitened, planner: planner, budget: budget, images: images, held: held, firstLookCount)
        var entries = try trial.planned(candidates)
        // Nothing is nearer to the dense model than itself.
        if let whole = entries.firstIndex(where: { $0.plan?.rows.allSatisfy { $0.ranks == nil } == true }), let plan = entries[whole].plan {
            try trial.judge(&entries[whole])
            return PortfolioChoice(entries, chosen: whole, plan, seconds: start.duration(to: .now) / .seconds(1))
        }
        var progress = ProgressReport("choosing a plan", total: entries.count { $0.plan != nil } + finalistCount + 1)
        for index in entries.indices where entries[index].plan != nil {
            try trial.look(at: &entries[index])
            try progress.advance()
        }
        for index in finalists(of: entries) {
            try trial.judge(&entries[index])
            try progress.advance()
        }
        let ranking = Self.ranking(of: entries.map(\.quality))
        if ranking.count > 1, let between = try trial.between(entries[ranking[0]], entries[ranking[1]]) {
            entries.append(between)
            try trial.judge(&entries[entries.count - 1])
        }
        try progress.advance()
        guard let best = Self.ranking(of: entries.map(\.quality)).first, let plan = entries[best].plan else {
            throw CompressionFailure.notFinite(what: "the result of \(model.graph.name) by any of the plans")
        }
        return PortfolioChoice(entries, chosen: best, plan, seconds: start.duration(to: .now) / .seconds(1))
    }

    /// The best at the first look.
    private func finalists(of entries: [PortfolioEntry]) -> [Int] {
        let looked = Self.ranking(of: entries.map(\.firstLook))
        guard let least = looked.first.flatMap({ entries[$0].firstLook?.distance }) else { return [] }
        return looked.enumerated().filter { position, index in
            position < max(2, finalistCount) && (position < 2 || (entries[index].firstLook?.distance ?? 0) <= tolerance * least)
        }.map(\.element)
    }

    /// The indices of the qualities that are numbers, the best first, and of equal ones the first.
    static func ranking(of qualities: [ModelQuality?]) -> [Int] {
        // A divergence of nothing may come out a little below it.
        let distances = qualities.map { $0.map { max(0, $0.distance) } ?? .nan }
        return distances.indices.filter { !distances[$0].isNaN }.sorted { (distances[$0], $0) < (distances[$1], $1) }
    }
}
