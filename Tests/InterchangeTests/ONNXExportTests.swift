import Basics
import CommandTesting
import Execution
import Formats
import Foundation
import Graphs
import Interchange
import ONNXMessages
import Operations
import Tensors
import Testing

@Suite(.serialized) struct ONNXExportTests {
    static let tolerance = 1e-5

    private func compare(_ graph: Graph, batch: Int = 3) throws {
        var random = RandomSource(seed: 5)
        let image = try Tensor.normal(Shape([batch] + graph.inputs[0].sampleShape.dims), using: &random)
        let back = try ONNXFile.read(bytes: ONNXFile.bytes(of: ModelFile(graph: graph)), source: graph.name).graph
        let expected = try InferenceEngine(graph).run([image])
        let got = try InferenceEngine(back).run([image])
        try #require(got.count == expected.count)
        for (index, name) in graph.outputs.enumerated() {
            #expect(try difference(got[index], expected[index]) < Self.tolerance, "\(graph.name) › \(name)")
        }
    }

    @Test func everyOperationComesBack() throws { try compare(ONNXSamples.everything()) }

    /// The catalog but for what only training or fusion makes.
    @Test func everyOperationIsInTheSample() throws {
        let used = Set(try ONNXSamples.everything().nodes.map(\.operation.name))
        let left = Set(OperationCatalog.all.map { $0.name }).subtracting(used)
        #expect(left == ["cross_entropy", "kl_divergence", "mean_squared_error", "sum", "dropout", "extremum"])
    }

    @Test func netsComeBack() throws {
        try compare(CIFARResNet(depth: 8, imageShape: [1, 12, 12]).build(seed: 4))
        try compare(ONNXSamples.transformer.build(seed: 4))
        for example in try ONNXCase.all(in: ONNXCase.fixtures + "onnx_nets.safetensors") {
            try compare(ONNXFile.read(bytes: example.model, source: example.name).graph)
        }
    }

    /// Layers keep their names and weights, so that a plan for one is a plan for the other.
    @Test func layersKeepTheirNames() throws {
        let graph = try CIFARResNet(depth: 8, imageShape: [1, 12, 12]).build(seed: 4)
        let back = try ONNXFile.read(bytes: ONNXFile.bytes(of: ModelFile(graph: graph)), source: "file").graph
        let (before, after) = (try WeightedLayers.layers(of: graph), try WeightedLayers.layers(of: back))
        #expect(before.map(\.name) == after.map(\.name) && before.map(\.weight) == after.map(\.weight))
        #expect(graph.parameters.trainableNames.sorted() == back.parameters.trainableNames.sorted())
        #expect(try CostModel.cost(of: graph).parameterCount == CostModel.cost(of: back).parameterCount)
    }

    /// Also where weights stand transposed in the file, as those of layers on sequences do.
    @Test func layersOfATransformerKeepTheirNames() throws {
        let graph = try ONNXSamples.transformer.build(seed: 4)
        let back = try ONNXFile.read(bytes: ONNXFile.bytes(of: ModelFile(graph: graph)), source: "file").graph
        let (before, after) = (try WeightedLayers.layers(of: graph), try WeightedLayers.layers(of: back))
        #expect(before.map(\.name) == after.map(\.name) && before.map(\.weightShape) == after.map(\.weightShape))
        #expect(try CostModel.cost(of: graph).parameterCount == CostModel.cost(of: back).parameterCount)
        #expect(try CostModel.cost(of: graph).macCount == CostModel.cost(of: back).macCount)
    }

    /// The layers that a compressed model's chains were made from, so that it is not compressed twice by mistake.
    @Test func originsComeBack() throws {
        var graph = try CIFARResNet(depth: 8, imageShape: [1, 12, 12]).build(seed: 4)
        for (position, name) in ["stage1.block1.conv1", "stage1.block1.conv2"].enumerated() {
            let index = try #require(graph.index(ofNode: name))
            graph.nodes[index].origin = Origin(layer: "wide ünïcode", format: "C|Kh·Kw|O", position: position, count: 2)
        }
        let bytes = try ONNXFile.bytes(of: ModelFile(graph: graph))
        let back = try ONNXFile.read(bytes: bytes).graph
        let path = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString)").path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(filePath: path))
        let inspected = try #require(ONNXFile.inspect(path).graph)
        #expect(inspected.nodes.map { $0.origin } == back.nodes.map { $0.origin })
        #expect(back.nodes.compactMap(\.origin) == graph.nodes.compactMap(\.origin))
        #expect(back.nodes.first { $0.origin?.position == 1 }?.name == "stage1.block1.conv2")
    }

    /// The last factor of a layer on sequences has the layer's name and bias, but a weight of another name.
    @Test func originsOfLayersOnSequencesComeBack() throws {
        var builder = GraphBuilder(name: "net", seed: 1)
        let x = builder.input("x", [4, 6])
        let first = try builder.add("fc.tt1", Linear(hasBias: false), [.value(x), builder.parameter("fc.tt1.weight", .ones([2, 6]))])
        let last = try builder.add(
            "fc", Linear(hasBias: true),
            [.value(first), builder.parameter("fc.tt2.weight", .ones([5, 2])), builder.parameter("fc.bias", .ones([5]))])
        let relu = try builder.apply("relu", ReLU(), last)
        var graph = try builder.finish(outputs: [relu])
        for position in 0..<2 { graph.nodes[position].origin = Origin(layer: "fc", format: "I|O", position: position, count: 2) }
        let back = try ONNXFile.read(bytes: ONNXFile.bytes(of: ModelFile(graph: graph))).graph
        #expect(back.nodes.map(\.name) == graph.nodes.map(\.name) && back.nodes.map(\.origin) == graph.nodes.map(\.origin))
        try compare(graph)
    }

    @Test func theFileIsOfTheStandard() throws {
        let notes: JSONObject = ["plan": ["keep": 0.5], "accuracy": 0.91]
        let bytes = try ONNXFile.bytes(of: ModelFile(graph: ONNXSamples.everything(), notes: notes), version: "1.2.3")
        let model = try ONNXCoding.decode(bytes)
        #expect(model.opsetImport.map(\.version) == [17] && model.opsetImport[0].domain.isEmpty && model.irVersion == 8)
        #expect(model.producerName == "moonrail" && model.producerVersion == "1.2.3")
        #expect(model.graph.input[0].type.tensorType.shape.dim[0].dimParam == "N")
        #expect(model.graph.output.allSatisfy { $0.type.tensorType.shape.dim[0].dimParam == "N" })
        #expect(model.graph.node.allSatisfy { $0.domain.isEmpty })
        #expect(try ONNXFile.read(bytes: bytes).notes == notes)
    }

    @Test func whatONNXLacksIsRefused() throws {
        var builder = GraphBuilder(name: "loss", seed: 1)
        let x = builder.input("x", [3])
        let loss = try builder.apply("loss", MeanSquaredError(), x, x)
        let graph = try builder.finish(outputs: [loss])
        let failure = #expect(throws: LocatedFailure.self) { try ONNXFile.bytes(of: ModelFile(graph: graph)) }
        #expect(failure?.code == "interchange.notExportable")
    }

    /// A result that is an input, and one that is asked for twice.
    @Test func oddResultsComeBack() throws {
        var graph = try CIFARResNet(depth: 8, imageShape: [1, 12, 12]).build(seed: 4)
        graph.outputs = [graph.outputs[0], graph.inputs[0].name, graph.outputs[0]]
        try compare(graph)
    }

    /// onnx.checker and ONNX Runtime, where they are there.
    @Test(.enabled(if: Peer.onnxRuntime.isInstalled, "\(Peer.onnxRuntime.absence)")) func otherSoftwareAgrees() throws {
        Peer.onnxRuntime.began()
        let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString)")
            .path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var random = RandomSource(seed: 6)
        var graphs = [
            try ONNXSamples.everything(), try CIFARResNet(depth: 8, imageShape: [1, 12, 12]).build(seed: 4),
            try ONNXSamples.transformer.build(seed: 4),
        ]
        for example in try ONNXCase.all(in: ONNXCase.fixtures + "onnx_nets.safetensors") where example.name.hasSuffix("script-17") {
            graphs.append(try ONNXFile.read(bytes: example.model, source: example.name).graph)
        }
        for (index, graph) in graphs.enumerated() {
            let image = try Tensor.normal(Shape([3] + graph.inputs[0].sampleShape.dims), using: &random)
            let outputs = try InferenceEngine(graph).run([image])
            let tensors = [("input", image)] + outputs.enumerated().map { ("output/\($0)", $1) }
            try SafetensorsFile(tensors: tensors.map { (name: $0.0, tensor: $0.1) }).write(to: "\(folder)/\(index).safetensors")
            try ONNXFile.write(ModelFile(graph: graph), to: "\(folder)/\(index).onnx")
        }
        let check = try BuiltCommand.run([ONNXCase.fixtures + "check_onnx.py", folder], program: Peer.python, patienceSeconds: 300)
        #expect(check.status == 0, "\(check.output)\(check.errors)")
    }
}
