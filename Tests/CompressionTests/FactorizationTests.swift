import Basics
import CommandTesting
import Compression
import Decomposition
import Execution
import Graphs
import Interchange
import Operations
import Tensors
import Testing

/// What every family promises, over layers of all geometries.
@Suite(.serialized) struct FactorizationTests {
    private static let formats = FactorizationCatalog.families.map(\.name)

    /// The sample's layers decomposed in one format, each cut to a share of its ranks.
    private func cut(_ format: String, share: Double, _ graph: Graph) throws -> (model: DecomposedModel, plan: Plan) {
        let model = try DecomposedModel(graph, formats: [format], includesClassifier: true)
        var ranks: [String: [Int]] = [:]
        for layer in model.layers where !layer.chains.isEmpty {
            let wanted = layer.maxRanks.map { max(1, Int(Double($0) * share)) }
            ranks[layer.name] = try layer.chains[0].factorization.clamped(wanted).ranks
        }
        return (model, try Planner(policy: .uniform).plan(model, budget: nil, ranks: ranks, name: "test"))
    }

    private func weight(_ layer: String, of graph: Graph) throws -> Tensor {
        let node = graph.nodes[try #require(graph.index(ofNode: layer))]
        return try #require(node.parameter(at: 1).flatMap { graph.parameters[$0]?.tensor })
    }

    private func error(_ a: Tensor, _ b: Tensor) throws -> Double {
        let apart = try a.subtracting(b).norm() / b.norm()
        return apart * apart
    }

    @Test(arguments: formats, [1.0, 0.5, 0.2]) func costsAndErrorsAreThoseOfTheChain(format: String, share: Double) throws {
        let graph = try CompressionSamples.mixed()
        let (model, plan) = try cut(format, share: share, graph)
        #expect(plan.rows.contains { $0.ranks != nil }, "else this tests nothing")
        let small = try Compressor.compress(model, plan: plan)
        let cost = try CostModel.cost(of: small)
        #expect(cost.parameterCount == plan.parameterCount && cost.macCount == plan.macCount, "\(cost) \(plan)")
        #expect(cost.peakActivationByteCount == plan.peakActivationByteCount)
        let whole = try Recomposition.recompose(small)
        var random = RandomSource(seed: 2)
        let x = try Tensor.normal([2, 6, 15, 13], using: &random)
        let (y, z) = try (InferenceEngine(small).run([x])[0], InferenceEngine(whole).run([x])[0])
        #expect(try error(z, y) < 1e-9, "the whole layers compute what the chains do")
        for row in plan.rows where row.ranks != nil {
            let found = try error(weight(row.layer, of: whole), weight(row.layer, of: graph))
            let said = row.relativeError * row.relativeError
            let layer = try #require(model.layers.first { $0.name == row.layer })
            switch try #require(layer.factorization).errorKind {
            case .exact: #expect(abs(found - said) < 1e-5 * max(1, said) + 1e-9, "\(row.layer) \(found) \(said)")
            case .upperBound: #expect(found < said * (1 + 1e-4) + 1e-9, "\(row.layer) \(found) \(said)")
            case .estimate: #expect(found < 2 * said + 1e-9, "\(row.layer) \(found) \(said)")
            }
            if share == 1, format != "CP" { #expect(found < 1e-10, "\(row.layer) \(found)") }
        }
    }

    @Test(arguments: formats) func chainsGoThroughFiles(format: String) throws {
        let (model, plan) = try cut(format, share: 0.4, CompressionSamples.mixed())
        let small = try Compressor.compress(model, plan: plan)
        var random = RandomSource(seed: 3)
        let x = try Tensor.normal([2, 6, 15, 13], using: &random)
        let y = try InferenceEngine(small).run([x])[0]
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        for name in ["small.safetensors", "small.onnx"] {
            let path = directory + "/" + name
            try ModelFile(graph: small).write(byEndingOf: path, version: "1")
            let again = try ModelFile.read(path).graph
            #expect(try error(InferenceEngine(again).run([x])[0], y) < 1e-9, "\(name)")
            #expect(again.nodes.compactMap(\.origin) == small.nodes.compactMap(\.origin), "\(name)")
            let whole = try Recomposition.recompose(again)
            #expect(try CostModel.cost(of: whole).parameterCount == model.cost.parameterCount, "\(name)")
            #expect(try error(InferenceEngine(whole).run([x])[0], y) < 1e-9, "\(name)")
        }
    }

    @Test(arguments: formats) func chainsAreFittedAndTimed(format: String) throws {
        let dense = try CompressionSamples.mixed()
        let (model, plan) = try cut(format, share: 0.4, dense)
        let small = try Compressor.compress(model, plan: plan)
        var random = RandomSource(seed: 4)
        let images = [try Tensor.normal([32, 6, 15, 13], using: &random)]
        let y = try InferenceEngine(dense).run(images)[0]
        let before = try error(InferenceEngine(small).run(images)[0], y)
        let fitted = try LeastSquaresReconstruction.repair(small, towards: dense, images: images)
        let after = try error(InferenceEngine(fitted.graph).run(images)[0], y)
        // A chain that ends in a reshape has no factor that could be fitted, and stays as it is.
        #expect(fitted.layers.isEmpty ? after == before : after < before, "\(before) \(after)")
        _ = try ChannelStatisticsMatching.repair(small, towards: dense, images: images)
        let timed = try model.timed(by: LatencyMeter(batch: 1, cache: nil, version: "test"))
        let planner = Planner(policy: .knapsack)
        let budget = try Budget([(.parameters, 0.9)], dense: timed.cost, denseLatency: timed.denseLatency)
        #expect(try planner.plan(timed, budget: budget).latency != nil)
    }

    /// HOOI sweeps find better factors than the train's single one, and never worse ones.
    @Test func tuckerGainsBySweeps() throws {
        let graph = try CompressionSamples.resNet()
        func errors(_ format: String) throws -> [Double] {
            let (model, plan) = try cut(format, share: 0.3, graph)
            let whole = try Recomposition.recompose(Compressor.compress(model, plan: plan))
            return try plan.rows.filter { $0.ranks != nil }.map { try error(weight($0.layer, of: whole), weight($0.layer, of: graph)) }
        }
        let (swept, single) = try (errors("Tucker-2"), errors("C|Kh·Kw|O"))
        #expect(zip(swept, single).allSatisfy { $0 <= $1 * (1 + 1e-6) } && swept.reduce(0, +) < single.reduce(0, +))
    }

    @Test func namesAreReadAsPeopleWriteThem() throws {
        let graph = try CompressionSamples.mixed()
        for (name, format) in [("tucker2", "Tucker-2"), ("c|khkw|o", "C|Kh·Kw|O"), ("cp", "CP"), ("tt_channels", "TT-channels")] {
            #expect(try DecomposedModel(graph, formats: [name]).layers[0].format == format)
        }
        #expect(throws: CompressionFailure.self) { try FactorizationCatalog.register(Tucker2()) }
    }
}
