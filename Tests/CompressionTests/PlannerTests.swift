import Basics
import Compression
import Decomposition
import Graphs
import Tensors
import Testing

@Suite(.serialized) struct PlannerTests {
    /// Decomposed once for all tests: planning only reads it.
    private static let shared = Result { try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.trains) }
    let model: DecomposedModel

    init() throws { model = try Self.shared.get() }

    private func uneven() -> LayerScores {
        CompressionSamples.scores(model.layers.dropLast().enumerated().map { ($1.name, [1, 0.05, 0.4, 0.7, 0.2, 0, 0.9][$0]) })
    }

    private func planners() -> [Planner] { CompressionSamples.planners(model, scores: uneven()) }
    /// Those whose factor says how many of a layer's ranks it gets.
    private func ladders() -> [Planner] { planners().filter { $0.policy == .uniform || $0.policy == .lwiq } }

    static let keeps = [0.15, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95, 1]
    /// Compressing is what takes time.
    static let compressedKeeps = [0.25, 0.7]

    /// A budget is met, what the plan says it costs is what the compressed model costs, and not much is left unspent.
    /// Frozen weights cost what others cost, and stay frozen.
    @Test(arguments: ConvolutionGrouping.allCases, [nil, "stage2.block1.conv1"])
    func budgetsAreMetAndCostsAreExact(_ grouping: ConvolutionGrouping, frozen: String?) throws {
        var graph = try CompressionSamples.resNet()
        if let frozen { graph.parameters[frozen + ".weight"]?.isTrainable = false }
        let model = try DecomposedModel(graph, formats: .init(grouping))
        #expect(model.cost == self.model.cost)
        for planner in planners() {
            for keep in Self.keeps {
                for limits: [(Budget.Quantity, Double)] in [
                    [(.parameters, keep)], [(.macs, keep)], [(.parameters, keep), (.macs, min(1, keep * 1.2))],
                    [(.bytes, keep), (.activations, 0.9)],
                ] {
                    let budget = try Budget(limits, dense: model.cost)
                    let comment = "\(grouping) \(planner.policy.name) \(limits)"
                    guard let plan = try planned(planner, model, budget) else { continue }
                    for limit in budget.limits {
                        #expect(Self.cost(of: plan, limit.quantity) <= limit.value, "\(comment)")
                    }
                    #expect(plan.denseParameterCount == model.cost.parameterCount && plan.denseMacCount == model.cost.macCount)
                    guard Self.compressedKeeps.contains(keep) else { continue }
                    let result = try Compressor.compress(model, plan: plan)
                    let compressed = try CostModel.cost(of: result)
                    for node in result.nodes where node.origin?.layer == frozen && frozen != nil {
                        #expect(try #require(node.parameter(at: 1).flatMap { result.parameters[$0] }).isTrainable == false)
                    }
                    #expect(compressed.parameterCount == plan.parameterCount && compressed.macCount == plan.macCount, "\(comment)")
                    #expect(compressed.byteCount == plan.byteCount, "\(comment)")
                    #expect(compressed.peakActivationByteCount == plan.peakActivationByteCount, "\(comment)")
                }
            }
        }
    }

    static func cost(of plan: Plan, _ quantity: Budget.Quantity) -> Int {
        switch quantity {
        case .parameters: plan.parameterCount
        case .macs: plan.macCount
        case .bytes: plan.byteCount
        case .activations: plan.peakActivationByteCount
        case .latency: plan.latency ?? .max
        }
    }

    /// The plan, or nothing where even the smallest ranks cost more.
    private func planned(_ planner: Planner, _ model: DecomposedModel, _ budget: Budget) throws -> Plan? {
        do { return try planner.plan(model, budget: budget) } catch let failure as CompressionFailure {
            #expect(failure.code == "compression.unreachable")
            return nil
        }
    }

    /// What is left of a parameter budget is less than the cheapest further step would cost.
    @Test(arguments: [0.2, 0.4, 0.6]) func budgetsAreSpent(keep: Double) throws {
        let budget = try CompressionSamples.budget(.parameters, keep, model)
        for planner in ladders() + [Planner(policy: .knapsack)] {
            let plan = try planner.plan(model, budget: budget)
            let room = budget.limits[0].value - plan.parameterCount
            for (row, layer) in zip(plan.rows, model.layers) {
                guard let ranks = row.ranks, let cost = layer.parameterCost, row.reason != "all the ranks that pay" else { continue }
                for bond in ranks.indices where ranks[bond] < row.maxRanks[bond] {
                    var more = ranks
                    for k in more.indices { more[k] = min(more[k] + 1, row.maxRanks[k]) }
                    #expect(cost(more) - cost(ranks) > room || cost(more) >= layer.denseParameterCount, "\(row.layer) had room")
                }
            }
        }
    }

    @Test func theFactorGrowsWithTheBudget() throws {
        for planner in planners() where [.uniform, .lwiq, .energy, .vbmf].contains(planner.policy) {
            var last = -1.0
            for percent in stride(from: 6, through: 100, by: 2) {
                let budget = try CompressionSamples.budget(.parameters, Double(percent) / 100, model)
                guard let plan = try planned(planner, model, budget) else { continue }
                let factor = try #require(plan.scalingFactor)
                #expect(factor >= last, "\(planner.policy.name) at \(percent) %")
                last = factor
            }
            #expect(last > 0)
        }
    }

    /// Under a uniform policy every layer gets at least its share β of the ranks that pay. As β grows with the budget,
    /// so does this; what is left over goes rank by rank to whom it suffices for, and may go to another next time.
    @Test func everyLayerHasItsShare() throws {
        var last: [String: [Int]] = [:]
        for percent in stride(from: 6, through: 100, by: 2) {
            let budget = try CompressionSamples.budget(.parameters, Double(percent) / 100, model)
            guard let plan = try planned(Planner(policy: .uniform), model, budget) else { continue }
            let beta = try min(1, #require(plan.scalingFactor))
            for (row, layer) in zip(plan.rows, model.layers) {
                guard let ranks = row.ranks, let high = useful(layer) else { continue }
                let share = high.map { 1 + Int((Double($0 - 1) * beta).rounded()) }
                #expect(zip(ranks, share).allSatisfy { $0 >= $1 }, "\(row.layer) at \(percent) %: \(ranks) under \(share)")
                #expect(zip(ranks, high).allSatisfy { $0 <= $1 })
                if let before = last[row.layer] { #expect(zip(share, before).allSatisfy { $0 >= $1 }) }
                last[row.layer] = share
            }
        }
        #expect(last.count == 7)
    }

    /// The largest ranks at which the chain has fewer parameters than the layer.
    private func useful(_ layer: DecomposableLayer) -> [Int]? {
        layer.parameterCost?.largestRanks(below: layer.denseParameterCount, bounds: layer.maxRanks)
    }

    @Test(arguments: Budget.Quantity.allCases.filter { $0 != .latency }, [1, 3]) func whatIsSaidToBeAchievableIs(_ quantity: Budget.Quantity, minRank: Int)
        throws
    {
        for var planner in planners() {
            planner.minRank = minRank
            let tiny = try CompressionSamples.budget(quantity, 1e-4, model)
            let failure = try #require(#expect(throws: CompressionFailure.self) { try planner.plan(model, budget: tiny) })
            guard case .unreachable(let constraint, _, let smallest, _, _, _) = failure else {
                Issue.record("\(failure)")
                return
            }
            #expect(constraint == quantity.rawValue && failure.description.contains(DecimalText.grouped(smallest)))
            let plan = try planner.plan(model, budget: CompressionSamples.budget(quantity, Double(smallest), model))
            #expect(Self.cost(of: plan, quantity) == smallest, "\(planner.policy.name)")
            #expect(throws: CompressionFailure.self) {
                try planner.plan(model, budget: CompressionSamples.budget(quantity, Double(smallest - 1), model))
            }
        }
    }

    @Test func significanceDecidesWhoGetsRanks() throws {
        let names = model.layers.map(\.name)
        let plan = try Planner(policy: .lwiq, scores: CompressionSamples.scores(of: model, [names[5]: 0.01, names[6]: 0.01]))
            .plan(model, budget: CompressionSamples.budget(.parameters, 0.3, model))
        func share(_ index: Int) -> Double {
            let row = plan.rows[index]
            return row.ranks.map { Double($0[1]) / Double(row.maxRanks[1]) } ?? 1
        }
        #expect(share(4) > 2 * share(6) && share(4) > 2 * share(5))
        #expect(plan.rows[4].gain == 1 && plan.rows[5].gain == 0.01 && plan.policy == "lwiq")
    }

    @Test(arguments: [4, 8]) func ranksAreAligned(align: Int) throws {
        var planner = Planner(policy: .uniform)
        planner.align = align
        let plan = try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.5, model))
        var aligned = 0
        for (row, layer) in zip(plan.rows, model.layers) {
            for (rank, high) in zip(row.ranks ?? [], useful(layer) ?? []) where rank != high {
                #expect(rank % align == 0, "\(row.layer) \(row.ranks ?? [])")
                aligned += 1
            }
        }
        #expect(aligned > 4)
    }

    @Test func scoresMustFitTheModel() throws {
        let budget = try CompressionSamples.budget(.parameters, 0.5, model)
        func code(_ scores: LayerScores?) -> String? {
            #expect(throws: CompressionFailure.self) { try Planner(policy: .lwiq, scores: scores).plan(model, budget: budget) }?.code
        }
        #expect(code(nil) == "compression.missingScores")
        #expect(code(CompressionSamples.scores([("conv9", 1)])) == "compression.scoreForUnknownLayer")
        for odd in [Double.nan, -0.5, .infinity] {
            #expect(code(CompressionSamples.scores([("conv1", odd)])) == "compression.invalidOption")
        }
        #expect(code(CompressionSamples.scores([("conv1", 1)])) == "compression.missingScores")
        // Edited scores may be anything else: zeros, tiny numbers.
        for values in [[0.0, 0], [.leastNormalMagnitude / 2, 1], [.leastNonzeroMagnitude, 0], [1e300, 1e-300]] {
            let scores = CompressionSamples.scores(of: model, ["conv1": values[0], "stage1.block1.conv1": values[1]])
            let plan = try Planner(policy: .lwiq, scores: scores).plan(model, budget: budget)
            #expect(plan.parameterCount <= budget.limits[0].value)
        }
    }

    @Test func everythingFitsItsOwnBudget() throws {
        for planner in planners() {
            let plan = try planner.plan(model, budget: CompressionSamples.budget(.parameters, 1, model))
            #expect(plan.rows.allSatisfy { $0.ranks == nil } && plan.parameterCount == plan.denseParameterCount, "\(planner.policy.name)")
        }
    }

    @Test func ranksOfSomeoneElse() throws {
        let plan = try Planner(policy: .uniform).plan(
            model, budget: nil, ranks: ["conv1": [2, 3], "stage3.block1.conv2": [999, 10]], name: "mine")
        #expect(plan.policy == "mine" && plan.rows.filter { $0.ranks != nil }.map(\.layer) == ["conv1", "stage3.block1.conv2"])
        #expect(plan.rows[6].ranks == [64, 10] && plan.notes.count { !$0.hasPrefix("warning: ") } == 1)
        let unknown = #expect(throws: CompressionFailure.self) {
            try Planner(policy: .uniform).plan(model, budget: nil, ranks: ["conv2": [1, 1]], name: "mine")
        }
        #expect(unknown?.description == "plan: no layer matches 'conv2' (did you mean 'conv1'?)")
        let broken = #expect(throws: CompressionFailure.self) {
            try Planner(policy: .uniform).plan(
                model, budget: CompressionSamples.budget(.parameters, 0.5, model), ranks: ["conv1": [1, 1]], name: "mine")
        }
        #expect(broken?.code == "compression.overBudget")
    }

    /// Two budgets on one decomposition, in either order, give what fresh decompositions give.
    @Test func oneDecompositionServesEveryBudget() throws {
        func rows(_ model: DecomposedModel, _ keep: Double) throws -> [PlanRow] {
            try Planner(policy: .uniform).plan(model, budget: CompressionSamples.budget(.parameters, keep, model)).rows
        }
        let first = try (rows(model, 0.3), rows(model, 0.6))
        #expect(try rows(model, 0.3) == first.0)
        let fresh = try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.trains)
        #expect(try rows(fresh, 0.6) == first.1)
        #expect(try rows(fresh, 0.3) == first.0)
    }

    /// The format of a layer holds for every policy, for fixed and for chosen ranks; a name that is none is refused.
    @Test func formatsHoldUnderEveryPolicy() throws {
        let all = try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.groupings)
        let wanted = Dictionary(
            uniqueKeysWithValues: all.layers.filter { $0.chains.count > 1 }.enumerated().map { index, layer in
                (layer.name, layer.chains[index % layer.chains.count].format)
            })
        let budget = try CompressionSamples.budget(.parameters, 0.4, all)
        for var planner in CompressionSamples.planners(all, scores: CompressionSamples.scores(of: all)) {
            let free = try planner.plan(all, budget: budget)
            planner.formats = wanted
            let plan = try planner.plan(all, budget: budget)
            #expect(plan.rows.contains { $0.ranks != nil } && plan.parameterCount <= budget.limits[0].value)
            for row in plan.rows where wanted[row.layer] != nil { #expect(row.format == wanted[row.layer], "\(planner.policy) \(row.layer)") }
            _ = try Compressor.compress(all, plan: plan)
            // The model itself is as it was.
            planner.formats = [:]
            #expect(try planner.plan(all, budget: budget).rows == free.rows)
        }
        var planner = Planner(policy: .uniform)
        let name = try #require(wanted.keys.sorted().first)
        for (formats, code) in [([name: "C|O|nothing"], "compression.invalidRanks"), (["conv9": "C|Kh·Kw|O"], "compression.unknownLayer")] {
            planner.formats = formats
            #expect(#expect(throws: CompressionFailure.self) { try planner.plan(all, budget: budget) }?.code == code)
            #expect(#expect(throws: CompressionFailure.self) { try planner.plan(all, budget: nil, ranks: [:], name: "test") }?.code == code)
        }
    }

    /// One share that is next to nothing does not make the factor of the others coarse.
    @Test func aTinyShareLeavesTheFactorExact() throws {
        let names = model.layers.dropLast().map(\.name)
        func factor(_ share: Double) throws -> Double {
            let scores = CompressionSamples.scores(names.map { ($0, $0 == names[2] ? share : 1) })
            for keep in [0.2, 0.3] {
                let plan = try Planner(policy: .lwiq, scores: scores).plan(model, budget: CompressionSamples.budget(.parameters, keep, model))
                #expect(Double(plan.parameterCount) > 0.9 * keep * Double(model.cost.parameterCount))
            }
            let plan = try Planner(policy: .lwiq, scores: scores).plan(model, budget: CompressionSamples.budget(.parameters, 0.2, model))
            return try #require(plan.scalingFactor)
        }
        let (plain, tiny) = try (factor(1e-4), factor(1e-8))
        #expect(plain > 0.01 && plain < 1 && abs(tiny / plain - 1) < 1e-6, "\(plain) and \(tiny)")
    }
}
