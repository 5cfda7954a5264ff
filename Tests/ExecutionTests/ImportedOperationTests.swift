import Autograd
import Basics
import Execution
import Graphs
import Operations
import Tensors
import Testing

/// What networks from elsewhere do beside convolution, BN and ReLU, compiled, against one operation at a time.
@Suite(.serialized) struct ImportedOperationTests {
    /// oneDNN's functions are approximations of their own.
    static let tolerance = 1e-5

    /// With unusual attributes, and all that have a kernel as they usually are.
    static let functions: [any GraphOperation] =
        [
            ReLU(), LeakyReLU(slope: 0.1), Clip(low: 0.25, high: 0.5), Scale(factor: -1.5), HardSigmoid(alpha: 0.2, beta: 0.5),
            GELU(isApproximate: true), ELU(alpha: 0.3),
        ] + OperationCatalog.elementFunctions.map { $0.usual }.filter { $0.kernel != nil && !($0 is ReLU) }

    private func check(_ graph: Graph, _ x: Tensor) throws {
        let tape = try ExecutionSamples.onTape(graph, [x])
        for (result, expected) in zip(try InferenceProgram(graph, batch: x.shape[0]).run([x]), tape.outputs) {
            #expect(try relativeDifference(result, expected.tensor) < Self.tolerance, "\(graph.name), batch \(x.shape[0])")
        }
    }

    /// Behind a convolution alone, with a residual, where something else reads the convolution too, and on plain values.
    /// 17 channels leave lanes of a block unused; those must stay zero, for the convolution behind reads them.
    @Test(arguments: functions.indices, [1, 3, 9]) func functionsOfOneElement(_ index: Int, batch: Int) throws {
        let function = Self.functions[index]
        var b = GraphBuilder(name: function.name, seed: 2)
        let same = ConvolutionGeometry(stride: 1, padding: 1)
        let x = b.input("images", [3, 9, 7])
        let first = try b.convolution("a", x, channels: 17, kernel: [3, 3], geometry: same)
        let alone = try b.apply("alone", function, first)
        let second = try b.convolution("b", alone, channels: 17, kernel: [3, 3], geometry: same)
        let summed = try b.apply("sum", Add(), second, alone)
        let shared = try b.apply("shared", function, summed)
        let both = try b.apply("both", Add(), shared, summed)
        let last = try b.convolution("c", both, channels: 5, kernel: [3, 3], geometry: same)
        let plain = try b.apply("plain", function, b.apply("flat", Flatten(), last))
        let image = try b.apply("image", function, x)
        let logits = try b.linear("fc", plain, features: 4)
        try check(b.finish(outputs: [logits, image]), ExecutionSamples.images([batch, 3, 9, 7]))
    }

    /// Its kernel applies the function, and is none of oneDNN's slow ones. (ReLU is joined to it before that.)
    @Test(arguments: functions.indices.dropFirst()) func convolutionsApplyTheFunctionBehindThem(_ index: Int) throws {
        var b = GraphBuilder(name: "net", seed: 2)
        let x = b.input("images", [16, 12, 12])
        let conv = try b.convolution("conv", x, channels: 32, kernel: [1, 1], geometry: .init())
        let function = try b.apply("function", Self.functions[index], conv)
        let graph = try b.finish(outputs: [function])
        let rows = try InferenceProfile.measure(graph, batch: 2, runs: 1).rows
        #expect(!rows.contains { $0.name == "function" }, "\(rows.map(\.name))")
        #expect(rows.contains { $0.name == "conv" && !$0.implementation.hasPrefix("ref") }, "\(rows.map(\.implementation))")
    }

    @Test func anOperationWithoutTheStepsThatItStatesIsRefused() throws {
        var b = GraphBuilder(name: "net", seed: 2)
        let x = b.input("images", [3, 4, 4])
        let odd = try b.apply("odd", Odd(), x)
        let graph = try b.finish(outputs: [odd])
        let failure = #expect(throws: LocatedFailure.self) { try InferenceProgram(graph, batch: 1) }
        #expect(failure?.code == "execution.noSteps" && failure.map { "\($0)" }?.contains("odd") == true)
    }

    /// Squeeze and excitation: a gate per channel, on either side of the product.
    @Test(arguments: [16, 17], [1, 2, 5]) func gates(channels: Int, batch: Int) throws {
        var b = GraphBuilder(name: "gates", seed: 2)
        let x = b.input("images", [3, 8, 8])
        let y = try b.apply("swish", SiLU(), b.convolution("stem", x, channels: channels, kernel: [3, 3], geometry: .init(stride: 1, padding: 1)))
        let pooled = try b.apply("pool", GlobalAveragePool2D(), y)
        let inner = try b.apply("relu", ReLU(), b.convolution("squeeze", pooled, channels: 4, kernel: [1, 1], geometry: .init(), hasBias: true))
        let gate = try b.apply(
            "gate", HardSigmoid(alpha: 0.2, beta: 0.5), b.convolution("excite", inner, channels: channels, kernel: [1, 1], geometry: .init()))
        let right = try b.apply("right", Multiply(), y, gate)
        let left = try b.apply("left", Multiply(), gate, right)
        let out = try b.convolution("out", left, channels: 6, kernel: [1, 1], geometry: .init())
        try check(b.finish(outputs: [out]), ExecutionSamples.images([batch, 3, 8, 8]))
    }

    /// Layers that begin with BN and ReLU, on concatenated channels, as in DenseNet; slices of channels, as in ShuffleNet;
    /// factors and offsets per channel, as in ConvNeXt.
    @Test(arguments: [16, 24], [1, 2, 7]) func channels(width: Int, batch: Int) throws {
        var b = GraphBuilder(name: "channels", seed: 2)
        let same = ConvolutionGeometry(stride: 1, padding: 1)
        let x = b.input("images", [3, 8, 8])
        let stem = try b.convolution("stem", x, channels: width, kernel: [3, 3], geometry: same)
        let first = try b.convolution("first", b.apply("relu1", ReLU(), b.batchNorm("bn1", stem)), channels: 2 * width, kernel: [3, 3], geometry: same)
        let joined = try b.apply("joined", Concatenate(dimension: 1), stem, first)
        let second = try b.batchNorm("bn2", joined)
        let front = try b.apply("front", Slice(dimension: 1, from: 0, to: width), second)
        let back = try b.apply("back", Slice(dimension: 1, from: width), second)
        let odd = try b.apply("odd", Slice(dimension: 1, from: 5, to: 12), joined)
        let factor = b.parameter("gamma", try ExecutionSamples.images([2 * width, 1, 1], seed: 5))
        let offset = b.parameter("beta", try ExecutionSamples.images([1, 2 * width, 1, 1], seed: 6))
        let scaled = try b.add("scaled", Multiply(), [factor, .value(back)])
        let shifted = try b.add("shifted", Add(), [.value(scaled), offset])
        let all = try b.apply("all", Concatenate(dimension: 1), shifted, front, odd)
        let out = try b.convolution("out", all, channels: 6, kernel: [1, 1], geometry: .init())
        try check(b.finish(outputs: [out, second]), ExecutionSamples.images([batch, 3, 8, 8]))
    }

    /// Behind linear layers, on vectors and on sequences, whose channels are dimension 1.
    @Test(arguments: [[6], [4, 6]] as [Shape], [true, false]) func batchNormsBehindLinearLayers(shape: Shape, hasBias: Bool) throws {
        var b = GraphBuilder(name: "net", seed: 3)
        let x = b.input("x", shape)
        let fc = try b.linear("fc", x, features: 5, hasBias: hasBias)
        let relu = try b.apply("relu", ReLU(), b.batchNorm("bn", fc))
        var graph = try b.finish(outputs: [relu])
        for name in ["weight", "bias", "running_mean", "running_var"] {
            let own = try #require(graph.parameters["bn." + name]).tensor
            graph.parameters.update("bn." + name, try own.adding(ExecutionSamples.images(own.shape, seed: 4).multiplying(0.2)))
        }
        let input = try ExecutionSamples.images(Shape([3] + shape.dims))
        let expected = try ExecutionSamples.onTape(graph, [input]).outputs[0].tensor
        #expect(try relativeDifference(InferenceEngine(graph).run([input])[0], expected) < 1e-5)
        var estimator = try BatchNormRecalibration(graph)
        try estimator.add([input])
        let before = try #require(ExecutionSamples.onTape(graph, [input], taps: ["fc"]).taps["fc"]).tensor
        let order = before.rank == 2 ? [1, 0] : [1, 0, 2]
        let means = try before.permuted(order).reshaped([before.shape[1], -1]).mean(along: 1)
        #expect(try relativeDifference(#require(estimator.estimated["bn.running_mean"]).tensor, means) < 1e-5)
    }

    @Test(arguments: [true, false]) func linearLayersOnSequences(hasBias: Bool) throws {
        var b = GraphBuilder(name: "sequence", seed: 2)
        let x = b.input("tokens", [5, 12])
        let weights = [b.parameter("w", try ExecutionSamples.images([20, 12])), b.parameter("b", try ExecutionSamples.images([20]))]
        let hidden = try b.add("hidden", Linear(hasBias: hasBias), [.value(x)] + weights.prefix(hasBias ? 2 : 1))
        let gelu = try b.apply("gelu", GELU(), hidden)
        try check(b.finish(outputs: [gelu]), ExecutionSamples.images([3, 5, 12]))
    }
}

/// States steps that nobody wrote.
private struct Odd: PlainOperation {
    static let name = "odd"
    static let traits = OperationTraits(finishesLayer: false, inference: .steps)

    func outputShapes(of inputs: [Shape]) throws -> [Shape] { inputs }
    func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation { Evaluation(inputs) }
}
