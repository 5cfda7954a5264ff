import Autograd
import Basics
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct InferenceProgramTests {
    /// Folding BN and Winograd kernels round differently from one operation at a time.
    static let fusionTolerance = 2e-3

    private func trainedLikeResNet(depth: Int = 8) throws -> Graph {
        var graph = try CIFARResNet(depth: depth, imageShape: [1, 28, 28]).build(seed: 3)
        var random = RandomSource(seed: 5)
        var estimator = StatisticsEstimator(graph)
        try estimator.add([.normal([8, 1, 28, 28], using: &random)])
        graph.parameters = estimator.estimated
        return graph
    }

    @Test(arguments: [1, 2, 5]) func fusedEqualsTape(batch: Int) throws {
        let graph = try trainedLikeResNet()
        var random = RandomSource(seed: 1)
        let x = try Tensor.normal([batch, 1, 28, 28], using: &random)
        let tape = try TapeExecutor(graph).forward([x], parameters: graph.parameters, on: Tape(), isTraining: false)
        let fused = try InferenceProgram(graph, batch: batch).run([x])
        let difference = try fused[0].subtracting(tape.outputs[0].tensor).norm() / tape.outputs[0].tensor.norm()
        #expect(difference < Self.fusionTolerance)
    }

    @Test func tapsShowTheSameValues() throws {
        let graph = try trainedLikeResNet()
        let taps = Set(try WeightedLayers.layers(of: graph).map(\.tap))
        var random = RandomSource(seed: 2)
        let x = try Tensor.normal([3, 1, 28, 28], using: &random)
        let tape = try TapeExecutor(graph, taps: taps).forward([x], parameters: graph.parameters, on: Tape(), isTraining: false)
        var seen = Set<String>()
        _ = try InferenceProgram(graph, batch: 3, taps: taps).run([x]) { name, tensor in
            seen.insert(name)
            let expected = try #require(tape.taps[name]).tensor
            let difference = try tensor.copy().subtracting(expected).norm() / expected.norm()
            #expect(difference < Self.fusionTolerance, "\(name)")
        }
        #expect(seen == taps)
    }
}
