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

    @Test func policiesHaveNames() {
        #expect(Policy.names.allSatisfy { Policy(name: $0)?.name == $0 })
        #expect(Policy(name: "magic") == nil)
    }
}
