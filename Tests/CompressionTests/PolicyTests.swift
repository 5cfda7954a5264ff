import Basics
import Compression
import Decomposition
import Graphs
import Operations
import Tensors
import Testing

/// That each policy is best at what it is for.
@Suite(.serialized) struct PolicyTests {
    private static let shared = Result { try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.trains) }
    let model: DecomposedModel

    init() throws { model = try Self.shared.get() }

    static let keeps = [0.15, 0.25, 0.4, 0.6, 0.8]

    private func plan(_ policy: Policy, _ keep: Double, _ model: DecomposedModel? = nil) throws -> Plan {
        let model = model ?? self.model
        let planner = CompressionSamples.planners(model, scores: scores()).first { $0.policy == policy }
        return try #require(planner).plan(
            model, budget: CompressionSamples.budget(.parameters, keep, model))
    }

    private func scores(_ last: Double = 0.5) -> LayerScores {
        CompressionSamples.scores(model.layers.dropLast().enumerated().map { ($1.name, $0 == 1 ? last : 0.5) } + [("fc", 1)])
    }

    private func lostEnergy(_ plan: Plan) -> Double { plan.rows.reduce(0) { $0 + $1.relativeError * $1.relativeError } }

    private func largestRatio(_ plan: Plan) -> Double {
        zip(plan.rows, model.layers).reduce(0) { worst, entry in
            zip(entry.0.ranks ?? [], entry.1.decomposition?.bondSpectra ?? []).reduce(worst) {
                $1.0 < $1.1.count ? max($0, $1.1[$1.0] / $1.1[0]) : $0
            }
        }
    }

    @Test(arguments: keeps) func knapsackLosesTheLeastEnergy(keep: Double) throws {
        let best = try lostEnergy(plan(.knapsack, keep))
        for policy in Policy.allCases where policy != .knapsack {
            #expect(try best <= lostEnergy(plan(policy, keep)) + 1e-9, "\(policy.name)")
        }
        #expect(try best < lostEnergy(plan(.uniform, keep)) * 0.95, "and not by a hair")
    }

    @Test(arguments: keeps) func quadraticLosesTheLeastSquaredEnergy(keep: Double) throws {
        func lost(_ policy: Policy) throws -> Double {
            try plan(policy, keep).rows.reduce(0) { $0 + $1.relativeError * $1.relativeError * $1.relativeError * $1.relativeError }
        }
        let best = try lost(.quadratic)
        for policy in Policy.allCases where policy != .quadratic {
            #expect(try best <= lost(policy) + 1e-9, "\(policy.name)")
        }
        #expect(try best < lost(.knapsack) * 0.95 || keep > 0.5, "and not by a hair")
    }

    /// A policy made outside the library, which options can name once it is registered.
    private static let cubic = Policy(name: "cubic") { $0 * $0 * $0 }
    private static let registered: Void = { try? Policy.register(cubic) }()

    @Test(arguments: keeps) func aPolicyOfOnesOwnLosesTheLeastOfItsLoss(keep: Double) throws {
        Self.registered
        #expect(Policy(name: "cubic") == Self.cubic)
        #expect(throws: CompressionFailure.self) { try Policy.register(Policy(name: "quadratic") { $0 }) }
        func lost(_ policy: Policy) throws -> Double {
            let shares = try plan(policy, keep).rows.map { $0.relativeError * $0.relativeError }
            return shares.reduce(0) { $0 + $1 * $1 * $1 }
        }
        let best = try lost(Self.cubic)
        for policy in Policy.allCases { #expect(try best <= lost(policy) * (1 + 1e-9) + 1e-9, "\(policy)") }
    }

    @Test func reasonsSayWhatIsLost() throws {
        let rows = try plan(.quadratic, 0.4).rows.filter { $0.ranks != nil }
        #expect(!rows.isEmpty)
        for row in rows {
            #expect(row.reason == "loses \(DecimalText.percent(row.relativeError * row.relativeError)) of its energy")
        }
    }

    @Test(arguments: keeps) func minimaxHasTheSmallestLargestError(keep: Double) throws {
        let best = try largestRatio(plan(.minimax, keep))
        for policy in Policy.allCases { #expect(try best <= largestRatio(plan(policy, keep)) + 1e-6, "\(policy.name)") }
    }

    @Test(arguments: keeps) func everyBondKeepsTheSameShareOfItsEnergy(keep: Double) throws {
        let plan = try plan(.energy, keep)
        let share = try #require(plan.scalingFactor)
        for (row, layer) in zip(plan.rows, model.layers) where row.reason != "all the ranks that pay" {
            for (bond, rank) in (row.ranks ?? []).enumerated() {
                let kept = try #require(layer.decomposition).retainedEnergy(bond: bond)
                #expect(kept[rank] >= share - 1e-12, "\(row.layer)")
            }
        }
    }

    @Test func aLargerBudgetDoesNotLoseMore() throws {
        for policy in [Policy.knapsack, .lwiqEnergy] {
            var last = Double.infinity
            for percent in stride(from: 10, through: 100, by: 1) {
                let lost = try lostEnergy(plan(policy, Double(percent) / 100))
                // Spending what is left over is greedy, so that a hair more budget may be spent a hair worse.
                #expect(lost <= last * 1.01 + 1e-9, "\(policy.name) at \(percent) %")
                last = lost
            }
            #expect(last == 0)
        }
    }

    @Test func significanceWeighsEnergy() throws {
        func error(_ significance: Double) throws -> Double {
            try Planner(policy: .lwiqEnergy, scores: scores(significance))
                .plan(model, budget: CompressionSamples.budget(.parameters, 0.3, model)).rows[1].relativeError
        }
        #expect(try error(1) < error(0.02))
    }

    /// Bonds of one layer need not have their ranks in proportion: here the input channels matter ever less.
    @Test func pairsOfBondsMayDiffer() throws {
        let name = "stage3.block1.conv2"
        var graph = model.graph
        let decay = try Tensor((0..<64).map { Float(1) / Float(1 + $0) }).reshaped([1, 64, 1, 1])
        graph.parameters.update(name + ".weight", try #require(graph.parameters[name + ".weight"]).tensor.multiplying(decay))
        let plan = try plan(.knapsack, 0.4, DecomposedModel(graph, formats: CompressionSamples.trains))
        let ranks = try #require(plan.rows.first { $0.layer == name }?.ranks)
        #expect(ranks[0] * 2 < ranks[1], "\(ranks)")
    }

    @Test func limitsTogetherAreBothUsed() throws {
        let budget = try Budget([(.parameters, 0.3), (.macs, 0.35)], dense: model.cost)
        let both = try Planner(policy: .knapsack).plan(model, budget: budget)
        let alone = try Planner(policy: .knapsack).plan(model, budget: CompressionSamples.budget(.parameters, 0.3, model))
        #expect(alone.macCount > budget.limits[1].value, "else this tests nothing")
        #expect(both.parameterCount <= budget.limits[0].value && both.macCount <= budget.limits[1].value)
        #expect(Double(both.macCount) > 0.97 * Double(budget.limits[1].value))
        let uniform = try Planner(policy: .uniform).plan(model, budget: budget)
        #expect(lostEnergy(both) < lostEnergy(uniform) && lostEnergy(both) >= lostEnergy(alone) && both.bindingConstraint != nil)
    }

    @Test func theGroupingIsChosenPerLayer() throws {
        let auto = try DecomposedModel(model.graph, formats: CompressionSamples.groupings)
        for keep in [0.2, 0.4] {
            let chosen = try plan(.knapsack, keep, auto)
            for grouping in ConvolutionGrouping.allCases {
                let single = try DecomposedModel(model.graph, formats: .init(grouping))
                #expect(try lostEnergy(chosen) <= lostEnergy(plan(.knapsack, keep, single)) + 1e-9, "\(grouping) at \(keep)")
            }
            for policy in Policy.allCases {
                let plan = try plan(policy, keep, auto)
                let compressed = try CostModel.cost(of: Compressor.compress(auto, plan: plan))
                #expect(compressed.parameterCount == plan.parameterCount && compressed.macCount == plan.macCount, "\(policy.name)")
            }
        }
    }

    /// Activations alone limit the ranks of the layers with large maps, and no others.
    @Test func activationsBoundTheLayersTheyConcern() throws {
        var b = GraphBuilder(name: "wide", seed: 2)
        var y = try b.convolution("first", b.input("images", [3, 16, 16]), channels: 64, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        y = try b.convolution("wide", y, channels: 64, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        y = try b.convolution("narrow", y, channels: 16, kernel: [3, 3], geometry: .init(stride: 2, padding: 1))
        let model = try DecomposedModel(b.finish(outputs: [y]), formats: CompressionSamples.trains, includesClassifier: true)
        for policy in Policy.allCases {
            let planner = try #require(CompressionSamples.planners(model, scores: CompressionSamples.scores(of: model)).first { $0.policy == policy })
            let plan = try planner.plan(model, budget: CompressionSamples.budget(.activations, 0.8, model))
            #expect(plan.peakActivationByteCount <= model.cost.peakActivationByteCount * 4 / 5 && plan.bindingConstraint == "activation_bytes")
            #expect(plan.rows.map { $0.ranks == nil } == [true, false, true], "\(policy.name)")
            let compressed = try CostModel.cost(of: Compressor.compress(model, plan: plan))
            #expect(compressed.peakActivationByteCount == plan.peakActivationByteCount, "\(policy.name)")
        }
    }
}

@Suite(.serialized) struct VariationalRankTests {
    private func estimate(rank: Int, noise: Double, rows: Int = 48, columns: Int = 200) throws -> Int {
        var random = RandomSource(seed: UInt64(rank) + 1)
        var matrix = try Tensor.normal(Shape([rows, columns]), using: &random).multiplying(noise)
        if rank > 0 {
            let signal = try Tensor.normal(Shape([rows, rank]), using: &random)
                .matrixProduct(.normal(Shape([rank, columns]), using: &random))
            matrix = try matrix.adding(signal)
        }
        let values = try matrix.truncatedSVD(.none).spectrum.values
        return VariationalRank.estimate(singularValues: values, rows: rows, columns: columns)
    }

    @Test(arguments: [0, 1, 3, 10, 20]) func theRankAboveTheNoiseIsFound(rank: Int) throws {
        for noise in [0.1, 0.5] { #expect(try estimate(rank: rank, noise: noise) == rank, "noise \(noise)") }
    }

    /// τ̄, by bisection in double precision elsewhere. The approximation 2.5129 · √α gives 0.25129 for α = 0.01.
    @Test(arguments: [(1, 2.512862417), (0.5, 1.782640099), (0.1, 0.822210957), (0.01, 0.282876401), (0.001, 0.099072965)])
    func theThresholdIsTheExactOne(alpha: Double, scale: Double) {
        #expect(abs(VariationalRank.leastScale(alpha) / scale - 1) < 1e-8)
    }

    /// Where nothing stands above the noise, rank 1 counts, and the plan says so.
    @Test func layersOfNoiseAreSaid() throws {
        let model = try DecomposedModel(CompressionSamples.resNet())
        let plan = try Planner(policy: .vbmf).plan(model, budget: CompressionSamples.budget(.parameters, 0.5, model))
        #expect(plan.notes.contains { $0.hasPrefix("nothing stands above the noise of these layers") && $0.contains(model.layers[1].name) })
    }

    @Test func onlyTheShapeAndTheSpectrumCount() {
        let values = (0..<20).map { 10 / Double($0 + 1) }
        #expect(
            VariationalRank.estimate(singularValues: values, rows: 20, columns: 60)
                == VariationalRank.estimate(singularValues: values.map { $0 * 1e6 }, rows: 60, columns: 20))
        #expect(VariationalRank.estimate(singularValues: [0, 0, 0], rows: 3, columns: 9) == 0)
        #expect(VariationalRank.estimate(singularValues: [], rows: 0, columns: 9) == 0)
    }
}
