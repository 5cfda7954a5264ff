import Basics
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct StatisticsEstimatorTests {
    static let tolerance: Float = 1e-5

    private func net() throws -> Graph {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [2, 1, 2])
        let y = try b.batchNorm("bn", x)
        return try b.finish(outputs: [y])
    }

    private func values(_ table: ParameterTable, _ name: String) throws -> [Float] {
        try #require(table[name]).tensor.array(of: Float.self)
    }

    /// Batch 1, channel 0: 1 3 5 7 → mean 4, unbiased variance 20/3; channel 1: 0 0 2 2 → 1, 4/3.
    /// Batch 2 (one image), channel 0: 0 2 → 1, 2; channel 1: 3 3 → 3, 0. Batches count equally.
    @Test func batchesAreAveraged() throws {
        let graph = try net()
        var estimator = StatisticsEstimator(graph)
        #expect(try values(estimator.estimated, "bn.running_mean") == [0, 0], "none added: those of the graph")
        try estimator.add([Tensor([1, 3, 0, 0, 5, 7, 2, 2] as [Float], shape: [2, 2, 1, 2])])
        try estimator.add([Tensor([0, 2, 3, 3] as [Float], shape: [1, 2, 1, 2])])
        let means = try values(estimator.estimated, "bn.running_mean")
        let variances = try values(estimator.estimated, "bn.running_var")
        for (got, expected) in zip(means, [2.5, 2] as [Float]) { #expect(abs(got - expected) < Self.tolerance) }
        for (got, expected) in zip(variances, [(20.0 / 3 + 2) / 2, 2.0 / 3].map(Float.init)) {
            #expect(abs(got - expected) < Self.tolerance)
        }
        #expect(try values(graph.parameters, "bn.running_mean") == [0, 0], "the graph is untouched")
        #expect(estimator.estimated.trainableNames == ["bn.weight", "bn.bias"])
    }

    /// Behind dropout the statistics are those of inference, and its passes are not counted.
    @Test func nothingIsDropped() throws {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [2, 1, 2])
        let dropped = try b.dropout("dropout", x, probability: 0.9)
        let norm = try b.batchNorm("bn", dropped)
        let graph = try b.finish(outputs: [norm])
        var estimator = StatisticsEstimator(graph)
        try estimator.add([Tensor([1, 3, 0, 0, 5, 7, 2, 2] as [Float], shape: [2, 2, 1, 2])])
        for (got, expected) in zip(try values(estimator.estimated, "bn.running_mean"), [4, 1] as [Float]) {
            #expect(abs(got - expected) < Self.tolerance)
        }
        #expect(try values(estimator.estimated, "dropout.count") == [0])
    }

    @Test func aStopAddsNothing() throws {
        var estimator = StatisticsEstimator(try net())
        let batch = try Tensor([0, 2, 3, 3] as [Float], shape: [1, 2, 1, 2])
        try estimator.add([batch])
        Cancellation.request()
        defer { Cancellation.clear() }
        #expect(throws: Interrupted.self) { try estimator.add([batch]) }
        Cancellation.clear()
        try estimator.add([Tensor([2, 4, 1, 1] as [Float], shape: [1, 2, 1, 2])])
        #expect(try values(estimator.estimated, "bn.running_mean") == [2, 2])
    }
}
