import Basics
import Compression
import Decomposition
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct CompressorTests {
    /// A full-rank chain computes the same sums through SVD factors in float32.
    static let layerTolerance = 1e-5
    /// A whole net: each of its layers adds such an error, and folded or Winograd kernels their own.
    static let netTolerance = 1e-3

    private func full(_ model: DecomposedModel, only names: Set<String>? = nil) throws -> Plan {
        var ranks: [String: [Int]] = [:]
        for layer in model.layers where layer.decomposition != nil && names?.contains(layer.name) != false {
            ranks[layer.name] = layer.maxRanks
        }
        return try Planner(policy: .uniform).plan(model, budget: nil, ranks: ranks, name: "full")
    }

    private func outputs(_ graph: Graph, tap: String? = nil) throws -> Tensor {
        var random = RandomSource(seed: 8)
        let x = try Tensor.normal(Shape([3] + graph.inputs[0].sampleShape.dims), using: &random)
        let result = try ExecutionRun.run(graph, x, tap: tap)
        return try result.contiguous()
    }

    /// Layer by layer, each alone at full rank: stride, padding, dilation and bias must survive exactly.
    @Test(arguments: ConvolutionGrouping.allCases) func fullRankReproducesEachLayer(_ grouping: ConvolutionGrouping) throws {
        let graph = try CompressionSamples.mixed()
        let model = try DecomposedModel(graph, formats: .init(grouping), includesClassifier: true)
        for layer in model.layers where layer.decomposition != nil {
            let compressed = try Compressor.compress(model, plan: full(model, only: [layer.name]))
            #expect(compressed.nodes.count > graph.nodes.count)
            let difference = try CompressionSamples.difference(outputs(compressed, tap: layer.name), outputs(graph, tap: layer.name))
            #expect(difference < Self.layerTolerance, "\(grouping) \(layer.name)")
        }
        #expect(model.layers.allSatisfy { $0.decomposition != nil })
    }

    @Test(arguments: ConvolutionGrouping.allCases) func fullRankReproducesTheNet(_ grouping: ConvolutionGrouping) throws {
        let graph = try CompressionSamples.resNet()
        let model = try DecomposedModel(graph, formats: .init(grouping))
        let compressed = try Compressor.compress(model, plan: full(model))
        #expect(try CompressionSamples.difference(outputs(compressed), outputs(graph)) < Self.netTolerance)
        var random = RandomSource(seed: 8)
        let x = try Tensor.normal([3, 3, 16, 16], using: &random)
        let fused = try InferenceEngine(compressed).run([x])[0]
        #expect(try CompressionSamples.difference(fused, outputs(graph)) < Self.netTolerance)
    }

    /// Linear layers on the tokens of a transformer: at full rank the network is the same, at a budget it fits.
    @Test(arguments: ["I|O", "TT-matrix"]) func transformersAreCompressed(_ format: String) throws {
        let net = VisionTransformer(imageShape: [1, 8, 8], classCount: 5, patch: 4, width: 16, depth: 2, heads: 2)
        let model = try DecomposedModel(net.build(seed: 2), formats: .init([format]))
        #expect(model.layers.filter { !$0.chains.isEmpty }.count == 8)
        var ranks: [String: [Int]] = [:]
        for layer in model.layers where !layer.chains.isEmpty { ranks[layer.name] = layer.maxRanks }
        let whole = try Compressor.compress(model, plan: Planner(policy: .uniform).plan(model, budget: nil, ranks: ranks, name: "full"))
        #expect(whole.nodes.count > model.graph.nodes.count)
        #expect(try CompressionSamples.difference(outputs(whole), outputs(model.graph)) < Self.netTolerance)
        let plan = try Planner(policy: .quadratic).plan(model, budget: Budget(keeping: 0.6, in: model))
        let small = try Compressor.compress(model, plan: plan)
        let share = Double(try CostModel.cost(of: small).parameterCount) / Double(model.cost.parameterCount)
        #expect(share <= 0.6 && share > 0.5)
        #expect(try CompressionSamples.difference(outputs(small), outputs(model.graph)) < 1)
    }

    /// More rank, less error: of the weight as the plan says it, and of the layer's output.
    @Test func errorsFallWithRank() throws {
        let model = try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.trains)
        let name = "stage3.block1.conv2"
        let exact = try outputs(model.graph, tap: name)
        var last = (weight: 1.1, output: 1.1)
        for rank in [1, 8, 16, 32, 48, 64] {
            let plan = try Planner(policy: .uniform).plan(model, budget: nil, ranks: [name: [rank, rank]], name: "test")
            let weight = try #require(plan.rows.first { $0.layer == name }).relativeError
            let output = try CompressionSamples.difference(outputs(Compressor.compress(model, plan: plan), tap: name), exact)
            #expect(weight < last.weight && output < last.output, "rank \(rank)")
            last = (weight, output)
        }
        #expect(last.weight < 1e-3 && last.output < Self.layerTolerance * 10)
    }

    @Test func chainsAreOrdinaryNodesThatRememberTheirLayer() throws {
        let model = try DecomposedModel(CompressionSamples.mixed(), formats: CompressionSamples.trains, includesClassifier: true)
        let compressed = try Compressor.compress(
            model, plan: Planner(policy: .uniform).plan(model, budget: nil, ranks: ["strided": [3, 4], "fc": [2]], name: "test"))
        let chain = compressed.nodes.filter { $0.origin?.layer == "strided" }
        #expect(chain.map(\.name) == ["strided.tt1", "strided.tt2", "strided"])
        #expect(chain.map { $0.origin?.position } == [0, 1, 2] && chain.allSatisfy { $0.origin?.count == 3 && $0.origin?.format == "C|Kh·Kw|O" })
        #expect(chain.map(\.inputs.count) == [2, 2, 3], "the bias is on the last")
        let shapes = chain.map { compressed.parameters[$0.parameterInputs[0]]?.tensor.shape }
        #expect(shapes == [[3, 6, 1, 1], [4, 3, 3, 3], [12, 4, 1, 1]])
        let pair = compressed.nodes.filter { $0.origin?.layer == "fc" }
        #expect(pair.map(\.name) == ["fc.tt1", "fc"] && pair.allSatisfy { $0.operation is Linear && $0.origin?.format == "I|O" })
        #expect(compressed.parameters["strided.weight"] == nil && compressed.parameters["strided.bias"] != nil)
        #expect(compressed.outputs == model.graph.outputs)
        #expect(try WeightedLayers.layers(of: compressed).last?.isClassifier == true)
    }

    @Test func groupedConvolutionsBecomeGroupedChains() throws {
        let model = try DecomposedModel(CompressionSamples.mixed(), formats: CompressionSamples.trains)
        let plan = try Planner(policy: .uniform).plan(model, budget: nil, ranks: ["grouped": [2, 3]], name: "test")
        let compressed = try Compressor.compress(model, plan: plan)
        let chain = compressed.nodes.filter { $0.origin?.layer == "grouped" }
        #expect(chain.allSatisfy { ($0.operation as? Conv2D)?.geometry.groups == 2 })
        let shapes = chain.map { compressed.parameters[$0.parameterInputs[0]]?.tensor.shape }
        #expect(shapes == [[4, 4, 1, 1], [6, 2, 3, 3], [8, 3, 1, 1]])
        let row = try #require(plan.rows.first { $0.layer == "grouped" })
        #expect(try CostModel.cost(of: compressed).parameterCount == plan.parameterCount && row.parameterCount == 16 + 108 + 24)
        #expect(try CostModel.cost(of: compressed).macCount == plan.macCount)
    }

    @Test func theClassifierIsDecomposedWhereAskedFor() throws {
        let graph = try CompressionSamples.mixed()
        let without = try DecomposedModel(graph, formats: CompressionSamples.trains).layers.last
        #expect(without?.decomposition == nil && without?.denseReason == "classifier: left dense unless asked for")
        let model = try DecomposedModel(graph, formats: CompressionSamples.trains, includesClassifier: true)
        let compressed = try Compressor.compress(model, plan: full(model, only: ["fc", "hidden"]))
        #expect(try CompressionSamples.difference(outputs(compressed), outputs(graph)) < Self.layerTolerance)
    }

    @Test func theOriginalIsUntouched() throws {
        let graph = try CompressionSamples.resNet()
        let before = (try CompressionSamples.bits(graph), graph.nodes.map(\.name), graph.parameters.names)
        let model = try DecomposedModel(graph, formats: CompressionSamples.trains)
        let plan = try Planner(policy: .uniform).plan(model, budget: CompressionSamples.budget(.parameters, 0.3, model))
        let first = try Compressor.compress(model, plan: plan)
        let second = try Compressor.compress(model, plan: plan)
        #expect(try CompressionSamples.bits(first) == CompressionSamples.bits(second))
        #expect(try CompressionSamples.bits(graph) == before.0 && graph.nodes.map(\.name) == before.1 && graph.parameters.names == before.2)
        #expect(try CompressionSamples.bits(model.graph) == before.0)
    }

    @Test func chainsAreNotDecomposedAgain() throws {
        let model = try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.trains)
        let plan = try Planner(policy: .uniform).plan(model, budget: CompressionSamples.budget(.parameters, 0.3, model))
        let again = try DecomposedModel(Compressor.compress(model, plan: plan), formats: CompressionSamples.trains)
        #expect(again.layers.filter { $0.denseReason == "already part of a decomposed chain" }.count > 10)
        #expect(again.layers.allSatisfy { $0.decomposition == nil || $0.format == "C|Kh·Kw|O" })
    }

    @Test func plansThatDoNotFitAreRefused() throws {
        let model = try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.trains)
        let good = try Planner(policy: .uniform).plan(model, budget: CompressionSamples.budget(.parameters, 0.5, model))
        func code(_ change: (inout Plan) -> Void) -> String? {
            var plan = good
            change(&plan)
            return (#expect(throws: (any Error).self) { try Compressor.compress(model, plan: plan) } as? any Failure)?.code
        }
        #expect(code { $0.rows[1].layer = "stage1.block1.conv9" } == "compression.unknownLayer")
        #expect(code { $0.rows[1].ranks = [1] } == "compression.invalidRanks")
        #expect(code { $0.rows[1].ranks = [0, 0] }?.hasPrefix("decomposition.") == true)
        #expect(code { $0.rows[1].ranks = [.max, .max] }?.hasPrefix("decomposition.") == true)
        #expect(code { $0.rows[7].ranks = [1] } == "compression.invalidRanks")
    }

    /// A linear layer on a sequence is one for every position: the plan counts what the compressed model then costs.
    @Test func plansCountPositions() throws {
        var b = GraphBuilder(name: "sequence", seed: 2)
        let x = b.input("x", [7, 16])
        let first = try b.linear("first", x, features: 24)
        let last = try b.linear("last", b.apply("relu", ReLU(), first), features: 3)
        let model = try DecomposedModel(b.finish(outputs: [last]), formats: CompressionSamples.trains)
        let plan = try Planner(policy: .uniform).plan(model, budget: nil, ranks: ["first": [4]], name: "test")
        let cost = try CostModel.cost(of: Compressor.compress(model, plan: plan))
        #expect(plan.denseMacCount == 7 * (16 * 24 + 24 * 3))
        #expect(plan.macCount == cost.macCount && cost.macCount == 7 * (4 * (16 + 24) + 24 * 3))
    }

    @Test func sharedLayersAreOneAndFusedOnesStayDense() throws {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("images", [8, 6, 6])
        let weight = b.parameter("w", try .ones([8, 8, 3, 3]))
        let same = ConvolutionGeometry(stride: 1, padding: 1)
        let first = try b.add("first", Conv2D(same, hasBias: false), [.value(x), weight])
        let second = try b.add("second", Conv2D(same, hasBias: false), [.value(first), weight])
        let own = b.parameter("own", try .ones([8, 8, 3, 3]))
        let fused = try b.add("fused", Conv2D(same, hasBias: false, addsResidual: true, hasReLU: true), [.value(second), own, .value(x)])
        let end = try b.apply("end", Flatten(), fused)
        let model = try DecomposedModel(b.finish(outputs: [end]), formats: CompressionSamples.trains)
        #expect(
            model.layers.map(\.denseReason) == [
                nil, "is fused with what follows it",
            ])
        #expect(model.layers[0].uses.map(\.name) == ["first", "second"])
    }

    @Test func weightsThatAreNotFiniteNameTheirLayer() throws {
        var graph = try CompressionSamples.resNet()
        graph.parameters.update("stage2.block1.conv1.weight", try .full([32, 16, 3, 3], .nan))
        let failure = #expect(throws: LocatedFailure.self) { try DecomposedModel(graph, formats: CompressionSamples.trains) }
        #expect(failure?.code == "decomposition.notFinite" && failure?.path == ["resnet8 › stage2.block1.conv1"])
    }

    @Test func aModelWithoutWeightsHasNothingToCompress() throws {
        let graph = Graph(
            name: "plain", inputs: [GraphInput(name: "x", sampleShape: [3])], nodes: [Node("y", ReLU(), [.value("x")])], outputs: ["y"])
        let failure = #expect(throws: CompressionFailure.self) { try DecomposedModel(graph, formats: CompressionSamples.trains) }
        #expect(failure?.code == "compression.noLayers")
    }
}

/// Inference, up to a layer's own output where one is named.
enum ExecutionRun {
    static func run(_ graph: Graph, _ x: Tensor, tap: String?) throws -> Tensor {
        try InferenceEngine(tap.map { try graph.computing([$0]) } ?? graph).run([x])[0]
    }
}
