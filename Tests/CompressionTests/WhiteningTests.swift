import Basics
import Compression
import Decomposition
import Execution
import Graphs
import Tensors
import Testing

@Suite(.serialized) struct WhiteningTests {
    let graph: Graph
    let images: [Tensor]

    init() throws {
        graph = try CompressionSamples.mixed()
        var random = RandomSource(seed: 12)
        images = try [24, 16].map { try Tensor.normal([$0, 6, 15, 13], using: &random) }
    }

    private func model(_ grouping: ConvolutionGrouping, whitened: Bool = true) throws -> DecomposedModel {
        try DecomposedModel(
            graph, formats: .init(grouping), includesClassifier: true,
            moments: whitened ? InputStatistics(graph, images: images) : nil)
    }

    /// ‖y − ŷ‖² / ‖y‖² of the layer's output, the layer alone at `ranks`; without its bias, which is not compressed.
    private func outputError(_ model: DecomposedModel, _ name: String, _ ranks: [Int]) throws -> (got: Double, said: Double) {
        let plan = try Planner(policy: .uniform).plan(model, budget: nil, ranks: [name: ranks], name: "test")
        let said = try #require(plan.rows.first { $0.layer == name }).relativeError
        return (try outputError(of: Compressor.compress(model, plan: plan), name), said * said)
    }

    private func outputError(of compressed: Graph, _ name: String) throws -> Double {
        let changed = try compressed.computing([name])
        let exact = try graph.computing([name])
        let bias = graph.nodes[try #require(graph.index(ofNode: name))].parameterInputs.dropFirst().first
        var (difference, energy) = (0.0, 0.0)
        for batch in images {
            let y = try InferenceEngine(exact).run([batch])[0]
            let apart = try InferenceEngine(changed).run([batch])[0].subtracting(y).norm()
            var plain = y
            if let bias = bias.flatMap({ graph.parameters[$0]?.tensor }) {
                plain = try y.subtracting(bias.reshaped(y.rank == 4 ? [1, -1, 1, 1] : [1, -1]))
            }
            let norm = try plain.norm()
            difference += apart * apart
            energy += norm * norm
        }
        return difference / energy
    }

    @Test(arguments: ConvolutionGrouping.allCases) func fullRankReproducesEachLayer(_ grouping: ConvolutionGrouping) throws {
        let model = try model(grouping)
        for layer in model.layers where layer.decomposition != nil {
            // A root and its inverse in single precision cost some digits beside the plain chain.
            #expect(try outputError(model, layer.name, layer.maxRanks).got < 1e-7, "\(grouping) \(layer.name)")
        }
    }

    /// Whatever the geometry and the grouping; chains of three factors are improved once more when they are built.
    @Test(arguments: [
        ("strided", ConvolutionGrouping.outputChannels, [5]), ("uneven", .outputChannels, [4]), ("dilated", .outputChannels, [3]),
        ("strided", .spatial, [7]), ("uneven", .spatial, [4]), ("dilated", .spatial, [6]), ("point", .outputChannels, [3]),
        ("strided", .tensorTrain, [4, 12]), ("uneven", .tensorTrain, [5, 10]), ("strided", .tensorTrain, [4, 5]),
        ("dilated", .tensorTrain, [4, 4]), ("point", .outputChannels, [6]), ("hidden", .spatial, [4]), ("fc", .spatial, [2]),
    ])
    func theErrorIsThatOfTheOutput(name: String, grouping: ConvolutionGrouping, ranks: [Int]) throws {
        let error = try outputError(model(grouping), name, ranks)
        #expect(error.said > 1e-4 && error.got < 1.01 * error.said && error.got > 0.85 * error.said, "\(error)")
        if grouping != .tensorTrain { #expect(error.got > 0.99 * error.said, "\(error)") }
    }

    /// Also on sequences, where every token is a sample of what goes into the layer.
    @Test(arguments: ["block1.attention.qkv", "block1.mlp.fc2"]) func layersOnSequencesAreWhitened(name: String) throws {
        let net = VisionTransformer(imageShape: [2, 8, 8], classCount: 3, patch: 2, width: 12, depth: 1, heads: 2)
        let graph = try net.build(seed: 6)
        var random = RandomSource(seed: 12)
        let images = [try Tensor.normal([20, 2, 8, 8], using: &random)]
        func error(_ moments: InputStatistics?) throws -> (got: Double, said: Double) {
            let model = try DecomposedModel(graph, formats: "I|O", moments: moments)
            let plan = try Planner(policy: .uniform).plan(model, budget: nil, ranks: [name: [4]], name: "test")
            let changed = try Compressor.compress(model, plan: plan)
            func result(_ graph: Graph) throws -> Tensor { try InferenceEngine(graph.computing([name])).run(images)[0] }
            let (y, bias) = (try result(graph), try #require(graph.parameters[name + ".bias"]).tensor)
            let (apart, whole) = (try result(changed).subtracting(y).norm(), try y.subtracting(bias).norm())
            let said = try #require(plan.rows.first { $0.layer == name }).relativeError
            return (apart * apart / (whole * whole), said * said)
        }
        let (plain, whitened) = (try error(nil), try error(InputStatistics(graph, images: images)))
        #expect(abs(whitened.got - whitened.said) < 0.01 * whitened.said && whitened.got < plain.got, "\(whitened) and \(plain)")
    }

    /// Given the first factor, no second one gives outputs that err less: what is left is orthogonal to what it can change.
    @Test func laterFactorsAreTheBestForTheFirst() throws {
        let model = try model(.spatial)
        let best = try outputError(model, "dilated", [6]).got
        let plan = try Planner(policy: .uniform).plan(model, budget: nil, ranks: ["dilated": [6]], name: "test")
        let graph = try Compressor.compress(model, plan: plan)
        var random = RandomSource(seed: 3)
        for scale in [1e-2, 1e-1] {
            var changed = graph
            let last = try #require(graph.parameters["dilated.tt2.weight"]).tensor
            let move = try Tensor.normal(last.shape, using: &random).multiplying(scale * last.norm() / Double(last.elementCount).squareRoot())
            changed.parameters.update("dilated.tt2.weight", try last.adding(move))
            let got = try outputError(of: changed, "dilated")
            #expect(got > best, "\(scale): \(got) and \(best)")
        }
    }

    @Test(arguments: [
        ("point", ConvolutionGrouping.outputChannels, [3]), ("hidden", .outputChannels, [4]), ("uneven", .outputChannels, [4]),
        ("dilated", .outputChannels, [3]), ("dilated", .spatial, [6]), ("dilated", .tensorTrain, [4, 4]),
    ])
    func outputsLoseLessThanWithPlainWeights(name: String, grouping: ConvolutionGrouping, ranks: [Int]) throws {
        let whitened = try outputError(model(grouping), name, ranks).got
        let plain = try outputError(model(grouping, whitened: false), name, ranks).got
        #expect(whitened < plain, "\(name): \(whitened) and \(plain)")
    }

    /// Im2col of 229 · 9 elements are wider than moments are taken of: those of the channels stand in.
    @Test func widePatchesAreWhitenedByTheirChannels() throws {
        var b = GraphBuilder(name: "wide", seed: 7)
        let x = b.input("images", [229, 3, 3])
        let y = try b.convolution("wide", x, channels: 4, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        let wide = try b.finish(outputs: [y])
        var random = RandomSource(seed: 12)
        let images = [try Tensor.normal([8, 229, 3, 3], using: &random)]
        let plain = try DecomposedModel(wide, formats: .init(.outputChannels), includesClassifier: true)
        let whitened = try DecomposedModel(
            wide, formats: .init(.outputChannels), includesClassifier: true, moments: InputStatistics(wide, images: images))
        #expect(whitened.layers[0].decomposition?.bondSpectra != plain.layers[0].decomposition?.bondSpectra)
        let plan = try Planner(policy: .uniform).plan(whitened, budget: nil, ranks: ["wide": [4]], name: "test")
        let exact = try InferenceEngine(wide).run(images)[0]
        let chain = try InferenceEngine(Compressor.compress(whitened, plan: plan)).run(images)[0]
        #expect(try chain.subtracting(exact).norm() < 1e-3 * exact.norm())
    }

    @Test func groupedConvolutionsAreDecomposedAsTheyAre() throws {
        let (whitened, plain) = try (model(.tensorTrain), model(.tensorTrain, whitened: false))
        func spectrum(_ model: DecomposedModel, _ name: String) -> [[Double]]? {
            model.layers.first { $0.name == name }?.decomposition?.bondSpectra
        }
        #expect(spectrum(whitened, "grouped") == spectrum(plain, "grouped"))
        #expect(spectrum(whitened, "strided") != spectrum(plain, "strided"))
    }

    @Test func thereMustBeImages() throws {
        let failure = #expect(throws: CompressionFailure.self) { try InputStatistics(graph, images: []) }
        #expect(failure?.code == "compression.noImages")
    }
}
