import Basics
import CommandTesting
import Execution
import Formats
import Foundation
import Graphs
import Interchange
import Operations
import Tensors
import Testing

/// State dicts of PyTorch's networks in the zoo's: every name finds its place, and the results agree.
@Suite(.serialized) struct StateDictTests {
    private static let fixtures =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Fixtures/"

    static let golden: JSONValue = {
        do { return try JSONValue.parse(try AtomicFile.read(fixtures + "zoo_state_dicts.json"), source: "golden") } catch { return .null }
    }()

    static let architectures: [String: any Architecture] = [
        "resnet8": CIFARResNet(depth: 8), "resnet20-linear": CIFARResNet(depth: 20),
        "resnet18": ResNet(depth: 18, imageShape: [3, 64, 64]), "resnet34": ResNet(depth: 34, imageShape: [3, 64, 64]),
        "resnet50": ResNet(depth: 50, imageShape: [3, 64, 64]), "vgg11-sequential": VGG(depth: 11),
        "mobilenet_v2": MobileNetV2(imageShape: [3, 64, 64]),
        "mobilenet_v2-quarter": MobileNetV2(imageShape: [3, 48, 40], classCount: 7, width: 0.25),
        "lenet5": LeNet5(), "mlp": MultilayerPerceptron(),
    ]

    /// Relative to the largest logit; both sides sum up to 25,000 products in float32, in another order.
    private static let tolerance: Float = 1e-4

    // MARK: The numbers of make_zoo_state_dicts.py

    private static func uniform(_ tensor: Int, _ count: Int) -> [Double] {
        (0..<count).map { element in
            var z = UInt64(element) &+ UInt64(tensor) << 32 &+ 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            z ^= z >> 31
            return Double(z >> 40) * 0x1p-24
        }
    }

    private static func value(_ position: Int, _ name: String, _ shape: Shape) throws -> Tensor {
        let fanIn = Double(shape.dims.dropFirst().reduce(1, *))
        let values = uniform(position, shape.elementCount).map { u -> Float in
            if name.hasSuffix("running_var") { return Float(0.5 + u) }
            if name.hasSuffix("weight"), shape.rank == 1 { return Float(0.8 + 0.4 * u) }
            if name.hasSuffix("weight") { return Float((u - 0.5) * 2 * (6 / fanIn).squareRoot()) }
            return Float((u - 0.5) * 0.2)
        }
        return try Tensor(values, shape: shape)
    }

    private static func images(_ shape: Shape) throws -> Tensor {
        let batch = Shape([2] + shape.dims)
        return try Tensor(uniform(1 << 20, batch.elementCount).map { Float(($0 - 0.5) * 2) }, shape: batch)
    }

    private static func state(of entry: JSONValue) throws -> (names: [String], tensors: [String: Tensor]) {
        var (names, tensors): ([String], [String: Tensor]) = ([], [:])
        for (position, pair) in (entry["tensors"]?.array ?? []).enumerated() {
            let name = try #require(pair.array?.first?.string)
            let shape = Shape(try #require(pair.array?.last?.array).compactMap(\.integer))
            names.append(name)
            tensors[name] = try value(position, name, shape)
        }
        return (names, tensors)
    }

    private func expectAgreement(_ graph: Graph, _ expected: [Float]) throws {
        let logits = try InferenceEngine(graph).run([try Self.images(graph.inputs[0].sampleShape)])[0]
        let shown = try logits.sliced(dim: 1, from: 0, to: min(10, logits.shape[1])).contiguous().array(of: Float.self)
        try #require(shown.count == expected.count && !expected.isEmpty)
        let largest = expected.map(abs).max() ?? 1
        for (a, b) in zip(shown, expected) { #expect(abs(a - b) < Self.tolerance * largest) }
    }

    // MARK: Tests

    @Test(arguments: architectures.keys.sorted()) func agreesWithPyTorch(name: String) throws {
        let entry = try #require(Self.golden["nets"]?.array?.first { $0["name"]?.string == name })
        let architecture = try #require(Self.architectures[name])
        var graph = try architecture.build(seed: 1)
        #expect(graph.parameters.trainableElementCount == entry["parameters"]?.integer)
        let (names, tensors) = try Self.state(of: entry)
        try StateDict(modules: architecture.stateDictModules(), source: name).load(names: names, into: &graph) { tensors[$0] }
        try expectAgreement(graph, try #require(entry["logits"]?.array).compactMap { $0.number.map { Float($0) } })
    }

    @Test func everyGoldenNetIsTested() {
        #expect(Self.golden["nets"]?.array?.compactMap { $0["name"]?.string }.sorted() == Self.architectures.keys.sorted())
    }

    /// torchvision's counts, as published with its weights.
    @Test(arguments: [("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032), ("mobilenet_v2", 3_504_872)])
    func countsAreTorchvisions(name: String, count: Int) throws {
        #expect(Self.golden["nets"]?.array?.first { $0["name"]?.string == name }?["parameters"]?.integer == count)
    }

    /// A file with F16, BF16, F32 and I64 tensors, as PyTorch's safetensors wrote it.
    @Test func halfFloatsFromAFile() throws {
        let file = try SafetensorsFile(path: Self.fixtures + "resnet8_half.safetensors")
        #expect(file["bn1.num_batches_tracked"]?.dtype == .int64)
        var graph = try CIFARResNet(depth: 8).build(seed: 1)
        try StateDict(modules: CIFARResNet(depth: 8).stateDictModules(), source: "file").load(names: file.names, into: &graph) { file[$0] }
        try expectAgreement(graph, try #require(Self.golden["resnet8_half"]?.array).compactMap { $0.number.map { Float($0) } })
    }

    /// What is written has the names and shapes of PyTorch's own, and comes back the same.
    @Test(arguments: architectures.keys.sorted().filter { !["resnet20-linear", "vgg11-sequential", "mlp"].contains($0) })
    func isWrittenUnderPyTorchsNames(name: String) throws {
        let entry = try #require(Self.golden["nets"]?.array?.first { $0["name"]?.string == name })
        let architecture = try #require(Self.architectures[name])
        let graph = try architecture.build(seed: 1)
        let path = "/tmp/moonrail-state-\(UInt64.random(in: 0 ... .max)).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try StateDict.write(graph, to: path)
        let file = try SafetensorsFile(path: path)
        let wanted = try Self.state(of: entry)
        let counts = file.names.filter { $0.hasSuffix(".num_batches_tracked") }
        #expect(Set(file.names).subtracting(counts) == Set(wanted.names))
        #expect(counts.count == wanted.names.count { $0.hasSuffix(".running_var") } && file[counts.first ?? ""]?.dtype != .float32)
        #expect(wanted.names.allSatisfy { file[$0]?.shape == wanted.tensors[$0]?.shape })
        var other = try architecture.build(seed: 2)
        try StateDict(modules: architecture.stateDictModules(), source: name).load(names: file.names, into: &other) { file[$0] }
        let x = try Self.images(architecture.imageShape)
        #expect(try InferenceEngine(other).run([x])[0].array(of: Float.self) == InferenceEngine(graph).run([x])[0].array(of: Float.self))
    }

    /// Where PyTorch is there: `load_state_dict` takes what is written, and the networks compute the same.
    @Test(.enabled(if: Peer.pyTorch.isInstalled, "\(Peer.pyTorch.absence)")) func pyTorchLoadsWhatIsWritten() throws {
        Peer.pyTorch.began()
        let folder = FileManager.default.temporaryDirectory.appending(path: "moonrail-\(UUID().uuidString)").path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["resnet8", "resnet18", "mobilenet_v2-quarter", "lenet5"] {
            let entry = try #require(Self.golden["nets"]?.array?.first { $0["name"]?.string == name })
            let architecture = try #require(Self.architectures[name])
            var graph = try architecture.build(seed: 1)
            let (names, tensors) = try Self.state(of: entry)
            try StateDict(modules: architecture.stateDictModules(), source: name).load(names: names, into: &graph) { tensors[$0] }
            try StateDict.write(graph, to: "\(folder)/\(name).safetensors")
        }
        let check = try BuiltCommand.run(
            [Self.fixtures + "make_zoo_state_dicts.py", "--load", folder], program: Peer.python, patienceSeconds: 300)
        #expect(check.status == 0, "\(check.output)\(check.errors)")
    }

    /// The names of timm's vision transformer, among them a parameter that is no module's, and back again.
    @Test func visionTransformersHaveTimmsNames() throws {
        let architecture = VisionTransformer(imageShape: [3, 8, 8], classCount: 5, patch: 4, width: 6, depth: 2, heads: 2)
        let graph = try architecture.build(seed: 1)
        try InterchangeSamples.withFile { path in
            try StateDict.write(graph, to: path)
            let file = try SafetensorsFile(path: path)
            let block = ["attn.proj", "attn.qkv", "mlp.fc1", "mlp.fc2", "norm1", "norm2"]
            let modules = ["patch_embed.proj", "norm", "head"] + (0..<2).flatMap { index in block.map { "blocks.\(index).\($0)" } }
            #expect(Set(file.names) == Set(modules.flatMap { [$0 + ".weight", $0 + ".bias"] } + ["pos_embed"]))
            #expect(file["pos_embed"]?.shape == [1, 4, 6] && file["patch_embed.proj.weight"]?.shape == [6, 3, 4, 4])
            #expect(file["blocks.1.attn.qkv.weight"]?.shape == [18, 6] && file["blocks.0.mlp.fc1.weight"]?.shape == [18, 6])
            for prefix in ["", "module."] {
                var other = try architecture.build(seed: 2)
                try StateDict(modules: architecture.stateDictModules(), source: "file")
                    .load(names: file.names.map { prefix + $0 }, into: &other) { file[String($0.dropFirst(prefix.count))] }
                #expect(try InterchangeSamples.bits(other) == InterchangeSamples.bits(graph))
            }
        }
    }

    @Test func networksThatPyTorchHasNotAreRefused() throws {
        var builder = GraphBuilder(name: "resnet18", seed: 1)
        let x = builder.input("images", [3, 8, 8])
        let mine = try builder.convolution("mine", x, channels: 4, kernel: [3, 3], geometry: .init())
        let graph = try builder.finish(outputs: [mine])
        let failure = #expect(throws: InterchangeFailure.self) { try StateDict.write(graph, to: "/tmp/x.safetensors") }
        #expect(failure?.code == "interchange.notExportable")
    }

    @Test func namesOfOursAndThoseBehindPrefixesAreTaken() throws {
        let architecture = LeNet5()
        let original = try architecture.build(seed: 5)
        for prefix in ["", "module.", "model.", "_orig_mod.", "_orig_mod.module.", "net.encoder."] {
            var graph = try architecture.build(seed: 6)
            let names = original.parameters.names.map { prefix + $0 }
            try StateDict(modules: architecture.stateDictModules(), source: "x").load(names: names, into: &graph) {
                original.parameters[String($0.dropFirst(prefix.count))]?.tensor
            }
            for name in original.parameters.names {
                let (a, b) = (try #require(graph.parameters[name]).tensor, try #require(original.parameters[name]).tensor)
                #expect(try a.array(of: Float.self) == b.array(of: Float.self))
            }
        }
    }

    typealias Change = @Sendable (inout [String: Tensor]) throws -> Void
    static let misfits: [(code: String, says: String, change: Change)] = [
        ("interchange.missingTensor", "'fc2.bias' is missing", { $0["fc2.bias"] = nil }),
        (
            "interchange.missingTensor", "'model.fc2.bias' is missing",
            { state in
                state = Dictionary(uniqueKeysWithValues: state.map { ("model." + $0.key, $0.value) })
                state["model.fc2.bias"] = nil
            }
        ),
        ("interchange.tensorShape", "'conv1.weight' has shape [3], but the network needs [6, 1, 5, 5]", { $0["conv1.weight"] = try .zeros([3]) }),
        ("interchange.malformed", "'fc1.bias': is int64", { $0["fc1.bias"] = try .zeros([120], dtype: .int64) }),
        (
            "interchange.leftOver", "no place for 'fc4.bias', 'fc4.weight'",
            {
                $0["fc4.weight"] = try .zeros([1])
                $0["fc4.bias"] = try .zeros([1])
            }
        ),
    ]

    @Test(arguments: misfits.indices) func anotherNetworksWeightsAreRefused(_ index: Int) throws {
        let (code, says, change) = Self.misfits[index]
        var graph = try LeNet5().build(seed: 1)
        var tensors: [String: Tensor] = [:]
        for name in graph.parameters.names { tensors[name] = graph.parameters[name]?.tensor }
        try change(&tensors)
        let state = tensors
        let failure = #expect(throws: InterchangeFailure.self) {
            try StateDict(modules: LeNet5().stateDictModules(), source: "file").load(names: state.keys.sorted(), into: &graph) { state[$0] }
        }
        #expect(failure?.code == code && failure?.description.contains(says) == true, "\(failure?.description ?? "")")
    }

    /// What torchvision calls the layers of its VGG; the weights themselves would be half a gigabyte.
    @Test func namesOfTheFullVGG() {
        let modules = VGG(depth: 16, form: .imagenet).stateDictModules()
        #expect(modules["stage1.conv1"] == ["features.0"] && modules["stage3.bn1"] == ["features.15"])
        #expect(modules["stage5.conv3"] == ["features.40"] && modules["fc1"] == ["classifier.0"] && modules["fc3"] == ["classifier.6"])
    }
}
