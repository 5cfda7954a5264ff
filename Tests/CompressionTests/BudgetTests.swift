import Compression
import Graphs
import Testing

@Suite struct BudgetTests {
    private let dense: Cost = {
        var cost = Cost()
        (cost.parameterCount, cost.macCount) = (1000, 50_000)
        return cost
    }()

    @Test func sharesAreOfTheDenseModelAndNumbersAreNumbers() throws {
        let budget = try Budget([(.parameters, 0.25), (.macs, 1234)], dense: dense)
        #expect(budget.limits.map(\.value) == [250, 1234] && budget.limits.map(\.quantity) == [.parameters, .macs])
        #expect(try Budget([(.macs, 1)], dense: dense).limits[0].value == 50_000)
        #expect(try Budget([(.parameters, 0.9999)], dense: dense).limits[0].value == 999, "never more than asked for")
    }

    @Test(arguments: [0, -0.5, .nan, .infinity, -.infinity, 1e15, 1e300]) func amountsOutOfRangeAreRefused(amount: Double) {
        let failure = #expect(throws: CompressionFailure.self) { try Budget([(.parameters, amount)], dense: dense) }
        #expect(failure?.code == "compression.invalidBudget" && failure?.description.contains("params") == true)
    }

    @Test func noBudgetIsAnError() {
        let failure = #expect(throws: CompressionFailure.self) { try Budget([], dense: dense) }
        #expect(failure?.code == "compression.noBudget")
    }

    @Test func limitsCanBeGivenAsTheyAre() throws {
        let limits = [Budget.Limit(quantity: .macs, value: 1234), Budget.Limit(quantity: .latency, value: 5_000_000)]
        #expect(try Budget(limits: limits).limits == limits)
        let none = #expect(throws: CompressionFailure.self) { try Budget(limits: []) }
        #expect(none?.code == "compression.noBudget")
        let zero = #expect(throws: CompressionFailure.self) { try Budget(limits: [.init(quantity: .bytes, value: 0)]) }
        #expect(zero?.code == "compression.invalidBudget" && zero?.description.contains("bytes") == true)
    }

    /// A plan of someone's own making is applied like any other, and prints.
    @Test func aPlanCanBeMadeOutside() throws {
        let model = try DecomposedModel(CompressionSamples.resNet(), formats: "tucker2")
        let chosen = try Planner(policy: .uniform).plan(model, budget: Budget(keeping: 0.7, in: model))
        let row = try #require(chosen.rows.first { $0.ranks != nil })
        let rows = [PlanRow(layer: row.layer, format: row.format, ranks: row.ranks)]
        let plan = Plan(
            policy: "mine", rows: rows, denseCost: model.cost, parameterCount: 0, macCount: 0, byteCount: 0,
            peakActivationByteCount: 0, notes: ["a note"])
        let small = try Compressor.compress(model, plan: plan)
        #expect(Set(small.nodes.compactMap { $0.origin?.layer }) == [row.layer])
        let lines = plan.description.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix(row.layer) && $0.hasSuffix("given") })
        #expect(lines.suffix(2) == ["mine policy: keeps 0.0 % of the parameters and 0.0 % of the MACs", "a note"])
        let kept = try Budget(keeping: 0.5, in: model).limits
        #expect(kept == [.init(quantity: .parameters, value: model.cost.parameterCount / 2)])
        #expect(throws: CompressionFailure.self) { try Budget(keeping: 2, in: model) }
        #expect(throws: CompressionFailure.self) { try Budget(keeping: 0.5, of: .latency, in: model) }
    }

    @Test func policiesHaveNames() {
        #expect(Policy.names.allSatisfy { Policy(name: $0)?.name == $0 })
        #expect(Policy(name: "magic") == nil)
    }
}
