import Basics
import Execution
import Formats
import Foundation
import Graphs
import Interchange
import ONNXMessages
import Operations
import Tensors
import Testing

/// Files that lie: a clear error, no crash, and no more memory than the file has bytes for.
@Suite(.serialized) struct ONNXHostileTests {
    private typealias Samples = ONNXSamples

    /// The failure of reading `model`; the sample itself must be fine, so that each test shows what it changes.
    private func failure(_ model: Onnx_ModelProto) throws -> any Failure {
        let bytes = try ONNXCoding.encode(model)
        do {
            let graph = try ONNXFile.read(bytes: bytes, source: "file").graph
            Issue.record("\(graph.nodes.map(\.name)) was read")
        } catch {
            return try #require(error as? any Failure, "\(error)")
        }
        return InterchangeFailure.noGraph(source: "file")
    }

    private func expect(_ code: String, _ words: String, _ model: Onnx_ModelProto) throws {
        let failure = try failure(model)
        #expect(failure.code == code && failure.description.contains(words), "\(failure.code): \(failure.description)")
    }

    private func changed(_ change: (inout Onnx_ModelProto) -> Void) throws -> Onnx_ModelProto {
        var model = try Samples.classifier()
        change(&model)
        return model
    }

    @Test func theSampleIsRead() throws {
        let graph = try ONNXFile.read(bytes: ONNXCoding.encode(Samples.classifier()), source: "file").graph
        #expect(try InferenceEngine(graph).run([.ones([2, 3, 8, 8])])[0].shape == [2, 5])
        #expect(graph.parameters.trainableNames.sorted() == ["bn.bias", "bn.weight", "conv.weight", "fc.bias", "fc.weight"])
        #expect(try WeightedLayers.layers(of: graph).map(\.name) == ["conv", "fc"])
    }

    /// Exporters write equal tensors once. Layers may well share a weight, but not their statistics.
    @Test func equalStatisticsAreNotShared() throws {
        let graph = try ONNXFile.read(
            bytes: ONNXCoding.encode(
                changed { model in
                    model.graph.node[1].input = ["a", "bn.var", "bn.mean", "bn.mean", "bn.var"]
                }), source: "file"
        ).graph
        let norm = try #require(graph.nodes.first { $0.operation is BatchNorm })
        #expect(Set(norm.parameterInputs).count == 4)
        #expect(graph.parameters.names.filter { graph.parameters[$0]?.isTrainable == false }.count == 2)
    }

    @Test func bytesThatAreNoModel() throws {
        for bytes in [[], [0], [1, 2, 3], Array("hello, world".utf8), [UInt8](repeating: 255, count: 99)] {
            let failure = #expect(throws: InterchangeFailure.self) { try ONNXFile.read(bytes: bytes, source: "file") }
            #expect(failure?.code == "interchange.malformed")
        }
        #expect(throws: FileFailure.self) { try ONNXFile.read("/nonexistent/model.onnx") }
    }

    /// A model cut off anywhere is an error, or a shorter model that is legal; never a crash.
    @Test func truncations() throws {
        let bytes = try ONNXCoding.encode(Samples.classifier())
        for count in 0..<bytes.count {
            do { _ = try ONNXFile.read(bytes: Array(bytes[..<count]), source: "file") } catch { #expect(error is any Failure) }
        }
    }

    @Test func mutations() throws {
        var random = RandomSource(seed: 77)
        let samples =
            try [Samples.classifier()].map { try ONNXCoding.encode($0) }
            + ONNXCase.all(in: ONNXCase.fixtures + "onnx_nets.safetensors").filter { $0.name.hasPrefix("sequence-script") || $0.name == "attention-script-17" }
            .map(\.model)
        for bytes in samples {
            for _ in 0..<400 {
                var mutated = bytes
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    mutated[Int.random(in: mutated.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                do { _ = try ONNXFile.read(bytes: mutated, source: "file") } catch { #expect(error is any Failure, "\(error)") }
            }
        }
    }

    private static let numbers: [Int64] = [
        0, 1, -1, 2, 3, -2, 7, 1 << 20, 1 << 30, 1 << 31, -(1 << 31), 1 << 40, 1 << 62, .max, .min,
    ]

    /// Puts a number, an operator or a name in the place of another.
    private func exchange(_ model: inout Onnx_ModelProto, _ random: inout RandomSource) throws {
        let number = Self.numbers[Int.random(in: Self.numbers.indices, using: &random)]
        let node = Int.random(in: model.graph.node.indices, using: &random)
        let tensor = Int.random(in: model.graph.initializer.indices, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1:
            guard let place = model.graph.node[node].attribute.indices.randomElement(using: &random) else { return }
            model.graph.node[node].attribute[place].i = number
            guard let entry = model.graph.node[node].attribute[place].ints.indices.randomElement(using: &random) else { return }
            model.graph.node[node].attribute[place].ints[entry] = number
        case 2: model.graph.node[node].opType = model.graph.node.randomElement(using: &random)?.opType ?? ""
        case 3:
            guard let place = model.graph.node[node].input.indices.randomElement(using: &random) else { return }
            let names = model.graph.initializer.map(\.name) + model.graph.node.flatMap(\.output)
            model.graph.node[node].input[place] = names.randomElement(using: &random) ?? ""
        case 4:
            guard let place = model.graph.initializer[tensor].dims.indices.randomElement(using: &random) else { return }
            model.graph.initializer[tensor].dims[place] = number
        case 5:
            let old = model.graph.initializer[tensor]
            guard old.dataType == 7, old.dims.count <= 1, let count = Int(exactly: old.dims.first ?? 1), (1..<64).contains(count)
            else { return }
            let elements = [Int64](repeating: number, count: count)
            model.graph.initializer[tensor] = try ONNXTensorWriter.message(
                of: Tensor(elements, shape: Shape(old.dims.map { Int($0) })), name: old.name)
        case 6:
            let place = Int.random(in: model.graph.input[0].type.tensorType.shape.dim.indices, using: &random)
            model.graph.input[0].type.tensorType.shape.dim[place].dimValue = number
        default: model.opsetImport[0].version = Int64.random(in: 7...25, using: &random)
        }
    }

    /// Well-formed messages that mean something else, which mutated bytes seldom are.
    @Test func exchangedParts() throws {
        var random = RandomSource(seed: 78)
        let nets = try ONNXCase.all(in: ONNXCase.fixtures + "onnx_nets.safetensors")
            .filter { $0.name.hasSuffix("fixed") || $0.name.hasSuffix("script-11") }.map { try ONNXCoding.decode($0.model) }
        var (read, refused) = (0, 0)
        for net in nets {
            for _ in 0..<100 {
                var model = net
                for _ in 0..<Int.random(in: 1...3, using: &random) { try exchange(&model, &random) }
                do {
                    _ = try ONNXFile.read(bytes: ONNXCoding.encode(model), source: "file")
                    read += 1
                } catch {
                    #expect(error is any Failure, "\(error)")
                    refused += 1
                }
            }
        }
        // A fuzzer that only makes what the first check refuses, or nothing wrong at all, tests nothing.
        #expect(read > nets.count * 10 && refused > nets.count * 30, "\(read) \(refused)")
    }

    /// A number of samples beyond all reason, where the shapes are multiplied with it.
    @Test func absurdBatches() throws {
        for batch in [Int64.max, 1 << 40, 1 << 20, 0, -1, .min] {
            let model = try Samples.model(
                [Samples.node("Reshape", ["x", "shape"], ["y"])],
                inputs: [Samples.input("x", [Int(batch), 3, 8, 8])],
                weights: [("shape", try Tensor([Int64(3), -1]))])
            do { _ = try ONNXFile.read(bytes: ONNXCoding.encode(model), source: "file") } catch { #expect(error is any Failure) }
        }
    }

    @Test func structure() throws {
        try expect("interchange.malformed", "no earlier node", changed { $0.graph.node.swapAt(0, 1) })
        try expect("interchange.malformed", "no earlier node", changed { $0.graph.node[0].input[0] = "a" })
        try expect("interchange.malformed", "is made before", changed { $0.graph.node[2].output = ["b"] })
        try expect("interchange.malformed", "given twice", changed { $0.graph.initializer.append($0.graph.initializer[0]) })
        try expect("interchange.malformed", "given twice", changed { $0.graph.input.append($0.graph.input[0]) })
        try expect("interchange.malformed", "made by no node", changed { $0.graph.output[0].name = "z" })
        try expect("interchange.malformed", "input 2 is missing", changed { $0.graph.node[5].input = ["e"] })
        try expect("interchange.malformed", "no ONNX model", changed { $0.clearGraph() })
        try expect("interchange.unsupported", "opset 3", changed { $0.opsetImport[0].version = 3 })
        try expect("interchange.unsupported", "opset 99", changed { $0.opsetImport[0].version = 99 })
        try expect("interchange.unsupported", "dimension 2", changed { $0.graph.input = [Samples.input("x", [nil, 3, nil, 8])] })
        try expect("interchange.unsupported", "scalar", changed { $0.graph.input = [Samples.input("x", [])] })
        try expect("graph.noOutputs", "no outputs", changed { $0.graph.output = [] })
    }

    @Test func unsupportedOperatorsNameThemselves() throws {
        let foreign = try changed { $0.graph.node[2].opType = "Blur" }
        try expect("interchange.unsupportedOperator", "node 'the Relu': the operator Blur of opset 17", foreign)
        try expect("interchange.unsupportedOperator", "com.example.Relu", changed { $0.graph.node[2].domain = "com.example" })
        try InterchangeSamples.withFile { path in
            try AtomicFile.write(path) { append in try ONNXCoding.encode(foreign).withUnsafeBytes { try append($0) } }
            let seen = try ONNXFile.inspect(path)
            #expect(seen.problems.count == 1 && seen.opset == 17 && seen.nodeCount == 6)
            #expect(seen.graph?.nodes.map(\.operation.name) == ["conv2d", "batch_norm"])
        }
    }

    /// Also what stands behind the first one, so that nobody mends a model in vain; each once.
    @Test func everyUnsupportedOperatorIsNamed() throws {
        let foreign = try changed { model in
            model.graph.node[1].opType = "Blur"
            model.graph.node[2].opType = "Sharpen"
            model.graph.node[3].opType = "Sharpen"
        }
        try InterchangeSamples.withFile { path in
            try AtomicFile.write(path) { append in try ONNXCoding.encode(foreign).withUnsafeBytes { try append($0) } }
            let problems = try ONNXFile.inspect(path).problems.map { "\($0)" }
            #expect(problems.count == 2 && problems[0].contains("Blur") && problems[1].contains("'the Relu': the operator Sharpen"))
        }
    }

    @Test func shapesThatDisagree() throws {
        try expect("tensor.shapeMismatch", "node 'the Conv' (Conv, opset 17)", changed { $0.graph.input = [Samples.input("x", [nil, 5, 8, 8])] })
        try expect(
            "tensor.shapeMismatch", "kernel",
            changed {
                $0.graph.input = [Samples.input("x", [nil, 3, 1, 1 << 29])]; $0.graph.node[0].attribute = []
            })
        try expect("operation.shapes", "four vectors", changed { $0.graph.initializer[1].dims = [2, 2] })
        try expect("interchange.malformed", "needs 432 bytes", changed { $0.graph.initializer[0].rawData.removeLast() })
        try expect("interchange.malformed", "absurd", changed { $0.graph.initializer[0].dims = [-4, 3, 3, 3] })
        try expect("interchange.malformed", "absurd", changed { $0.graph.initializer[0].dims = [.max, .max] })
        try expect("interchange.malformed", "but it has 432", changed { $0.graph.initializer[0].dims = [1 << 38] })
        try expect("interchange.unsupported", "elements of type 8", changed { $0.graph.initializer[0].dataType = 8 })
        try expect("interchange.unsupported", "elements of type 77", changed { $0.graph.initializer[0].dataType = 77 })
        try expect("interchange.malformed", "another type", changed { $0.graph.node[0].attribute[0].type = .floats })
        try expect("interchange.malformed", "small numbers", changed { $0.graph.node[0].attribute[0].ints = [.max, 0, 0, -1] })
        try expect("graph.valueShape", "absurdly large", changed { $0.graph.input = [Samples.input("x", [nil, 1 << 20, 1 << 20, 1 << 20])] })
    }

    /// Numbers at the ends of their range, where plain arithmetic would trap.
    @Test func absurdNumbers() throws {
        for number in [Int.min, Int.max, -1, 1 << 62] {
            let two = try Tensor([Int64(number), Int64(number)])
            let one = try Tensor([Int64(number)])
            let scalar = try Tensor([Int64(number)], shape: [])
            let nodes: [Onnx_NodeProto] = [
                Samples.node("Slice", ["x", "one", "one"], ["y"]), Samples.node("Slice", ["x", "zero", "one", "axes", "one"], ["y"]),
                Samples.node("Pad", ["x", "eight"], ["y"]), Samples.node("Gather", ["x", "scalar"], ["y"], numbers: ["axis": 1]),
                Samples.node("Gather", ["x", "two"], ["y"], numbers: ["axis": 2]), Samples.node("Reshape", ["x", "two"], ["y"]),
                Samples.node("Expand", ["x", "two"], ["y"]), Samples.node("Unsqueeze", ["x", "one"], ["y"]),
                Samples.node("Squeeze", ["x", "two"], ["y"]), Samples.node("ReduceMean", ["x"], ["y"], ints: ["axes": [number]]),
                Samples.node("Split", ["x", "two"], ["y", "z"], numbers: ["axis": number]),
                Samples.node("Concat", ["x", "x"], ["y"], numbers: ["axis": number]),
                Samples.node("Softmax", ["x"], ["y"], numbers: ["axis": number]),
                Samples.node("Transpose", ["x"], ["y"], ints: ["perm": [number, 0, 1, 2]]),
                Samples.node("MaxPool", ["x"], ["y"], ints: ["kernel_shape": [number, 1]]),
                Samples.node("AveragePool", ["x"], ["y"], ints: ["kernel_shape": [1, 1], "strides": [number, number]]),
                Samples.node("Conv", ["x", "w"], ["y"], ints: ["dilations": [number, 1]], numbers: ["group": number]),
                Samples.node("ConvTranspose", ["x", "w"], ["y"], ints: ["output_shape": [number, number]]),
                Samples.node("ConvTranspose", ["x", "w"], ["y"], ints: ["output_padding": [number, 0]]),
                Samples.node("Resize", ["x", "", "", "four"], ["y"]), Samples.node("Flatten", ["x"], ["y"], numbers: ["axis": number]),
            ]
            for node in nodes {
                let model = try Samples.model(
                    [node],
                    weights: [
                        ("one", one), ("two", two), ("scalar", scalar), ("zero", Tensor([Int64(0)])), ("axes", Tensor([Int64(2)])),
                        ("eight", Tensor([Int64](repeating: Int64(number), count: 8))), ("w", .ones([3, 3, 1, 1])),
                        ("four", Tensor([Int64(number), 3, 8, Int64(number)])),
                    ], opset: node.opType == "ReduceMean" ? 13 : 17)
                do { _ = try ONNXFile.read(bytes: ONNXCoding.encode(model), source: "file") } catch { #expect(error is any Failure) }
            }
        }
        let epsilon = try changed { model in
            var attribute = Onnx_AttributeProto()
            (attribute.name, attribute.type, attribute.f) = ("epsilon", .float, .nan)
            model.graph.node[1].attribute = [attribute]
        }
        try expect("operation.attribute", "epsilon", epsilon)
    }

    /// Shapes that a constant could be blown up to.
    @Test func hugeConstants() throws {
        let huge: (String, Tensor) = ("shape", try Tensor([Int64]([1 << 20, 1 << 20])))
        for nodes in [
            [Samples.node("ConstantOfShape", ["shape"], ["c"]), Samples.node("Relu", ["c"], ["y"])],
            [Samples.node("ConstantOfShape", ["shape"], ["c"]), Samples.node("Add", ["c", "c"], ["y"])],
            [Samples.node("Expand", ["one", "shape"], ["y"])],
        ] {
            let model = try Samples.model(nodes, weights: [huge, ("one", .ones([1]))])
            let before = MemoryLedger.liveByteCount
            _ = try failure(model)
            #expect(MemoryLedger.liveByteCount - before < 1 << 20)
        }
    }

    /// (N − 2⁶³) / −1: the least number of all has no quotient.
    @Test func theLeastNumberByMinusOne() throws {
        let nodes = [
            Samples.node("Shape", ["x"], ["s"]), Samples.node("Gather", ["s", "zero"], ["n"]),
            Samples.node("Add", ["n", "least"], ["m"]), Samples.node("Div", ["m", "minus"], ["d"]),
            Samples.node("Reshape", ["x", "d"], ["y"]),
        ]
        let model = try Samples.model(
            nodes,
            weights: [
                ("zero", Tensor([Int64(0)])), ("least", Tensor([Int64.min])), ("minus", Tensor([Int64(-1)])),
            ])
        _ = try failure(model)
    }

    /// An extent near 2⁴⁰ times a scale below 2²⁰ is no extent any more, and neither is what a constant claims beyond it.
    @Test func scalesOfHugeConstants() throws {
        for extent in [1 << 45, 1 << 39] {
            let nodes = [
                Samples.node("ConstantOfShape", ["shape"], ["c"]), Samples.node("Resize", ["c", "", "scales"], ["y"]),
            ]
            let model = try Samples.model(
                nodes,
                weights: [
                    ("shape", Tensor([Int64(extent)])), ("scales", Tensor([Float(1 << 19)])),
                ])
            _ = try failure(model)
        }
    }

    /// Each node joins the numbers before it with themselves: 34 of them would ask for 256 GB.
    @Test func numbersThatDouble() throws {
        var nodes = [Samples.node("Shape", ["x"], ["v0"])]
        for i in 0..<34 { nodes.append(Samples.node("Concat", ["v\(i)", "v\(i)"], ["v\(i + 1)"], numbers: ["axis": 0])) }
        nodes.append(Samples.node("Reshape", ["x", "v34"], ["y"]))
        try expect("interchange.unsupported", "more than 4096", Samples.model(nodes))
    }

    @Test func tooManyDimensions() throws {
        let dims = [Int64](repeating: 1, count: 33)
        _ = try failure(Samples.model([Samples.node("Reshape", ["x", "shape"], ["y"])], weights: [("shape", Tensor([-1] + dims))]))
        try expect("interchange.malformed", "33 dimensions", changed { $0.graph.initializer[0].dims = dims })
    }

    @Test func externalData() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString)").path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: folder + "/inside", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let weights = [Float](repeating: 0.5, count: 108)
        let data = Data(bytes: weights, count: 432)
        try (Data(count: 64) + data).write(to: URL(filePath: folder + "/inside/weights.bin"))
        try data.write(to: URL(filePath: folder + "/secret.bin"))
        try FileManager.default.createSymbolicLink(atPath: folder + "/inside/link.bin", withDestinationPath: folder + "/secret.bin")
        let path = folder + "/inside/model.onnx"
        func write(_ entries: [String: String]) throws {
            let model = try changed { model in
                model.graph.initializer[0].clearRawData()
                model.graph.initializer[0].dataLocation = .external
                model.graph.initializer[0].externalData = entries.map { key, value in
                    var entry = Onnx_StringStringEntryProto()
                    (entry.key, entry.value) = (key, value)
                    return entry
                }
            }
            try AtomicFile.write(path) { append in try ONNXCoding.encode(model).withUnsafeBytes { try append($0) } }
        }
        try write(["location": "weights.bin", "offset": "64", "length": "432"])
        let graph = try ONNXFile.read(path).graph
        #expect(try graph.parameters["conv.weight"]?.tensor.array(of: Float.self) == weights)
        let lies: [([String: String], String)] = [
            (["location": "../secret.bin"], "outside"), (["location": folder + "/secret.bin"], "outside"),
            (["location": "link.bin"], "outside"), (["location": "missing.bin"], "missing"), ([:], "no location"),
            (["location": "weights.bin", "offset": "65"], "has 496"), (["location": "weights.bin", "offset": "-1"], "'-1'"),
            (["location": "weights.bin", "offset": "9223372036854775807"], "has 496"),
            (["location": "weights.bin", "length": "7"], "has 7"), (["location": "."], "outside"),
        ]
        for (entries, words) in lies {
            try write(entries)
            let failure = #expect(throws: InterchangeFailure.self) { try ONNXFile.read(path) }
            #expect(failure?.description.contains(words) == true, "\(failure as Any)")
        }
        let bytes = try AtomicFile.read(path)
        #expect(throws: InterchangeFailure.self) { try ONNXFile.read(bytes: bytes) }
    }
}
