import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct InferenceEngineTests {
    /// One sample alone or among others takes other kernels.
    static let batchTolerance = 1e-4

    @Test func anyBatchGivesTheSameRows() throws {
        let graph = try ExecutionSamples.zoo()
        let engine = InferenceEngine(graph)
        let images = try ExecutionSamples.images([7, 6, 12, 10])
        let whole = try engine.run([images])[0]
        for (start, end) in [(0, 1), (1, 3), (3, 7), (0, 5), (2, 5), (6, 7)] {
            let part = try engine.run([images.sliced(dim: 0, from: start, to: end)])[0]
            #expect(try relativeDifference(part, whole.sliced(dim: 0, from: start, to: end)) < Self.batchTolerance)
        }
    }

    @Test func programsAreKeptForAFewSizes() throws {
        let engine = InferenceEngine(try ExecutionSamples.zoo())
        let first = try engine.program(batch: 1)
        #expect(try engine.program(batch: 1) === first)
        for batch in 2...5 { _ = try engine.program(batch: batch) }
        #expect(try engine.program(batch: 1) !== first, "the oldest has made room")
    }

    @Test func aGraphOfParametersNeedsNoInput() throws {
        var b = GraphBuilder(name: "constant", seed: 1)
        let p = b.parameter("p", try Tensor([-1, 2] as [Float]))
        let y = try b.add("y", ReLU(), [p])
        let graph = try b.finish(outputs: [y])
        #expect(try InferenceEngine(graph).run([])[0].array(of: Float.self) == [0, 2])
    }
}
