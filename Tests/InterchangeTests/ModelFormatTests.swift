import Basics
import Formats
import Graphs
import Interchange
import ONNXMessages
import Operations
import Tensors
import Testing

/// The endings of files, and what files of models hold.
@Suite struct ModelFormatTests {
    private func withPath(_ name: String, _ body: (String) throws -> Void) throws {
        let directory = "/tmp/moonrail-test-\(UInt64.random(in: 0 ... .max))"
        try AtomicFile.makeDirectory(directory)
        try body(directory + "/" + name)
        #expect(DirectoryListing.entries(of: directory).allSatisfy { $0.name.hasPrefix("model") })
    }

    private func small() throws -> Graph { try MultilayerPerceptron(imageShape: [1, 2, 2], classCount: 2, hidden: [2]).build(seed: 1) }

    @Test(arguments: ["model.ONNX", "model.foo", "model", "model.onnx.bak", "model.Safetensors"])
    func otherEndingsAreRefused(_ name: String) throws {
        let file = ModelFile(graph: try small())
        try withPath(name) { path in
            let failure = #expect(throws: InterchangeFailure.self) { try file.write(byEndingOf: path, version: "1") }
            #expect(failure?.code == "interchange.unknownEnding")
            #expect(failure?.description.contains(".safetensors, .onnx or .py") == true)
            #expect(!AtomicFile.exists(path))
        }
    }

    /// What a file is, its content says, whatever it is called.
    @Test(arguments: [("model.onnx", "safetensors"), ("model.safetensors", "onnx"), ("model.ONNX", "onnx"), ("model", "onnx"), ("model.py", "safetensors")])
    func filesAreToldByTheirContent(_ name: String, _ format: String) throws {
        let file = ModelFile(graph: try small(), notes: ["kind": .string(format)])
        try withPath(name) { path in
            if format == "onnx" { try ONNXFile.write(file, to: path) } else { try file.write(to: path) }
            #expect(try ModelFile.read(path).notes["kind"]?.string == format)
            #expect(try ModelFile.byteCount(path) == AtomicFile.size(path))
            let seen = try ModelFile.inspect(path)
            #expect(seen.problems.isEmpty && seen.graph?.parameters.names.count == file.graph.parameters.names.count)
            #expect(seen.heading.hasPrefix("ONNX") == (format == "onnx"))
        }
    }

    /// A damaged file is read as what its name says, so that the error tells what is wrong with it; without that, the file
    /// itself is the problem.
    @Test(arguments: [
        ("model.safetensors", "this is no model", "format."), ("model.onnx", "this is no model", "interchange.malformed"),
        ("model", "this is no model", "interchange.unknownContent"), ("model.py", "import torch", "interchange.unknownContent"),
        ("model.onnx", "", "interchange."), ("model", "", "interchange.unknownContent"),
        ("model", "\u{2}\0\0\0\0\0\0\0{", "format.truncated"),
    ])
    func damagedFilesAreExplained(_ name: String, _ content: String, _ code: String) throws {
        try withPath(name) { path in
            try AtomicFile.write(path, text: content)
            let failure = #expect(throws: (any Error).self) { try ModelFile.read(path) } as? any Failure
            #expect(failure?.code.hasPrefix(code) == true && failure.map { "\($0)" }?.contains(name) == true, "\(failure as Any)")
        }
    }

    @Test func missingFilesAreNotGuessedAt() {
        let failure = #expect(throws: FileFailure.self) { try ModelFile.read("/nowhere/model.ONNX") }
        #expect(failure?.code == "file.cannotRead")
    }

    /// The files of the fixtures are of other programs' writing.
    @Test func modelsFromElsewhereAreTold() throws {
        for example in try ONNXCase.all(in: ONNXCase.fixtures + "onnx_nets.safetensors") {
            try withPath("model") { path in
                try AtomicFile.write(path, bytes: example.model)
                #expect(try ModelFile.inspect(path).heading.hasPrefix("ONNX"), "\(example.name)")
            }
        }
    }

    /// No two formats are written under one name, and none is neither read nor written.
    @Test func formatsDiffer() {
        #expect(Set(ModelFormat.all.map(\.ending)).count == ModelFormat.all.count)
        #expect(Set((ModelFormat.readable + ModelFormat.writable).map(\.ending)).count == ModelFormat.all.count)
        #expect(ModelFormat.endings(ModelFormat.all) == ".safetensors, .onnx or .py")
    }

    @Test(arguments: ["model.safetensors", "model.onnx", "model.py"]) func everyEndingIsWritten(_ name: String) throws {
        let file = ModelFile(graph: try small())
        try withPath(name) { path in
            let written = try file.write(byEndingOf: path, version: "1")
            #expect(written.first == path && written.allSatisfy { AtomicFile.exists($0) })
            if !name.hasSuffix(".py") {
                #expect(try ModelFile.read(path).graph.parameters.names.count == file.graph.parameters.names.count)
                #expect(try ModelFile.byteCount(path) == AtomicFile.size(path))
            }
        }
    }

    /// Places are float32 in a graph and int64 in the file; only the latter may stand there.
    @Test func placesOfAGatherAreWrittenOnce() throws {
        var builder = GraphBuilder(name: "places", seed: 1)
        let x = builder.input("x", [4])
        let places = builder.parameter("order", try Tensor([2, 0, 1] as [Float]), isTrainable: false)
        let y = try builder.add("y", Gather(dimension: 1), [.value(x), places])
        let graph = try builder.finish(outputs: [y])
        let model = try ONNXCoding.decode(ONNXFile.bytes(of: ModelFile(graph: graph)))
        #expect(model.graph.initializer.map(\.dataType) == [7])
    }

    /// Elements in a packed list, which exporters of old wrote, are those of raw data.
    @Test func listsAndRawDataAreTheSame() throws {
        var raw = try ONNXSamples.classifier()
        let wide = try Tensor((0..<5000).map { Float($0) / 5000 }, shape: [5, 1000])
        raw.graph.node[0] = ONNXSamples.node("Conv", ["x", "conv.weight"], ["a"], ints: ["pads": [1, 1, 1, 1]])
        raw.graph.initializer[0] = try ONNXTensorWriter.message(of: .full([1000, 3, 3, 3], 0.5), name: "conv.weight")
        for (place, name) in ["bn.weight", "bn.bias", "bn.mean", "bn.var"].enumerated() {
            raw.graph.initializer[1 + place] = try ONNXTensorWriter.message(of: .ones([1000]), name: name)
        }
        raw.graph.initializer[5] = try ONNXTensorWriter.message(of: wide, name: "fc.weight")
        var listed = raw
        for place in listed.graph.initializer.indices {
            listed.graph.initializer[place].floatData = raw.graph.initializer[place].withRawBytes { Array($0.bindMemory(to: Float.self)) }
            listed.graph.initializer[place].clearRawData()
        }
        let (one, other) = (try ONNXFile.read(bytes: ONNXCoding.encode(raw)).graph, try ONNXFile.read(bytes: ONNXCoding.encode(listed)).graph)
        for name in one.parameters.names {
            #expect(try one.parameters[name]?.tensor.array(of: Float.self) == other.parameters[name]?.tensor.array(of: Float.self))
        }
        // A list of another type is no raw data of the tensor's.
        listed.graph.initializer[5].dataType = 6
        #expect(throws: InterchangeFailure.self) { try ONNXFile.read(bytes: ONNXCoding.encode(listed)) }
    }
}
