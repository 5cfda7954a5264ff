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

    @Test(arguments: [1, 2, 3, 5, 7, 16, 37]) func fusedEqualsTape(batch: Int) throws {
        let graph = try ExecutionSamples.trainedLikeResNet()
        let x = try ExecutionSamples.images([batch, 1, 28, 28])
        let tape = try ExecutionSamples.onTape(graph, [x])
        let fused = try InferenceProgram(graph, batch: batch).run([x])
        #expect(try relativeDifference(fused[0], tape.outputs[0].tensor) < Self.fusionTolerance)
    }

    /// A convolution, batch norm, residual, ReLU and what reads them, drawn at random: groups, one channel, odd sizes,
    /// dilation, strides larger than the kernel, uneven padding.
    private func randomLayer(seed: UInt64) throws -> (graph: Graph, images: Tensor) {
        var random = RandomSource(seed: seed)
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        let kernel = [pick(1...3), pick(1...3)]
        let (dilation, stride, padding) = ([pick(1...2), pick(1...2)], [pick(1...4), pick(1...4)], (0..<4).map { _ in pick(0...2) })
        let isDepthwise = pick(0...4) == 0
        let inputs = pick(0...4) == 0 ? 1 : pick(1...37)
        let groups = isDepthwise ? inputs : [1, 1, 1, 2, 3].filter { inputs % $0 == 0 }.randomElement(using: &random) ?? 1
        let channels = isDepthwise ? inputs : groups * pick(1...21)
        let size = (0..<2).map { dilation[$0] * (kernel[$0] - 1) + pick(1...9) }
        let geometry = ConvolutionGeometry(stride: stride, padding: padding, dilation: dilation, groups: groups)
        var b = GraphBuilder(name: "random", seed: seed)
        let x = b.input("images", [inputs, size[0], size[1]])
        var value = try b.convolution("conv", x, channels: channels, kernel: kernel, geometry: geometry, hasBias: pick(0...1) == 1)
        if pick(0...3) > 0 { value = try b.batchNorm("norm", value) }
        if pick(0...1) == 1 {
            let side = try b.convolution("side", x, channels: channels, kernel: kernel, geometry: geometry)
            value = try b.apply("sum", Add(), value, side)
        }
        if pick(0...3) > 0 { value = try b.apply("relu", ReLU(), value) }
        let next = try b.convolution("next", value, channels: pick(1...20), kernel: [1, 1], geometry: .init(), hasBias: true)
        var graph = try b.finish(outputs: [next, value])
        var estimator = try BatchNormRecalibration(graph)
        try estimator.add([.normal([16, inputs, size[0], size[1]], using: &random)])
        graph.parameters = estimator.estimated
        return (graph, try .normal([pick(1...5), inputs, size[0], size[1]], using: &random))
    }

    /// One layer rounds less than a net.
    private let layerTolerance = 1e-4

    @Test(arguments: 1...60 as ClosedRange<UInt64>) func randomLayersEqualTape(seed: UInt64) throws {
        let (graph, x) = try randomLayer(seed: seed)
        let tape = try ExecutionSamples.onTape(graph, [x])
        let fused = try InferenceProgram(graph, batch: x.shape[0]).run([x])
        for (result, plain) in zip(fused, tape.outputs) {
            #expect(try relativeDifference(result, plain.tensor) < layerTolerance, "\(graph.nodes.map(\.name)) on \(x.shape)")
        }
    }

    @Test(arguments: [1, 3, 4, 11, 32]) func everyWayOfCompilationEqualsTape(batch: Int) throws {
        let graph = try ExecutionSamples.zoo()
        let x = try ExecutionSamples.images([batch, 6, 12, 10])
        let tape = try ExecutionSamples.onTape(graph, [x])
        let program = try InferenceProgram(graph, batch: batch)
        for pass in 0..<2 {
            let results = try program.run([x])
            try #require(results.count == 2)
            for (fused, plain) in zip(results, tape.outputs) {
                #expect(try relativeDifference(fused, plain.tensor) < Self.fusionTolerance, "pass \(pass)")
            }
        }
    }

    /// Values inside a graph are results of the part that computes them, alone or all at once.
    @Test(arguments: [true, false], [1, 3, 8]) func valuesInsideAreTheSame(zoo: Bool, batch: Int) throws {
        let graph = zoo ? try ExecutionSamples.zoo() : try ExecutionSamples.trainedLikeResNet()
        let x = try ExecutionSamples.images(Shape([batch] + graph.inputs[0].sampleShape.dims), seed: 2)
        let layers = try WeightedLayers.layers(of: graph).map(\.tap)
        for taps in [layers, graph.nodes.map(\.name)] {
            let tape = try ExecutionSamples.onTape(graph, [x], taps: Set(taps))
            let results = try InferenceProgram(graph.computing(taps), batch: batch).run([x])
            try #require(results.count == taps.count)
            for (name, tensor) in zip(taps, results) {
                let expected = try #require(tape.taps[name]).tensor
                #expect(try relativeDifference(tensor, expected) < Self.fusionTolerance, "\(name)")
            }
        }
    }

    /// Results belong to the caller: the next run does not change them.
    @Test func resultsAreTheCallers() throws {
        let graph = try ExecutionSamples.zoo()
        let program = try InferenceProgram(graph, batch: 2)
        let first = try program.run([ExecutionSamples.images([2, 6, 12, 10], seed: 1)])
        let before = try first.map { try $0.array(of: Float.self) }
        let second = try program.run([ExecutionSamples.images([2, 6, 12, 10], seed: 2)])
        #expect(try first.map { try $0.array(of: Float.self) } == before)
        #expect(try second[0].array(of: Float.self) != before[0])
    }

    @Test func aResultMayBeAnInputOrReadByOthers() throws {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [3, 4, 4])
        let conv = try b.convolution("conv", x, channels: 3, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        let sum = try b.apply("sum", Add(), conv, x)
        let graph = try b.finish(outputs: ["images", "conv", sum])
        let image = try ExecutionSamples.images([2, 3, 4, 4])
        let results = try InferenceProgram(graph, batch: 2).run([image])
        #expect(try results[0].array(of: Float.self) == image.array(of: Float.self))
        #expect(try relativeDifference(results[2], results[1].adding(image)) < Self.fusionTolerance)
    }

    /// An input that is a residual is not overwritten by the sum made in its place.
    @Test func inputsSurviveTheRun() throws {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [16, 4, 4])
        let conv = try b.convolution("conv", x, channels: 16, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        let sum = try b.apply("sum", Add(), conv, x)
        let graph = try b.finish(outputs: [sum])
        let image = try ExecutionSamples.images([1, 16, 4, 4])
        let before = try image.array(of: Float.self)
        let program = try InferenceProgram(graph, batch: 1)
        let first = try program.run([image])[0].array(of: Float.self)
        #expect(try program.run([image])[0].array(of: Float.self) == first)
        #expect(try image.array(of: Float.self) == before)
    }

    /// Steps hold bare pointers: nothing else may get a program's memory while it lives.
    @Test func otherTensorsDoNotGetTheProgramsMemory() throws {
        let graph = try ExecutionSamples.trainedLikeResNet()
        let x = try ExecutionSamples.images([4, 1, 28, 28])
        let program = try InferenceProgram(graph, batch: 4)
        let expected = try program.run([x])[0]
        // Tensors of every size class that blocks or scratch could be of, 4 KiB to 15 MiB, full of what would show.
        let others = try (12..<24).flatMap { power in
            try (8..<16).map { eighths in try Tensor.full([(eighths << (power - 3)) / 4], .nan) }
        }
        let again = try program.run([x])[0]
        #expect(try again.subtracting(expected).norm() == 0)
        for other in others { #expect(try other.withElements(of: Float.self) { $0.allSatisfy(\.isNaN) }) }
    }

    @Test func buffersAreReused() throws {
        let graph = try ExecutionSamples.trainedLikeResNet(depth: 20, imageShape: [3, 32, 32])
        // Enough images for activations to outweigh the scratch of some convolutions, about 7 MB at any batch.
        let shapes = try ShapeInference.shapes(of: graph, batch: 64)
        let everything = shapes.values.reduce(0) { $0 + $1.elementCount * 4 }
        let program = try InferenceProgram(graph, batch: 64)
        #expect(program.bufferByteCount * 5 < everything, "\(program.bufferByteCount) of \(everything)")
        // Batches run a few images at a time, so no more than one image's values are certain to be there at once.
        let largest = shapes.values.map { $0.elementCount / 64 * 4 }.max() ?? 0
        #expect(program.bufferByteCount >= 2 * largest, "an input and an output must be there at once")
    }

    /// What a program says that it holds is what it takes, beside the weights in the order of its kernels; a run then
    /// allocates its results and nothing else.
    @Test(arguments: [1, 64]) func theMemoryOfARunIsKnownBefore(batch: Int) throws {
        let graph = try ExecutionSamples.trainedLikeResNet(depth: 20, imageShape: [3, 32, 32])
        let x = try ExecutionSamples.images([batch, 3, 32, 32])
        let before = MemoryLedger.liveByteCount
        let program = try InferenceProgram(graph, batch: batch)
        let held = MemoryLedger.liveByteCount - before
        // Sizes are rounded up by an eighth at most; batch norm is folded into copies, which each thread packs for itself.
        let most = program.bufferByteCount / 8 * 9 + (2 + 2 * Threads.count) * graph.parameters.byteCount
        #expect(held >= program.bufferByteCount && held <= most, "\(program.bufferByteCount) of \(held)")
        MemoryLedger.resetPeak()
        let start = MemoryLedger.liveByteCount
        let results = try program.run([x])
        #expect(MemoryLedger.peakByteCount - start <= 4096, "results have \(results[0].elementCount * 4) bytes")
    }

    /// Parameters may stand where values usually do, and values where weights do.
    @Test func unusualInputsTakeTheGeneralWay() throws {
        var b = GraphBuilder(name: "odd", seed: 1)
        let x = b.input("kernels", [3, 3, 3])
        let image = b.parameter("image", try ExecutionSamples.images([1, 3, 8, 8]))
        let pad = b.parameter("residual", try ExecutionSamples.images([1, 1, 6, 6], seed: 3))
        let conv = try b.add("conv", Conv2D(.init(), hasBias: false), [image, .value(x)])
        let pool = try b.add("pool", Pool2D(.init(kind: .max, window: [2, 2])), [image])
        let sum = try b.add("sum", Add(), [pad, .value(conv)])
        let weight = b.parameter("weight", try ExecutionSamples.images([1, 1, 1, 1], seed: 4))
        let fused = try b.add("fused", Conv2D(.init(), hasBias: false, addsResidual: true, hasReLU: true), [.value(sum), weight, pad])
        let graph = try b.finish(outputs: [fused, pool])
        let kernels = try ExecutionSamples.images([1, 3, 3, 3], seed: 2)
        let tape = try ExecutionSamples.onTape(graph, [kernels])
        for (a, b) in zip(try InferenceProgram(graph, batch: 1).run([kernels]), tape.outputs) {
            #expect(try relativeDifference(a, b.tensor) < Self.fusionTolerance)
        }
    }

    @Test func wrongInputsAreNamed() throws {
        let graph = try ExecutionSamples.zoo()
        let program = try InferenceProgram(graph, batch: 2)
        func message(_ inputs: [Tensor]) throws -> String? {
            #expect(throws: ExecutionFailure.self) { try program.run(inputs) }?.description
        }
        let good = try ExecutionSamples.images([2, 6, 12, 10])
        #expect(try message([]) == "zoo: needs 1 input(s), but got 0")
        #expect(try message([good, good]) == "zoo: needs 1 input(s), but got 2")
        #expect(try message([.zeros([2, 6, 10, 12])]) == "zoo: input 'images' needs shape [N, 6, 12, 10], but got [2, 6, 10, 12]")
        #expect(try message([.zeros([6, 12, 10])]) == "zoo: input 'images' needs shape [N, 6, 12, 10], but got [6, 12, 10]")
        #expect(try message([.zeros([0, 6, 12, 10])])?.contains("but got [0, 6, 12, 10]") == true)
        #expect(try message([.zeros([3, 6, 12, 10])]) == "zoo: input 'images' needs 2 sample(s), but got 3")
        #expect(try message([.zeros([2, 6, 12, 10], dtype: .uint8)]) == "zoo: input 'images' needs float32 elements, but got uint8")
        #expect(throws: GraphFailure.self) { try InferenceProgram(graph, batch: 0) }
        #expect(throws: GraphFailure.self) { try InferenceProgram(graph, batch: .min) }
        #expect(throws: (any Error).self) { try InferenceProgram(graph, batch: 1 << 36) }
        #expect(try program.run([good]).count == 2, "still usable")
    }

    @Test func inputsMustAgreeOnTheBatch() throws {
        var b = GraphBuilder(name: "two", seed: 1)
        let (x, y) = (b.input("x", [3]), b.input("y", [3]))
        let sum = try b.apply("sum", Add(), x, y)
        let graph = try b.finish(outputs: [sum])
        let failure = #expect(throws: ExecutionFailure.self) {
            try InferenceEngine(graph).run([.zeros([2, 3]), .zeros([1, 3])])
        }
        #expect(failure?.description == "two: input 'y' needs 2 sample(s), but got 1")
        #expect(throws: ExecutionFailure.self) { try ExecutionSamples.onTape(graph, [.zeros([1, 3]), .zeros([2, 3])]) }
        let results = try InferenceEngine(graph).run([.ones([2, 3]), .ones([2, 3])])
        #expect(try results[0].total() == 12)
    }

    @Test func aStopLeavesTheProgramUsable() throws {
        let graph = try ExecutionSamples.zoo()
        let program = try InferenceProgram(graph, batch: 2)
        let x = try ExecutionSamples.images([2, 6, 12, 10])
        let expected = try program.run([x])[0].array(of: Float.self)
        Cancellation.request()
        defer { Cancellation.clear() }
        #expect(throws: Interrupted.self) { try program.run([x]) }
        Cancellation.clear()
        // A kernel may meet what other tests left in memory that it does not use, and note it: then that run is computed on the
        // tape, which is the same but for rounding.
        let again = try program.run([x])[0].array(of: Float.self)
        let apart = zip(again, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(again.count == expected.count && apart < 1e-5, "off by \(apart)")
        #expect(again == expected || program.carefulRunCount > 0)
    }
}
