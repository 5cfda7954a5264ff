import Execution
import Testing

@Suite(.serialized) struct LatencyTests {
    @Test func timesAreOrdered() throws {
        let latency = try Latency.measure(ExecutionSamples.zoo(), batch: 2, runs: 5)
        #expect(latency.minimum > 0 && latency.minimum <= latency.median && latency.median <= latency.maximum)
        let once = try Latency.measure(ExecutionSamples.zoo(), batch: 1, runs: 1)
        #expect(once.minimum == once.maximum && once.median == once.minimum)
    }

    @Test(arguments: [0, -1, .min]) func atLeastOneRunIsNeeded(runs: Int) throws {
        let failure = #expect(throws: ExecutionFailure.self) {
            try Latency.measure(ExecutionSamples.zoo(), batch: 1, runs: runs)
        }
        #expect(failure?.description == "latency: needs at least one run, but got \(runs)")
    }
}
