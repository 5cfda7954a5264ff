import Basics
import Compression
import Graphs
import Operations
import Tensors
import Testing

/// Plans by several policies, of which images choose.
@Suite(.serialized) struct PlanPortfolioTests {
    private func images(_ counts: [Int], seed: UInt64) throws -> [Tensor] {
        var random = RandomSource(seed: seed)
        return try counts.map { try .normal(Shape([$0, 3, 16, 16]), using: &random) }
    }

    private func choose(
        keeping share: Double, _ change: (inout PlanPortfolio, inout Planner) -> Void = { _, _ in }
    ) throws -> (PortfolioChoice, DecomposedModel) {
        let model = try DecomposedModel(CompressionSamples.resNet())
        let fitted = try images([40, 40], seed: 4)
        let whitened = try DecomposedModel(model.graph, moments: InputStatistics(model.graph, images: fitted))
        var (portfolio, planner) = (PlanPortfolio(), Planner(policy: .standard))
        change(&portfolio, &planner)
        let budget = try CompressionSamples.budget(.parameters, share, model)
        let choice = try portfolio.choose(
            model, whitened: whitened, planner: planner, budget: budget, images: fitted, held: images([50, 46], seed: 5))
        return (choice, model)
    }

    @Test func thatPlanIsTakenWhichDivergesLeast() throws {
        let (choice, model) = try choose(keeping: 0.3)
        let judged = choice.entries.filter { $0.quality != nil }
        #expect(judged.count >= 2 && judged.allSatisfy { $0.quality?.imageCount == 96 && $0.plan != nil })
        let least = judged.compactMap { $0.quality?.distance }.reduce(.infinity, min)
        let best = choice.entries[choice.chosen]
        #expect(best.quality?.distance == least && choice.plan.policy == best.name && choice.plan.rows == best.plan?.rows)
        #expect(choice.plan.parameterCount <= Int(0.3 * Double(model.cost.parameterCount)))
        #expect(choice.plan.notes.contains { $0.hasPrefix("chosen of \(choice.entries.count) plans by its divergence of ") })
    }

    /// A first look on few images sorts out what is far behind, and what is the same as another is looked at once.
    @Test func onlyTheBestOfTheFirstLookAreFittedToAll() throws {
        let (choice, _) = try choose(keeping: 0.4) { portfolio, _ in
            portfolio.candidates = [.init(.quadratic), .init(.uniform), .init(.energy), .init(.quadratic, minRank: 1), .init(.knapsack)]
            (portfolio.finalistCount, portfolio.firstLookCount) = (2, 24)
        }
        let named = choice.entries.filter { !$0.name.hasPrefix("between ") }
        #expect(named.map(\.name) == ["quadratic", "uniform", "energy", "quadratic", "knapsack"])
        #expect(named[3].plan == nil && named[3].note == "the same plan as quadratic")
        #expect(named.filter { $0.quality != nil }.count == 2)
        #expect(named.filter { $0.plan != nil }.allSatisfy { $0.firstLook?.imageCount == 24 })
        let looked = named.filter { $0.firstLook != nil }.sorted { ($0.firstLook?.distance ?? 0) < ($1.firstLook?.distance ?? 0) }
        #expect(looked.prefix(2).allSatisfy { $0.quality != nil })
    }

    /// The last plan that is tried has ranks between those of the two best.
    @Test func aPlanBetweenTheBestIsTried() throws {
        let (choice, _) = try choose(keeping: 0.3) { portfolio, _ in portfolio.candidates = [.init(.uniform), .init(.knapsack)] }
        let between = try #require(choice.entries.last)
        #expect(between.name.hasPrefix("between ") && between.quality != nil && choice.entries.count == 3)
        #expect(between.plan?.rows.contains { $0.reason == "frozen" } == false)
        let (one, other, middle) = (choice.entries[0].plan?.rows ?? [], choice.entries[1].plan?.rows ?? [], between.plan?.rows ?? [])
        let apart = zip(zip(one, other), middle).filter { $0.0.ranks != $0.1.ranks && $0.0.format == $0.1.format && $1.ranks?.count == $0.0.ranks?.count }
        #expect(!apart.isEmpty)
    }

    /// Where the budget has room for the dense model, nothing is cut, whatever the images are.
    @Test func whatFitsWholeStaysWhole() throws {
        let (choice, _) = try choose(keeping: 1)
        #expect(choice.plan.rows.allSatisfy { $0.ranks == nil } && choice.entries.count { $0.quality != nil } == 1)
    }

    @Test func candidatesWithoutRoomAreSaidAndNoneIsAnError() throws {
        let (choice, _) = try choose(keeping: 0.25) { portfolio, _ in
            portfolio.candidates = [.init(.quadratic), .init(.quadratic, minRank: 64)]
        }
        #expect(choice.entries[1].plan == nil && choice.entries[1].note == "does not fit into the budget")
        #expect(choice.entries[choice.chosen].name == "quadratic")
        let failure = #expect(throws: CompressionFailure.self) { try choose(keeping: 0.001) }
        #expect(failure?.code == "compression.unreachable")
    }

    /// Candidates that read scores take part where there are some, and what a planner freezes stays.
    @Test func scoresAndRulesCount() throws {
        let model = try DecomposedModel(CompressionSamples.resNet())
        let scores = CompressionSamples.scores(of: model)
        let frozen = model.layers[2].name
        let (choice, _) = try choose(keeping: 0.4) { portfolio, planner in
            portfolio.candidates = [.init(.barrier), .init(.lwiqFloored), .init(.lwiqBarrier)]
            (planner.scores, planner.frozen) = (scores, [frozen])
        }
        #expect(choice.entries.prefix(3).map(\.name) == ["barrier", "lwiq_floored", "lwiq_barrier"])
        #expect(choice.entries.allSatisfy { $0.plan?.rows[2].ranks == nil })
        let (without, _) = try choose(keeping: 0.4) { portfolio, _ in portfolio.candidates = [.init(.barrier), .init(.lwiqFloored)] }
        #expect(without.entries.map(\.name) == ["barrier"])
    }

    /// A candidate's own floor of ranks gives way to what the planner allows at most, and a measure that nobody took is an error.
    @Test func candidatesKeepToThePlannersBounds() throws {
        for change in [{ $0.maxRank = 3 }, { $0.maxRanks = [("stage3.*", 2)] }] as [(inout Planner) -> Void] {
            let (choice, _) = try choose(keeping: 0.6) { portfolio, planner in
                portfolio.candidates = [.init(.quadratic), .init(.quadratic, minRank: 4)]
                change(&planner)
            }
            #expect(choice.plan.rows.contains { $0.ranks != nil })
        }
        let failure = #expect(throws: CompressionFailure.self) {
            try choose(keeping: 0.4) { portfolio, _ in portfolio.candidates = [.init(.sensitivity)] }
        }
        #expect(failure?.code == "compression.missingCurves")
    }

    @Test func imagesThatAreNoneAreRefused() throws {
        let model = try DecomposedModel(CompressionSamples.resNet())
        let budget = try CompressionSamples.budget(.parameters, 0.4, model)
        let good = try images([20], seed: 1)
        let broken = try good[0].copy()
        try broken.withMutableElements(of: Float.self) { $0[7] = .nan }
        for (fitted, held) in [([], good), (good, []), ([broken], good)] {
            #expect(throws: CompressionFailure.self) {
                try PlanPortfolio().choose(
                    model, whitened: model, planner: Planner(policy: .standard), budget: budget, images: fitted, held: held)
            }
        }
    }
}
