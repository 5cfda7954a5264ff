import Autograd
import Basics
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct ProgramPartitionTests {
    private func partition(_ graph: Graph, batch: Int) throws -> ProgramPartition? {
        let fused = try Fusion.forInference(graph)
        return ProgramPartition(fused, batch: batch, shapes: try ShapeInference.shapes(of: fused, batch: batch))
    }

    @Test func aResNetsConvolutionsAreTheBody() throws {
        let graph = try CIFARResNet(depth: 20).build(seed: 1)
        let parts = try #require(try partition(graph, batch: 128))
        #expect(parts.body.nodes.filter { $0.operation is Conv2D }.count == 19)
        #expect(parts.rest.nodes.map(\.operation.name) == ["linear"])
        #expect(parts.crossing == ["flatten"] && parts.rest.outputs == graph.outputs)
        #expect(128 % parts.chunkSize == 0)
        #expect(parts.body.parameters.names.count + parts.rest.parameters.names.count == 2 * 20)
        #expect(try partition(graph, batch: 1) == nil, "one image is for all threads")
    }

    /// Weights that serve only a few products per chunk are read once for the whole batch.
    @Test func smallMapsStayTogether() throws {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [4, 16, 16])
        var value = try b.convolution("large", x, channels: 300, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        value = try b.apply("pool", Pool2D(.init(kind: .max, window: [8, 8], stride: [8, 8])), value)
        value = try b.convolution("small", value, channels: 300, kernel: [1, 1], geometry: .init())
        let graph = try b.finish(outputs: [value])
        let parts = try #require(try partition(graph, batch: 16))
        #expect(parts.body.nodes.map(\.name) == ["large", "pool"] && parts.rest.nodes.map(\.name) == ["small"])
    }

    /// Results may come from the body, the rest, or be inputs, and one may be wanted twice.
    @Test(arguments: [2, 5, 12, 33]) func resultsFromEverywhere(batch: Int) throws {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [3, 12, 12])
        let conv = try b.convolution("conv", x, channels: 5, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        let relu = try b.apply("relu", ReLU(), conv)
        let scaled = try b.apply("scaled", Scale(factor: 2), relu)
        let graph = try b.finish(outputs: [scaled, "images", "relu", "conv", scaled])
        let image = try ExecutionSamples.images([batch, 3, 12, 12])
        let tape = try ExecutionSamples.onTape(graph, [image])
        let results = try InferenceProgram(graph, batch: batch).run([image])
        try #require(results.count == 5)
        for (result, plain) in zip(results, tape.outputs) {
            #expect(try relativeDifference(result, plain.tensor) < InferenceProgramTests.fusionTolerance)
        }
    }

    /// A smaller last chunk whose kernels prefer another format than the full ones' leaves what the rest can read.
    @Test(arguments: [2, 3], [3, 5, 7, 9, 10, 17]) func raggedChunksCrossInOneFormat(size: Int, batch: Int) throws {
        let before = Threads.count
        defer { Threads.count = before }
        Threads.count = 2
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [32, size, size])
        var value = try b.convolution("wide", x, channels: 512, kernel: [1, 1], geometry: .init())
        value = try b.convolution("squeeze", value, channels: 64, kernel: [1, 1], geometry: .init())
        value = try b.convolution("expand", value, channels: 256, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        let graph = try b.finish(outputs: [value])
        let images = try ExecutionSamples.images([batch, 32, size, size])
        let tape = try ExecutionSamples.onTape(graph, [images])
        let results = try InferenceProgram(graph, batch: batch).run([images])
        #expect(try relativeDifference(results[0], tape.outputs[0].tensor) < InferenceProgramTests.fusionTolerance)
    }

    /// The same for any number of threads, up to what other kernels round.
    @Test func threadsDoNotChangeResults() throws {
        let threads = Threads.count
        defer { Threads.count = threads }
        let graph = try ExecutionSamples.trainedLikeResNet()
        let x = try ExecutionSamples.images([24, 1, 28, 28])
        let results = try [1, 2, 3].map { count in
            Threads.count = count
            return try InferenceProgram(graph, batch: 24).run([x])[0]
        }
        for other in results[1...] {
            #expect(try relativeDifference(other, results[0]) < InferenceEngineTests.batchTolerance)
        }
    }

    @Test func aStopEndsAllWorkers() throws {
        let graph = try ExecutionSamples.trainedLikeResNet()
        let program = try InferenceProgram(graph, batch: 24)
        let x = try ExecutionSamples.images([24, 1, 28, 28])
        Cancellation.request()
        defer { Cancellation.clear() }
        #expect(throws: Interrupted.self) { try program.run([x]) }
        Cancellation.clear()
        #expect(try program.run([x]).count == 1)
    }
}
