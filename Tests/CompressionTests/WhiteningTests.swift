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
            graph, groupings: [grouping], includesClassifier: true,
            moments: whitened ? InputMoments(graph, images: images) : nil)
    }

    /// ‖y − ŷ‖² / ‖y‖² of the layer's output, the layer alone at `ranks`; without its bias, which is not compressed.
    private func outputError(_ model: DecomposedModel, _ name: String, _ ranks: [Int]) throws -> (got: Double, said: Double) {
        let plan = try Planner(policy: .uniform).plan(model, budget: nil, ranks: [name: ranks], name: "test")
        let changed = try Compressor.compress(model, plan: plan).computing([name])
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
        let said = try #require(plan.rows.first { $0.layer == name }).relativeError
        return (difference / energy, said * said)
    }

    @Test(arguments: ConvolutionGrouping.allCases) func fullRankReproducesEachLayer(_ grouping: ConvolutionGrouping) throws {
        let model = try model(grouping)
        for layer in model.layers where layer.decomposition != nil {
            // A root and its inverse in single precision cost some digits beside the plain chain.
            #expect(try outputError(model, layer.name, layer.maxRanks).got < 1e-7, "\(grouping) \(layer.name)")
        }
    }

    /// Where no kernel spans several positions, the error said is that of the output.
    @Test(arguments: [("point", 3), ("point", 6), ("hidden", 4), ("fc", 2)]) func theErrorIsThatOfTheOutput(name: String, rank: Int) throws {
        let error = try outputError(model(.outputChannels), name, [rank])
        #expect(error.said > 1e-4 && abs(error.got - error.said) < 0.02 * error.said, "\(error)")
    }

    @Test(arguments: [("point", [3]), ("hidden", [4]), ("uneven", [4]), ("dilated", [3])])
    func outputsLoseLessThanWithPlainWeights(name: String, ranks: [Int]) throws {
        let whitened = try outputError(model(.outputChannels), name, ranks).got
        let plain = try outputError(model(.outputChannels, whitened: false), name, ranks).got
        #expect(whitened < plain, "\(name): \(whitened) and \(plain)")
    }

    @Test func groupedConvolutionsAreDecomposedAsTheyAre() throws {
        let (whitened, plain) = try (model(.tensorTrain), model(.tensorTrain, whitened: false))
        func spectrum(_ model: DecomposedModel, _ name: String) -> [[Float]]? {
            model.layers.first { $0.name == name }?.decomposition?.bondSpectra
        }
        #expect(spectrum(whitened, "grouped") == spectrum(plain, "grouped"))
        #expect(spectrum(whitened, "strided") != spectrum(plain, "strided"))
    }

    @Test func thereMustBeImages() throws {
        let failure = #expect(throws: CompressionFailure.self) { try InputMoments(graph, images: []) }
        #expect(failure?.code == "compression.noImages")
    }
}
