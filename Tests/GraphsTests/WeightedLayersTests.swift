import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct WeightedLayersTests {
    /// A tap is the last value before the next weighted layer; through an add the parent is the later of the two.
    @Test func tapsAndParentsOfResNet8() throws {
        let graph = try CIFARResNet(depth: 8).build(seed: 1)
        let layers = try WeightedLayers.layers(of: graph)
        let expected: [(String, String, String?)] = [
            ("conv1", "relu1", nil),
            ("stage1.block1.conv1", "stage1.block1.relu1", "conv1"),
            ("stage1.block1.conv2", "stage1.block1.relu2", "stage1.block1.conv1"),
            ("stage2.block1.conv1", "stage2.block1.relu1", "stage1.block1.conv2"),
            ("stage2.block1.conv2", "stage2.block1.relu2", "stage2.block1.conv1"),
            ("stage3.block1.conv1", "stage3.block1.relu1", "stage2.block1.conv2"),
            ("stage3.block1.conv2", "stage3.block1.relu2", "stage3.block1.conv1"),
            ("fc", "fc", "stage3.block1.conv2"),
        ]
        #expect(layers.map(\.name) == expected.map(\.0))
        #expect(layers.map(\.tap) == expected.map(\.1))
        #expect(layers.map(\.parent) == expected.map(\.2))
        #expect(layers.map(\.isClassifier) == expected.map { $0.0 == "fc" })
        #expect(layers[0].inputShape == [1, 3, 32, 32] && layers[0].outputShape == [1, 16, 32, 32])
        #expect(layers[7].weightShape == [10, 64] && layers[7].parameterCount == 650 && layers[7].macCount == 640)
    }

    /// Two branches of different length into one add: whoever follows has the later layer as its parent.
    @Test func theLaterBranchIsTheParent() throws {
        var builder = GraphBuilder(name: "branches", seed: 1)
        let x = builder.input("images", [2, 6, 6])
        let geometry = ConvolutionGeometry(stride: 1, padding: 1)
        func conv(_ name: String, _ input: String) throws -> String {
            try builder.convolution(name, input, channels: 2, kernel: [3, 3], geometry: geometry)
        }
        let short = try conv("short", x)
        let long = try conv("long2", conv("long1", x))
        let sum = try builder.apply("sum", Add(), short, long)
        let pooled = try builder.apply("pooled", Pool2D(.init(kind: .max, window: [2, 2])), sum)
        let last = try conv("last", pooled)
        let layers = try WeightedLayers.layers(of: builder.finish(outputs: [last]))
        #expect(layers.map(\.parent) == [nil, nil, "long1", "long2"])
        #expect(layers.map(\.tap) == ["sum", "long1", "sum", "last"], "pooling ends a tap, and so does a weighted layer")
        #expect(layers.map(\.isClassifier) == [false, false, false, true])
    }

    @Test func aValueWithSeveralReadersIsItsOwnTap() throws {
        var builder = GraphBuilder(name: "fork", seed: 1)
        let x = builder.input("vector", [4])
        let first = try builder.linear("first", x, features: 4)
        let a = try builder.apply("a", ReLU(), first)
        let b = try builder.apply("b", Scale(factor: 2), first)
        let layers = try WeightedLayers.layers(of: builder.finish(outputs: [a, b]))
        #expect(layers.map(\.tap) == ["first"])
    }

    /// Softmax and the like behind the last layer change nothing about its being the classifier.
    @Test func theClassifierIsFoundBehindWeightlessNodes() throws {
        var builder = GraphBuilder(name: "softmax", seed: 1)
        let x = builder.input("sequence", [3, 4])
        let first = try builder.apply("gelu", GELU(), builder.linear("first", x, features: 6))
        let last = try builder.linear("last", first, features: 5)
        let result = try builder.apply("softmax", Softmax(), builder.apply("mean", ReduceMean(dimensions: [1], keepsDimensions: false), last))
        let layers = try WeightedLayers.layers(of: builder.finish(outputs: [result]))
        #expect(layers.map(\.isClassifier) == [false, true])
        #expect(layers.map(\.tap) == ["gelu", "last"])
        #expect(layers.map(\.positionCount) == [3, 3] && layers[0].macCount == 3 * 4 * 6)
    }
}
