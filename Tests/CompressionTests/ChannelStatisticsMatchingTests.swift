import Basics
import Compression
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct ChannelStatisticsMatchingTests {
    /// The statistics are sums in double precision of float32 activations that went through other kernels.
    private static let tolerance = 2e-3

    /// Convolutions, with and without bias, and a linear layer without any batch normalisation.
    private func folded() throws -> Graph {
        var b = GraphBuilder(name: "folded", seed: 5)
        var x = b.input("images", [3, 12, 12])
        for (index, channels) in [16, 24, 24].enumerated() {
            let conv = try b.convolution(
                "conv\(index)", x, channels: channels, kernel: [3, 3], geometry: .init(stride: 1, padding: 1), hasBias: index != 1)
            x = try b.apply("relu\(index)", ReLU(), conv)
        }
        let pooled = try b.apply("pool", AdaptiveAveragePool2D(rows: 2, columns: 2), x)
        let flat = try b.apply("flat", Flatten(), pooled)
        let hidden = try b.linear("hidden", flat, features: 32)
        x = try b.apply("relu", ReLU(), hidden)
        let logits = try b.linear("fc", x, features: 10)
        return try b.finish(outputs: [logits])
    }

    private func compressed(_ graph: Graph) throws -> Graph {
        let model = try DecomposedModel(graph, formats: CompressionSamples.trains)
        var ranks: [String: [Int]] = [:]
        for layer in model.layers where layer.decomposition != nil { ranks[layer.name] = layer.maxRanks.map { max(1, $0 / 4) } }
        return try Compressor.compress(model, plan: Planner(policy: .uniform).plan(model, budget: nil, ranks: ranks, name: "quarter"))
    }

    private func images() throws -> Tensor {
        var random = RandomSource(seed: 11)
        return try .normal([80, 3, 12, 12], using: &random)
    }

    /// Mean and deviation of each channel.
    private func statistics(_ graph: Graph, _ name: String) throws -> [(mean: Double, deviation: Double)] {
        let value = try InferenceEngine(graph.computing([name])).run([images()])[0]
        let rows = value.rank == 4 ? try value.permuted([1, 0, 2, 3]).contiguous() : try value.transposed().contiguous()
        let (count, elements) = (rows.elementCount / rows.shape[0], try rows.array(of: Float.self))
        return (0..<rows.shape[0]).map { channel in
            let row = elements[channel * count..<(channel + 1) * count].map { Double($0) }
            let mean = row.reduce(0, +) / Double(count)
            return (mean, (row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot())
        }
    }

    @Test func everyLayerHasTheDenseStatistics() throws {
        let dense = try folded()
        let cut = try compressed(dense)
        let (repaired, layers) = try ChannelStatisticsMatching.repair(cut, towards: dense, images: [images()])
        #expect(layers == ["conv0", "conv1", "conv2", "hidden"].filter { name in cut.nodes.contains { $0.origin?.layer == name } })
        #expect(layers.count >= 3)
        var cutIsOff = 0.0
        for name in layers {
            let wanted = try statistics(dense, name)
            for (a, b) in zip(try statistics(repaired, name), wanted) {
                #expect(abs(a.mean - b.mean) < Self.tolerance && abs(a.deviation - b.deviation) < Self.tolerance, "\(name)")
            }
            for (a, b) in zip(try statistics(cut, name), wanted) { cutIsOff = max(cutIsOff, abs(a.deviation - b.deviation)) }
        }
        #expect(cutIsOff > 10 * Self.tolerance)
    }

    @Test func theResultIsNearerToTheDense() throws {
        let dense = try folded()
        let cut = try compressed(dense)
        let repaired = try ChannelStatisticsMatching.repair(cut, towards: dense, images: [images()]).graph
        let wanted = try statistics(dense, "fc")
        func distance(_ graph: Graph) throws -> Double {
            zip(try statistics(graph, "fc"), wanted).reduce(0) { $0 + abs($1.0.mean - $1.1.mean) }
        }
        #expect(try distance(repaired) < 0.5 * distance(cut))
    }

    /// Batch normalisation repairs what stands before it, and dense layers need nothing.
    @Test func modelsWithBatchNormalisationAreLeftAlone() throws {
        let dense = try CompressionSamples.resNet()
        let cut = try compressed(dense)
        var random = RandomSource(seed: 1)
        let images = try Tensor.normal([4, 3, 16, 16], using: &random)
        for graph in [cut, dense] {
            let (repaired, layers) = try ChannelStatisticsMatching.repair(graph, towards: dense, images: [images])
            #expect(layers.isEmpty)
            #expect(repaired.parameters.names == graph.parameters.names)
        }
    }

    @Test func anotherModelIsRefused() throws {
        let cut = try compressed(folded())
        var b = GraphBuilder(name: "other", seed: 1)
        let x = b.input("images", [3, 12, 12])
        let conv = try b.convolution("conv0", x, channels: 7, kernel: [3, 3], geometry: .init())
        let other = try b.finish(outputs: [conv])
        let failure = #expect(throws: LocatedFailure.self) { try ChannelStatisticsMatching.repair(cut, towards: other, images: [images()]) }
        #expect(failure?.code == "compression.invalidRanks")
    }

    /// Two chain ends that read one weight each get their own; a second repair finds nothing to do and adds no name.
    @Test func sharedWeightsPartAndNamesStay() throws {
        let dense = try folded()
        var cut = try compressed(dense)
        let (first, second) = try (#require(cut.index(ofNode: "conv1")), #require(cut.index(ofNode: "conv2")))
        cut.nodes[second].inputs[1] = cut.nodes[first].inputs[1]
        let once = try ChannelStatisticsMatching.repair(cut, towards: dense, images: [images()]).graph
        #expect(once.nodes[first].parameter(at: 1) != once.nodes[second].parameter(at: 1))
        for name in ["conv1", "conv2"] {
            for (a, b) in zip(try statistics(once, name), try statistics(dense, name)) {
                #expect(abs(a.mean - b.mean) < Self.tolerance && abs(a.deviation - b.deviation) < Self.tolerance, "\(name)")
            }
        }
        let twice = try ChannelStatisticsMatching.repair(once, towards: dense, images: [images()]).graph
        #expect(twice.parameters.names == once.parameters.names)
        for (a, b) in zip(try CompressionSamples.values(twice), try CompressionSamples.values(once)) { #expect(abs(a - b) < 1e-3) }
    }

    /// Batches of any size give what one batch of all images gives.
    @Test func batchesDoNotMatter() throws {
        let dense = try folded()
        let (cut, all) = try (compressed(dense), images())
        let whole = try ChannelStatisticsMatching.repair(cut, towards: dense, images: [all]).graph
        let parts = try [0..<50, 50..<79, 79..<80].map { try all.sliced(dim: 0, from: $0.lowerBound, to: $0.upperBound).contiguous() }
        let apart = try ChannelStatisticsMatching.repair(cut, towards: dense, images: parts).graph
        for (a, b) in zip(try CompressionSamples.values(apart), try CompressionSamples.values(whole)) { #expect(abs(a - b) < 1e-4) }
    }

    @Test func frozenFactorsStayFrozen() throws {
        let dense = try folded()
        var cut = try compressed(dense)
        let weight = try #require(cut.nodes.first { $0.name == "conv1" }?.parameter(at: 1))
        cut.parameters[weight]?.isTrainable = false
        let repaired = try ChannelStatisticsMatching.repair(cut, towards: dense, images: [images()]).graph
        let node = try #require(repaired.nodes.first { $0.name == "conv1" })
        for input in [1, 2] { #expect(try #require(node.parameter(at: input).flatMap { repaired.parameters[$0] }).isTrainable == false) }
    }

    @Test(arguments: [(Float.nan, "compression.notFiniteImages"), (0, "compression.noContent"), (0.5, "compression.noContent")])
    func imagesWithoutContentAreRefused(_ value: Float, _ code: String) throws {
        let dense = try folded()
        let blank = try Tensor.full([4, 3, 12, 12], Double(value))
        let failure = #expect(throws: CompressionFailure.self) {
            try ChannelStatisticsMatching.repair(compressed(dense), towards: dense, images: [blank])
        }
        #expect(failure?.code == code && failure?.description.contains("image") == true)
    }

    @Test func layersWithoutNumbersAreNamed() throws {
        var dense = try folded()
        let cut = try compressed(dense)
        let weight = try #require(dense.nodes.first { $0.name == "conv0" }?.parameter(at: 1))
        dense.parameters.update(weight, try #require(dense.parameters[weight]).tensor.multiplying(.infinity))
        let failure = #expect(throws: LocatedFailure.self) { try ChannelStatisticsMatching.repair(cut, towards: dense, images: [images()]) }
        #expect(failure?.code == "compression.notFinite" && failure?.description.contains("conv0") == true)
    }
}
