import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct VisionTransformerTests {
    static let networks: [VisionTransformer] = [
        VisionTransformer(), VisionTransformer(imageShape: [3, 32, 32], classCount: 100, patch: 4, width: 192, depth: 9, heads: 3, mlpRatio: 4),
        VisionTransformer(imageShape: [2, 6, 9], classCount: 2, patch: 3, width: 5, depth: 1, heads: 1, mlpRatio: 0.5),
        VisionTransformer(imageShape: [1, 4, 4], classCount: 3, patch: 4, width: 8, depth: 2, heads: 8),
    ]

    /// The closed formulas: a block has (4 + 2r)·w² weights, as many biases as its layers have features, and two normalisations.
    @Test(arguments: networks.indices) func costsAreExact(_ index: Int) throws {
        let net = Self.networks[index]
        let graph = try net.build(seed: 1)
        let cost = try CostModel.cost(of: graph)
        let (w, h) = (net.width, Int(net.mlpRatio * Double(net.width)))
        let pixels = net.imageShape[0] * net.patch * net.patch
        let patches = net.imageShape[1] * net.imageShape[2] / (net.patch * net.patch)
        let block = 4 * w * w + 4 * w + 2 * h * w + h + w + 4 * w
        #expect(cost.parameterCount == pixels * w + w + patches * w + net.depth * block + 2 * w + (w + 1) * net.classCount)
        // The products of queries with keys and of their shares with values: patches² · w each.
        let blockWork = patches * (4 * w * w + 2 * h * w) + 2 * patches * patches * w
        #expect(cost.macCount == patches * pixels * w + net.depth * blockWork + w * net.classCount)
        #expect(try ShapeInference.shapes(of: graph, batch: 3)[graph.outputs[0]] == [3, net.classCount])
    }

    /// The default network, as a plain number.
    @Test func theSmallOneHasItsSize() throws {
        let cost = try CostModel.cost(of: VisionTransformer().build(seed: 1))
        #expect(cost.parameterCount == 171_914 && cost.macCount == 2_803_328)
    }

    /// Each layer is seen behind what is added to it, and the residual stream is what the next one reads.
    @Test func layersHaveTheirTapsAndParents() throws {
        let layers = try WeightedLayers.layers(of: VisionTransformer(depth: 2).build(seed: 1))
        #expect(layers.map(\.name).prefix(5) == ["patch", "block1.attention.qkv", "block1.attention.proj", "block1.mlp.fc1", "block1.mlp.fc2"])
        #expect(layers.count == 10 && layers.filter(\.isClassifier).map(\.name) == ["fc"])
        #expect(layers.first { $0.name == "block2.attention.proj" }?.tap == "block2.add1")
        #expect(layers.first { $0.name == "block1.mlp.fc1" }?.tap == "block1.mlp.gelu")
        #expect(layers.filter { $0.name != "patch" && $0.name != "fc" }.allSatisfy { $0.positionCount == 16 })
    }

    @Test func itIsRecognised() throws {
        for depth in [1, 2, 7] {
            let known = KnownArchitectures.architecture(of: try VisionTransformer(width: 8, depth: depth).build(seed: 1))
            #expect((known as? VisionTransformer)?.depth == depth)
        }
    }

    static let impossible: [VisionTransformer] = [
        VisionTransformer(patch: 5), VisionTransformer(patch: 0), VisionTransformer(patch: -7), VisionTransformer(patch: .max),
        VisionTransformer(imageShape: [1, 28, 27]), VisionTransformer(imageShape: [28, 28]), VisionTransformer(classCount: 1),
        VisionTransformer(width: 0), VisionTransformer(width: .max), VisionTransformer(width: 66), VisionTransformer(heads: 0),
        VisionTransformer(heads: -4), VisionTransformer(depth: 0), VisionTransformer(depth: .max), VisionTransformer(mlpRatio: 0),
        VisionTransformer(mlpRatio: .nan), VisionTransformer(mlpRatio: .infinity), VisionTransformer(mlpRatio: 0.01),
    ]

    @Test(arguments: impossible.indices) func whatIsNoneIsRefused(_ index: Int) {
        let failure = #expect(throws: GraphFailure.self) { try Self.impossible[index].build(seed: 1) }
        #expect(failure?.code == "graph.invalidArchitecture")
    }
}
