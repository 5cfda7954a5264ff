import Basics
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct GraphBuilderTests {
    private func builder() -> (GraphBuilder, String) {
        var builder = GraphBuilder(name: "net", seed: 1)
        let x = builder.input("images", [3, 8, 8])
        return (builder, x)
    }

    @Test func unknownValuesAndParametersAreNamed() throws {
        var (builder, x) = builder()
        let value = #expect(throws: GraphFailure.self) { try builder.apply("relu", ReLU(), "nowhere") }
        #expect(value?.description == "net › relu: input 'nowhere' is made by no earlier node")
        let parameter = #expect(throws: GraphFailure.self) { try builder.add("fc", Linear(hasBias: false), [.value(x), .parameter("w")]) }
        #expect(parameter?.description == "net › fc: there is no parameter 'w'")
    }

    @Test func misfitsCarryTheirPath() throws {
        var (builder, x) = builder()
        let failure = #expect(throws: LocatedFailure.self) {
            try builder.add("fc", Linear(hasBias: false), [.value(x), builder.parameter("w", .ones([4, 99]))])
        }
        #expect(failure?.path == ["net › fc"] && failure?.code == "operation.shapes")
        #expect(throws: LocatedFailure.self) {
            try builder.convolution("conv", x, channels: 4, kernel: [9, 9], geometry: .init())
        }
        #expect(throws: LocatedFailure.self) {
            try builder.convolution("conv", x, channels: 4, kernel: [3, 3], geometry: .init(stride: 1, padding: 1, groups: 2))
        }
    }

    /// Features of vectors are normalised as channels of images are.
    @Test func vectorsAreNormalisedToo() throws {
        var builder = GraphBuilder(name: "net", seed: 1)
        let x = builder.input("x", [6])
        let y = try builder.batchNorm("norm", x, epsilon: 1e-3, momentum: 0.2)
        let graph = try builder.finish(outputs: [y])
        #expect(graph.nodes.map(\.name) == ["norm"])
        let norm = try #require(graph.nodes[0].operation as? BatchNorm)
        #expect(norm.epsilon == 1e-3 && norm.momentum == 0.2)
        #expect(graph.parameters["norm.running_var"]?.tensor.shape == [6])
        #expect(try ShapeInference.shapes(of: graph, batch: 4)[y] == [4, 6])
    }

    /// Operations multiply and add extents, so absurd ones must not reach them: each of these ended the process.
    @Test func absurdShapesAreErrors() throws {
        for shape in [[1 << 32, 1 << 32, 1], [.max, 2, 2], [0, 3, 3], [-1, 3, 3], [1 << 39, 2, 1], Shape([Int](repeating: 1, count: 32))] as [Shape] {
            for operation in [Flatten(), ReLU(), Pad(dimension: 2, before: 1, after: 1)] as [any GraphOperation] {
                var builder = GraphBuilder(name: "net", seed: 1)
                let x = builder.input("images", shape)
                let failure = #expect(throws: GraphFailure.self) { try builder.apply("y", operation, x) }
                #expect(failure?.code == "graph.valueShape", "\(shape)")
            }
            #expect(throws: GraphFailure.self) { try MultilayerPerceptron(imageShape: shape).build(seed: 1) }
            #expect(throws: GraphFailure.self) { try LeNet5(imageShape: shape).build(seed: 1) }
        }
    }

    /// Each node makes more of the one before; the first that is too large is named.
    @Test func growthIsBounded() throws {
        var builder = GraphBuilder(name: "net", seed: 1)
        var value = builder.input("images", [1, 4, 4])
        let failure = #expect(throws: GraphFailure.self) {
            for i in 0..<64 { value = try builder.apply("pad\(i)", Pad(dimension: 2, before: 1 << 19, after: 1 << 19), value) }
            for i in 0..<64 { value = try builder.apply("join\(i)", Concatenate(dimension: 1), value, value) }
        }
        #expect(failure?.code == "graph.valueShape")
    }

    static let noConvolutions: [(Int, [Int])] = [(4, []), (4, [3]), (0, [3, 3]), (-1, [3, 3]), (4, [0, 3]), (4, [.max, .max]), (.max, [3, 3])]

    @Test(arguments: noConvolutions) func absurdConvolutionsAreErrors(channels: Int, kernel: [Int]) {
        var (builder, x) = builder()
        let failure = #expect(throws: (any Error).self) {
            try builder.convolution("conv", x, channels: channels, kernel: kernel, geometry: .init())
        }
        #expect(failure is any Failure)
    }

    @Test func aNameGivenTwiceIsFoundAtTheEnd() throws {
        var (builder, x) = builder()
        for _ in 0..<2 { _ = try builder.apply("relu", ReLU(), x) }
        let failure = #expect(throws: GraphFailure.self) { try builder.finish(outputs: ["relu"]) }
        #expect(failure?.description == "net: the name 'relu' is given twice")
    }

    @Test func shapesAreKnownAsItGrows() throws {
        var (builder, x) = builder()
        let conv = try builder.convolution("conv", x, channels: 5, kernel: [3, 3], geometry: .init(stride: 2, padding: 1), hasBias: true)
        #expect(builder.shape(of: conv) == [1, 5, 4, 4])
        let graph = try builder.finish(outputs: [conv])
        #expect(graph.parameters.names == ["conv.weight", "conv.bias"])
        #expect(graph.parameters.trainableElementCount == 5 * 27 + 5)
    }

    @Test func weightsHaveHesVariance() throws {
        var builder = GraphBuilder(name: "net", seed: 5)
        let x = builder.input("images", [64, 8, 8])
        let conv = try builder.convolution("conv", x, channels: 64, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        let graph = try builder.finish(outputs: [conv])
        let weight = try #require(graph.parameters["conv.weight"]).tensor
        let variance = try weight.norm() * weight.norm() / Double(weight.elementCount)
        // 36,864 samples: the relative standard error of the variance is √(2/36864) = 0.7 %; five of them are allowed.
        #expect(abs(variance * Double(64 * 9) / 2 - 1) < 0.037)
    }
}
