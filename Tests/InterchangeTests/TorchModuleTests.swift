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

@Suite(.serialized) struct TorchModuleTests {
    /// A residual block with a chain in it, uneven padding, a shared weight and names that Python does not take.
    static func small() throws -> Graph {
        var b = GraphBuilder(name: "small net", seed: 3)
        let x = b.input("class", [3, 8, 8])
        let stem = try b.convolution("0.conv", x, channels: 4, kernel: [3, 3], geometry: .init(padding: [0, 1, 2, 1]))
        let norm = try b.batchNorm("forward", stem)
        let relu = try b.apply("relu", ReLU(), norm)
        let first = try b.convolution("conv.tt1", relu, channels: 2, kernel: [1, 1], geometry: .init())
        let last = try b.convolution("conv", first, channels: 4, kernel: [3, 3], geometry: .init(stride: 1, padding: 1, groups: 2), hasBias: true)
        let sum = try b.apply("sum", Add(hasReLU: true), last, relu)
        let narrow = try b.add("narrow", Conv2D(.init(), hasBias: false), [.value(sum), .parameter("conv.tt1.weight")])
        let again = try b.add(
            "conv_again", Conv2D(.init(stride: 1, padding: 1, groups: 2), hasBias: true),
            [.value(narrow), .parameter("conv.weight"), .parameter("conv.bias")])
        let pooled = try b.apply("pool", GlobalAveragePool2D(), again)
        let flat = try b.apply("flat", Flatten(), pooled)
        let logits = try b.linear("fc", flat, features: 5)
        return try b.finish(outputs: [logits])
    }

    /// Batch norm behind a linear layer, whose features are channels of one pixel there.
    static func normalised() throws -> Graph {
        var b = GraphBuilder(name: "normalised", seed: 5)
        let x = b.input("images", [6])
        let hidden = try b.linear("fc1", x, features: 8)
        let image = try b.apply("image", Reshape(target: [0, 8, 1, 1]), hidden)
        let norm = try b.batchNorm("bn", image)
        let flat = try b.apply("flat", Reshape(target: [0, 8]), norm)
        let logits = try b.linear("fc2", flat, features: 4)
        return try b.finish(outputs: [logits])
    }

    /// Geometries that PyTorch has only in several steps.
    static func uneven() throws -> Graph {
        var b = GraphBuilder(name: "uneven", seed: 7)
        let x = b.input("x", [4, 9, 7])
        var outputs = [x]
        for (position, kind) in PoolingGeometry.Kind.allCases.enumerated() {
            for (other, padding) in [[0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 2, 1], [2, 2, 2, 2]].enumerated() {
                let geometry = PoolingGeometry(kind: kind, window: [3, 3], stride: [2, 1], padding: padding)
                outputs.append(try b.apply("pool\(position)\(other)", Pool2D(geometry), x))
            }
        }
        for (position, padding) in [[1, 1, 1, 1], [2, 0, 0, 1], [0, 1, 2, 0]].enumerated() {
            let weight = b.parameter("up\(position).weight", try .full([4, 3, 3, 3], 0.1 * Double(position + 1)))
            let operation = ConvTranspose2D(.init(stride: [2, 2], padding: padding), outputPadding: [1, 0], hasBias: false)
            outputs.append(try b.add("up\(position)", operation, [.value(x), weight]))
        }
        for rows in [2, 4] { outputs.append(try b.apply("cells\(rows)", AdaptiveAveragePool2D(rows: rows, columns: 3), x)) }
        for (coordinates, size) in zip(Resize.Coordinates.allCases, [5, 1, 20, 13]) {
            for mode in Resize.Interpolation.allCases {
                for rounding in mode == .nearest ? Resize.Rounding.allCases : [.floor] {
                    outputs.append(
                        try b.apply(
                            "\(coordinates)\(mode)\(rounding)",
                            Resize(
                                dimension: 2, size: size, scale: Double(size) / 9, interpolation: mode, coordinates: coordinates,
                                rounding: rounding), x))
                }
            }
        }
        return try b.finish(outputs: outputs)
    }

    @Test func theModuleReadsAsItShould() throws {
        let expected = String(decoding: try AtomicFile.read(ONNXCase.fixtures + "small_net_torch.txt"), as: UTF8.self)
        #expect(try TorchModule.source(of: Self.small(), version: "1.2.3") == expected)
    }

    /// Every weight once, but for those that layers share, and none of a name twice.
    @Test func theWeightsHaveTheModulesNames() throws {
        try inFolder { folder in
            let weights = try TorchModule.write(Self.small(), to: folder + "/net.py", version: "1.2.3")
            #expect(weights == folder + "/net.weights.safetensors")
            let file = try SafetensorsFile(path: weights)
            #expect(
                file.names.sorted() == [
                    "conv.bias", "conv.weight", "conv_again.bias", "conv_again.weight", "conv_tt1.weight", "fc.bias", "fc.weight",
                    "forward_2.bias", "forward_2.running_mean", "forward_2.running_var", "forward_2.weight", "n0_conv.weight",
                    "narrow.weight",
                ])
            #expect(file.metadata["format"] == "pt")
        }
    }

    /// What a file calls things becomes part of a program only as an identifier.
    @Test func namesCannotBecomeCode() throws {
        var graph = try Self.small()
        graph.name = "\"\"\"\nimport os; os.abort()\n"
        graph.inputs = [GraphInput(name: "x): pass\nimport os #", sampleShape: [3, 8, 8])]
        graph.nodes[0].inputs[0] = .value(graph.inputs[0].name)
        let source = try TorchModule.source(of: graph, version: "1")
        #expect(!source.contains("import os") && source.contains("def forward(self, x___pass_import_os__):"))
        #expect(TorchModule.fileName(of: graph) == "n____import_os__os_abort___.py")
    }

    @Test func whatHasNoTranslationNamesItself() throws {
        var b = GraphBuilder(name: "net", seed: 1)
        let x = b.input("x", [3])
        let value = try b.apply("the loss", MeanSquaredError(), x, x)
        let loss = try b.finish(outputs: [value])
        var c = GraphBuilder(name: "net", seed: 1)
        let image = c.input("image", [2, 4, 4])
        let kernel = try c.add("kernel", Reshape(target: [3, 2, 1, 1]), [c.parameter("w", .ones([6]))])
        let conv = try c.add("the conv", Conv2D(.init(), hasBias: false), [.value(image), .value(kernel)])
        let made = try c.finish(outputs: [conv])
        for (graph, place) in [(loss, "net › the loss › mean_squared_error"), (made, "net › the conv › conv2d")] {
            let failure = #expect(throws: LocatedFailure.self) { try TorchModule.source(of: graph, version: "1") }
            #expect(failure?.code == "interchange.notExportable")
            #expect(failure.map { "\($0)" }?.replacing(": ", with: " › ").contains(place) == true, "\(failure as Any)")
        }
    }

    /// Without numbers of channels, which would stand in the way of pruning there.
    @Test func featuresBecomeChannelsWithoutTheirNumber() throws {
        let source = try TorchModule.source(of: Self.normalised(), version: "1")
        #expect(source.contains("x = x[:, :, None, None]") && source.contains("x = torch.flatten(x, 1)"), "\(source)")
        #expect(!source.contains("reshape"))
    }

    @Test func otherEndingsAreRefused() throws {
        let graph = try Self.small()
        #expect(throws: InterchangeFailure.self) { try TorchModule.write(graph, to: "/tmp/net.txt", version: "1") }
    }

    /// PyTorch, where it is there.
    @Test(.enabled(if: Peer.pyTorch.isInstalled, "\(Peer.pyTorch.absence)")) func pyTorchAgrees() throws {
        Peer.pyTorch.began()
        try inFolder { folder in
            var random = RandomSource(seed: 6)
            var graphs = [
                try Self.small(), try Self.uneven(), try Self.normalised(), try ONNXSamples.everything(),
                try CIFARResNet(depth: 8, imageShape: [1, 12, 12]).build(seed: 4),
            ]
            for example in try ONNXCase.all(in: ONNXCase.fixtures + "onnx_nets.safetensors") where example.name.hasSuffix("script-17") {
                graphs.append(try ONNXFile.read(bytes: example.model, source: example.name).graph)
            }
            for (index, graph) in graphs.enumerated() {
                let image = try Tensor.normal(Shape([3] + graph.inputs[0].sampleShape.dims), using: &random)
                let outputs = try InferenceEngine(graph).run([image])
                let tensors = [("input", image)] + outputs.enumerated().map { ("output/\($0)", $1) }
                try SafetensorsFile(tensors: tensors.map { (name: $0.0, tensor: $0.1) }).write(to: "\(folder)/net\(index).golden")
                _ = try TorchModule.write(graph, to: "\(folder)/net\(index).py", version: "1")
            }
            let check = try BuiltCommand.run([ONNXCase.fixtures + "check_torch.py", folder], program: Peer.python, patienceSeconds: 300)
            #expect(check.status == 0, "\(check.output)\(check.errors)")
        }
    }

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "torch-\(UUID().uuidString)")
            .path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }
}
