import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct InferenceProfileTests {
    @Test(arguments: [1, 8]) func everyLayerHasARow(batch: Int) throws {
        let graph = try CIFARResNet(depth: 20).build(seed: 1)
        let profile = try InferenceProfile.measure(graph, batch: batch, runs: 2)
        let cost = try CostModel.cost(of: graph)
        #expect(profile.rows.reduce(0) { $0 + $1.macCount } == batch * cost.macCount)
        let convolutions = profile.rows.filter { $0.operation == "conv2d" }
        #expect(convolutions.count == 19 && convolutions.allSatisfy { $0.milliseconds > 0 && $0.gigaflops > 0 })
        #expect(profile.rows.allSatisfy { !$0.implementation.hasPrefix("ref") })
        let layers = try WeightedLayers.layers(of: graph).filter { !$0.isClassifier }
        #expect(convolutions.map(\.name) == layers.map(\.name) && profile.rows.contains { $0.name == "fc" })
        #expect(convolutions[0].shape == [batch, 16, 32, 32] && profile.bufferByteCount > 0)
    }

    @Test func atLeastOneRunIsNeeded() throws {
        let graph = try CIFARResNet(depth: 8).build(seed: 1)
        let failure = #expect(throws: ExecutionFailure.self) { try InferenceProfile.measure(graph, batch: 1, runs: 0) }
        #expect(failure?.code == "execution.runCount")
    }
}
