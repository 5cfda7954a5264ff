import Graphs
import Operations
import Tensors
import Testing

/// What the architectures of the zoo have in common; their results are compared with PyTorch's where state dicts are.
@Suite(.serialized) struct ZooTests {
    static let small: [any Architecture] = [
        CIFARResNet(depth: 14, imageShape: [1, 9, 7]), ResNet(depth: 18, imageShape: [1, 33, 40], classCount: 3),
        ResNet(depth: 50, imageShape: [3, 32, 32], classCount: 2), VGG(depth: 11, classCount: 5),
        VGG(depth: 13, imageShape: [2, 64, 33]), MobileNetV2(imageShape: [3, 37, 50], classCount: 4, width: 0.35),
        LeNet5(imageShape: [3, 12, 15], classCount: 2), MultilayerPerceptron(imageShape: [1, 2, 3], hidden: [5]),
        VisionTransformer(imageShape: [1, 6, 4], patch: 2, width: 4, depth: 3, heads: 2),
    ]

    /// Every node with parameters has a name in state dicts, and no two have the same one.
    @Test(arguments: small.indices) func everyLayerHasAnotherName(_ index: Int) throws {
        let graph = try Self.small[index].build(seed: 1)
        let modules = Self.small[index].stateDictModules()
        let layers = graph.nodes.filter { !$0.parameterInputs.isEmpty && !($0.operation is Dropout) }
        for layer in layers { #expect(modules[layer.name] != nil, "\(graph.name): \(layer.name)") }
        let used = layers.compactMap { modules[$0.name]?.first }
        #expect(Set(used).count == used.count)
        #expect(graph.name.first?.isLetter == true && graph.outputs.count == 1)
    }

    static let impossible: [any Architecture] = [
        ResNet(depth: 20), ResNet(depth: 18, imageShape: [3, 16, 16]), ResNet(depth: 18, classCount: 1),
        MobileNetV2(width: 0), MobileNetV2(width: .nan), MobileNetV2(width: 5), MobileNetV2(imageShape: [3, 8, 8]),
        LeNet5(imageShape: [1, 8, 8]), LeNet5(imageShape: [28, 28]), MultilayerPerceptron(hidden: [0]),
        MultilayerPerceptron(hidden: [-5]), MultilayerPerceptron(hidden: [Int](repeating: 1, count: 2000)),
        VGG(depth: 16, imageShape: [3, 31, 31]), VGG(depth: 16, imageShape: [3, 64, 64], form: .imagenet),
    ]

    @Test(arguments: impossible.indices) func whatIsNoneOfTheFamilyIsRefused(_ index: Int) {
        let failure = #expect(throws: GraphFailure.self) { try Self.impossible[index].build(seed: 1) }
        #expect(failure?.code == "graph.invalidArchitecture")
    }

    /// What suits a layer: taps behind its activation, also behind one with two limits.
    @Test func clippedActivationsAreTaps() throws {
        let graph = try MobileNetV2(imageShape: [3, 32, 32], classCount: 4, width: 0.25).build(seed: 1)
        let layers = try WeightedLayers.layers(of: graph)
        #expect(layers.first?.tap == "stem.relu6")
        #expect(layers.first { $0.name == "stage2.block2.project.conv" }?.tap == "stage2.block2.add")
        #expect(layers.last?.isClassifier == true)
    }
}
