import Basics
import Compression
import Decomposition
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct DecomposedModelTests {
    private final class Reporter: ProgressReporter, @unchecked Sendable {
        var counts: [Int] = []
        var stopsAt = Int.max
        func report(label: String, completed: Int, total: Int, note: String) {
            counts.append(completed)
            if completed >= stopsAt { Cancellation.request() }
        }
        func finish(label: String) {}
    }

    /// Two convolutions each of which is a portion of its own, and one that is not.
    private func wide() throws -> Graph {
        var b = GraphBuilder(name: "wide", seed: 3)
        var y = b.input("images", [512, 4, 4])
        for name in ["a", "b", "c"] { y = try b.convolution(name, y, channels: 512, kernel: [3, 3], geometry: .init(stride: 1, padding: 1)) }
        y = try b.apply("flat", Flatten(), y)
        return try b.finish(outputs: [y])
    }

    @Test func portionsOfWork() {
        #expect(Portions.of([1, 1, 1], limit: 10) == [0..<3])
        #expect(Portions.of([10, 1, 10, 1, 1], limit: 10) == [0..<1, 1..<3, 3..<5])
        #expect(Portions.of([], limit: 10).isEmpty)
    }

    @Test func aLargeModelIsReportedAndCanBeStopped() throws {
        let reporter = Reporter()
        ProgressReport.show(with: reporter)
        defer {
            ProgressReport.show(with: nil)
            Cancellation.clear()
        }
        // What is over at once shows nothing.
        _ = try DecomposedModel(CompressionSamples.resNet(), formats: ["Tucker-2"])
        #expect(reporter.counts == [])
        let graph = try wide()
        reporter.stopsAt = 2
        #expect(throws: Interrupted.self) { try DecomposedModel(graph, formats: ["Tucker-2"], includesClassifier: true) }
        #expect(reporter.counts.last == 2)
    }

    // MARK: Formats

    @Test func formatsHoldByPattern() throws {
        let graph = try CompressionSamples.mixed()
        let choice = FormatChoice(["Tucker-2"], rules: [("h*", ["TT-matrix"]), ("hidden", ["low-rank", "TT-matrix"]), ("point", ["CP"])])
        let model = try DecomposedModel(graph, formats: choice)
        let formats = Dictionary(uniqueKeysWithValues: model.layers.map { ($0.name, $0.chains.map(\.format)) })
        #expect(formats["strided"] == ["Tucker-2"] && formats["hidden"] == ["I|O", "TT-matrix"] && formats["point"] == [])
        #expect(model.layers.first { $0.name == "point" }?.denseReason?.contains("kernel of 1×1") == true)
        for (rules, code) in [
            ([("strode", ["CP"])], "compression.unknownLayer"), ([("point", ["Tucker-3"])], "compression.unknownFormat"),
            ([("point", ["TT-matrix(4x3)"])], "compression.unknownFormat"), ([("point", [])], "compression.invalidOption"),
        ] as [([(pattern: String, formats: [String])], String)] {
            let failure = #expect(throws: CompressionFailure.self) { try DecomposedModel(graph, formats: FormatChoice(["auto"], rules: rules)) }
            #expect(failure?.code == code, "\(rules)")
        }
        for (choice, meant) in [
            ("tuker2", "did you mean \"Tucker-2\""), (FormatChoice(["auto"], rules: [("strided?", ["CP"])]), "matches 'strided?'"),
            (FormatChoice(["auto"], rules: [("sgride*", ["CP"])]), "did you mean 'stride*'?"),
        ] {
            let near = #expect(throws: CompressionFailure.self) { try DecomposedModel(graph, formats: choice) }
            #expect(near?.description.contains(meant) == true, "\(String(describing: near))")
        }
    }

    @Test func factorsMayBeGiven() throws {
        let graph = try CompressionSamples.mixed()
        let model = try DecomposedModel(graph, formats: ["TT-channels(2x3|4x3)", "tt-matrix( 6x8 | 5x4 )"])
        let found = model.layers.flatMap { layer in layer.chains.map { "\(layer.name) \($0.format) \($0.factorization.maxRanks.count)" } }
        #expect(found == ["strided TT-channels(2x3|4x3) 4", "hidden TT-matrix(6x8|5x4) 1"])
    }

    // MARK: Several uses of a weight

    /// Three nodes, two of which share a weight.
    private func tied(_ geometry: ConvolutionGeometry = .init(stride: 1, padding: 1)) throws -> Graph {
        var b = GraphBuilder(name: "tied", seed: 4)
        let x = try b.convolution("in", b.input("images", [3, 8, 8]), channels: 12, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        var y = try b.apply("relu1", ReLU(), b.convolution("one", x, channels: 12, kernel: [3, 3], geometry: .init(stride: 1, padding: 1), hasBias: true))
        y = try b.apply("relu2", ReLU(), b.convolution("two", y, channels: 12, kernel: [3, 3], geometry: geometry, hasBias: true))
        var graph = try b.finish(outputs: [y])
        let (one, two) = (try #require(graph.index(ofNode: "one")), try #require(graph.index(ofNode: "two")))
        graph.nodes[two].inputs[1] = graph.nodes[one].inputs[1]
        graph.parameters.keep(only: Set(graph.nodes.flatMap(\.parameterInputs)))
        return graph
    }

    @Test(arguments: ["Tucker-2", "TT-channels", "CP", "C·Kh|Kw·O"]) func aSharedWeightIsDecomposedOnce(format: String) throws {
        let graph = try tied()
        let model = try DecomposedModel(graph, formats: [format], includesClassifier: true)
        #expect(model.layers.map(\.name) == ["in", "one"])
        let layer = model.layers[1]
        #expect(layer.uses.map(\.name) == ["one", "two"] && layer.denseMacCount == 2 * 12 * 12 * 9 * 64)
        let plan = try Planner(policy: .uniform).plan(
            model, budget: nil, ranks: ["one": layer.maxRanks.map { max(1, $0 / 3) }], name: "test")
        let small = try Compressor.compress(model, plan: plan)
        let cost = try CostModel.cost(of: small)
        #expect(cost.parameterCount == plan.parameterCount && cost.macCount == plan.macCount)
        #expect(cost.peakActivationByteCount == plan.peakActivationByteCount)
        // Both chains have the same factors, and become layers that share their weight again.
        let factors = ["one", "two"].map { name in small.nodes.filter { $0.origin?.layer == name }.map { $0.parameter(at: 1) } }
        #expect(factors[0].filter { $0?.hasSuffix("weight") == true } == factors[1].filter { $0?.hasSuffix("weight") == true })
        let whole = try Recomposition.recompose(small)
        let weights = ["one", "two"].compactMap { whole.index(ofNode: $0) }.map { whole.nodes[$0].parameter(at: 1) }
        #expect(weights[0] == weights[1] && weights[0] != nil)
        #expect(try CostModel.cost(of: whole).parameterCount == model.cost.parameterCount)
    }

    @Test func usesThatDifferStayDense() throws {
        let model = try DecomposedModel(tied(.init(stride: 2, padding: 1)), includesClassifier: true)
        #expect(model.layers[1].denseReason == "shares its weight with a layer of another input or geometry")
    }
}
