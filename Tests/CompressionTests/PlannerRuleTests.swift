import Basics
import Compression
import Decomposition
import Graphs
import Tensors
import Testing

/// What a planner is told about single layers: frozen and fixed ones, bounds, alignment.
@Suite(.serialized) struct PlannerRuleTests {
    private static let shared = Result { try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.trains) }
    let model: DecomposedModel

    init() throws { model = try Self.shared.get() }

    @Test func layersAreFrozenAndFixedByNameAndPattern() throws {
        var planner = Planner(policy: .uniform)
        planner.frozen = ["conv1", "stage3.*"]
        planner.fixed = [("stage2.block1.conv?", [5]), ("stage2.block1.conv2", [4, 6])]
        let plan = try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.95, model))
        let rows = Dictionary(uniqueKeysWithValues: plan.rows.map { ($0.layer, $0) })
        for name in ["conv1", "stage3.block1.conv1", "stage3.block1.conv2"] {
            #expect(rows[name]?.ranks == nil && rows[name]?.reason == "frozen")
        }
        #expect(rows["stage2.block1.conv1"]?.ranks == [5, 5] && rows["stage2.block1.conv1"]?.reason == "fixed")
        #expect(rows["stage2.block1.conv2"]?.ranks == [4, 6], "the last pattern counts")
        #expect(rows["fc"]?.reason == "classifier: left dense unless asked for" && plan.notes.isEmpty)
    }

    @Test func ranksAboveTheirBoundAreLoweredAndReported() throws {
        var planner = Planner(policy: .uniform)
        planner.fixed = [("stage1.block1.conv1", [99, 8])]
        let plan = try planner.plan(model, budget: CompressionSamples.budget(.parameters, 1, model))
        let row = try #require(plan.rows.first { $0.layer == "stage1.block1.conv1" })
        #expect(row.ranks == [16, 8] && row.reason == "fixed, lowered to its bound")
        #expect(plan.notes == ["stage1.block1.conv1: bond 1: rank 99 lowered to its bound 16"])
    }

    /// A layer that everything passes through and that loses most of its energy is a warning.
    @Test func whatHasNoShortcutAndLosesMostIsSaid() throws {
        let model = try DecomposedModel(CompressionSamples.mixed())
        let tight = try Planner(policy: .uniform).plan(model, budget: CompressionSamples.budget(.parameters, 0.3, model))
        let lost = zip(model.layers, tight.rows).filter { $0.isInSeries && $1.ranks != nil && $1.relativeError * $1.relativeError > 0.5 }
        #expect(!lost.isEmpty && tight.notes.contains { $0.hasPrefix("warning: ") && $0.contains("no shortcut") })
        let roomy = try Planner(policy: .uniform).plan(model, budget: CompressionSamples.budget(.parameters, 0.95, model))
        #expect(!roomy.notes.contains { $0.hasPrefix("warning: ") })
    }

    @Test func patternsThatMatchNothingNameTheNearest() throws {
        let budget = try CompressionSamples.budget(.parameters, 0.5, model)
        var planner = Planner(policy: .uniform)
        planner.frozen = ["stage3.block1.conv3"]
        let frozen = #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: budget) }
        #expect(frozen?.description.hasPrefix("plan: no layer matches 'stage3.block1.conv3' (did you mean 'stage3.block1.conv") == true)
        planner.frozen = []
        planner.fixed = [("stage9.*", [4])]
        let fixed = #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: budget) }
        #expect(fixed?.description == "plan: no layer matches 'stage9.*' (did you mean 'stage1.*'?)")
        planner.fixed = [("[", [4])]
        #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: budget) }
    }

    @Test(arguments: [[], [0, 4], [-1], [1, 2, 3], [.min]]) func wrongRanksAreRefused(ranks: [Int]) throws {
        var planner = Planner(policy: .uniform)
        planner.fixed = [("stage1.block1.conv1", ranks)]
        let failure = #expect(throws: CompressionFailure.self) {
            try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.5, model))
        }
        #expect(failure?.code == "compression.invalidRanks")
    }

    @Test func layersThatStayDenseCannotBeGivenRanks() throws {
        let mixed = try DecomposedModel(CompressionSamples.mixed(), formats: CompressionSamples.trains)
        for name in ["fc"] {
            var planner = Planner(policy: .uniform)
            planner.fixed = [(name, [2])]
            let failure = #expect(throws: CompressionFailure.self) {
                try planner.plan(mixed, budget: CompressionSamples.budget(.parameters, 0.9, mixed))
            }
            #expect(failure?.code == "compression.invalidRanks" && failure?.description.hasPrefix(name) == true)
        }
    }

    @Test func ranksKeepTheirBounds() throws {
        var planner = Planner(policy: .uniform)
        (planner.minRank, planner.maxRank) = (3, 7)
        for keep in [0.3, 0.6] {
            let plan = try planner.plan(model, budget: CompressionSamples.budget(.parameters, keep, model))
            for row in plan.rows {
                for (rank, bound) in zip(row.ranks ?? [], row.maxRanks) {
                    #expect((min(3, bound)...7).contains(rank), "\(row.layer) \(row.ranks ?? [])")
                }
            }
        }
    }

    /// Bounds by pattern hold in place of those of all layers, for policies on ladders and on options.
    @Test(arguments: [Policy.uniform, .energy, .knapsack, .minimax]) func singleLayersHaveBounds(_ policy: Policy) throws {
        var planner = Planner(policy: policy)
        planner.maxRank = 20
        planner.minRanks = [("stage3.*", 6)]
        planner.maxRanks = [("stage1.*", 3), ("stage1.block1.conv2", 5)]
        var met = Set<String>()
        for keep in [0.2, 0.6] {
            for row in try planner.plan(model, budget: CompressionSamples.budget(.parameters, keep, model)).rows {
                let range =
                    row.layer.hasPrefix("stage3")
                    ? 6...20
                    : row.layer == "stage1.block1.conv2"
                        ? 1...5
                        : row.layer.hasPrefix("stage1") ? 1...3 : 1...20
                for rank in row.ranks ?? [] {
                    #expect(range.contains(rank), "\(keep) \(row.layer) \(row.ranks ?? [])")
                    met.insert(row.layer)
                }
            }
        }
        #expect(met.contains("stage3.block1.conv2"))
        if policy == .uniform || policy == .energy { #expect(met.isSuperset(of: ["stage1.block1.conv1", "stage1.block1.conv2"])) }
    }

    @Test(arguments: [Policy.uniform, .knapsack]) func aLayerWhoseLeastRanksDoNotPayStaysDense(_ policy: Policy) throws {
        var planner = Planner(policy: policy)
        planner.minRanks = [("stage1.*", 16)]
        let plan = try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.6, model))
        for row in plan.rows where row.layer.hasPrefix("stage1") {
            #expect(row.ranks == nil && row.reason == "a chain of ranks of at least 16 is never below the dense layer's params")
        }
        planner.minRanks = [("stage1.*", 8)]
        planner.maxRanks = [("*conv1", 7)]
        let failure = #expect(throws: CompressionFailure.self) {
            try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.6, model))
        }
        #expect(failure?.description == "option 'max_rank' must be at least min_rank 8, but is 7 for stage1.block1.conv1")
        planner.maxRanks = [("stage8.*", 7)]
        #expect(throws: CompressionFailure.self) {
            try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.6, model))
        }
    }

    /// Ranks from elsewhere do not overrule what is frozen or fixed, nor the bounds.
    @Test func chosenRanksLeaveTheRulesInForce() throws {
        var planner = Planner(policy: .uniform)
        (planner.frozen, planner.fixed) = (["stage1.block1.conv1"], [("stage2.*", [4])])
        let ranks = ["stage1.block1.conv1": [3], "stage2.block1.conv2": [9], "stage3.block1.conv1": [5]]
        let plan = try planner.plan(model, budget: nil, ranks: ranks, name: "mine")
        let rows = Dictionary(uniqueKeysWithValues: plan.rows.map { ($0.layer, $0) })
        #expect(rows["stage1.block1.conv1"]?.reason == "frozen" && rows["stage2.block1.conv1"]?.ranks == [4, 4])
        #expect(rows["stage2.block1.conv2"]?.ranks == [4, 4] && rows["stage3.block1.conv1"]?.ranks == [5, 5])
        #expect(rows["stage3.block1.conv2"]?.ranks == nil)
        planner.minRank = 6
        let failure = #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: nil, ranks: ranks, name: "mine") }
        #expect(failure?.description.hasPrefix("stage3.block1.conv1: the ranks [5, 5] lie outside min_rank and max_rank") == true)
    }

    @Test func fixedRanksThatCostMoreThanTheLayerSaySo() throws {
        var planner = Planner(policy: .uniform)
        planner.fixed = [("stage1.block1.conv1", [16]), ("stage1.block1.conv2", [4])]
        let plan = try planner.plan(model, budget: CompressionSamples.budget(.parameters, 1, model))
        let reasons = Dictionary(uniqueKeysWithValues: plan.rows.map { ($0.layer, $0.reason) })
        #expect(reasons["stage1.block1.conv1"] == "fixed, above the dense layer's params")
        #expect(reasons["stage1.block1.conv2"] == "fixed")
    }

    static let options: [@Sendable (inout Planner) -> Void] = [
        { $0.minRanks = [("*", 0)] }, { $0.maxRanks = [("*", -1)] },
        { $0.minRank = 0 }, { $0.minRank = .min }, { $0.maxRank = 0 }, { $0.maxRank = -3 }, { $0.align = 0 },
        { $0.align = .max }, { $0.minRank = .max }, { ($0.minRank, $0.maxRank) = (5, 4) },
    ]

    @Test(arguments: options.indices) func optionsOutOfRangeAreRefused(_ index: Int) throws {
        var planner = Planner(policy: .uniform)
        Self.options[index](&planner)
        let failure = #expect(throws: CompressionFailure.self) {
            try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.5, model))
        }
        #expect(failure?.code == "compression.invalidOption")
    }

    /// A preference gives way before a budget is refused, and the plan says so; a budget out of reach is refused still.
    @Test func alignmentGivesWay() throws {
        for policy in [Policy.uniform, .quadratic] {
            var planner = Planner(policy: policy)
            let smallest = try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.05, model))
            planner.align = 16
            let budget = try Budget([(.parameters, Double(smallest.parameterCount))], dense: model.cost)
            let plan = try planner.plan(model, budget: budget)
            #expect(plan.parameterCount <= smallest.parameterCount)
            #expect(plan.notes.contains { $0.hasPrefix("align = 16 gave way to ") }, "\(policy) \(plan.notes)")
            let roomy = try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.7, model))
            #expect(!roomy.notes.contains { $0.contains("gave way") })
            let none = try Budget([(.parameters, 10)], dense: model.cost)
            #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: none) }
        }
    }
}
