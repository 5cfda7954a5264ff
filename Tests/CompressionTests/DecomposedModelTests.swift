import Basics
import Compression
import Decomposition
import Graphs
import Tensors
import Testing

@Suite(.serialized) struct DecomposedModelTests {
    private func weights() throws -> [DecomposableWeight] {
        let graph = try CompressionSamples.resNet()
        return try WeightedLayers.layers(of: graph).compactMap { layer in
            guard let weight = graph.parameters[layer.weight]?.tensor, weight.rank == 4 else { return nil }
            return try DecomposableWeight(convolution: weight, grouping: .tensorTrain)
        }
    }

    @Test func portionsGiveWhatAllAtOnceGives() throws {
        let weights = try weights()
        let whole = try DecomposedModel.decompose(weights, of: "net", portionWork: .infinity)
        let single = try DecomposedModel.decompose(weights, of: "net", portionWork: 0)
        #expect(whole.count == weights.count && single.count == weights.count)
        for (a, b) in zip(whole, single) {
            #expect(a.maxRanks == b.maxRanks && a.bondSpectra == b.bondSpectra)
        }
    }

    @Test func aLargeModelIsReportedAndCanBeStopped() throws {
        final class Reporter: ProgressReporter, @unchecked Sendable {
            var counts: [Int] = []
            func report(label: String, completed: Int, total: Int, note: String) {
                counts.append(completed)
                if completed == 2 { Cancellation.request() }
            }
            func finish(label: String) {}
        }
        let weights = try weights()
        let reporter = Reporter()
        ProgressReport.show(with: reporter)
        defer {
            ProgressReport.show(with: nil)
            Cancellation.clear()
        }
        // What is over at once shows nothing.
        _ = try DecomposedModel.decompose(weights, of: "net")
        #expect(reporter.counts == [])
        #expect(throws: Interrupted.self) { try DecomposedModel.decompose(weights, of: "net", portionWork: 0) }
        #expect(reporter.counts == [0, 1, 2])
    }
}
