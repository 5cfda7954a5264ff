import Basics
import Formats
import Graphs
import Interchange
import Tensors

extension FuzzedReader {
    static let fileReaders = [
        FuzzedReader("json", "JSON; what is read is written and read again", longest: 512) { try read(json: $0) },
        FuzzedReader("npy", "an array of NumPy's", longest: 256) { touch(try NPY.read(bytes: $0)) },
        FuzzedReader("npz", "a zip archive of NumPy's arrays") {
            for (_, tensor) in try NPZ.read(bytes: $0, byteLimit: Session.memoryLimit) { touch(tensor) }
        },
        FuzzedReader("idx", "an array of the MNIST family, plain or gzip", longest: 256) { touch(try IDX.read(bytes: $0)) },
        FuzzedReader("safetensors", "a file of tensors, which is written and read again; its graph where it has one") {
            try read(safetensors: $0)
        },
        FuzzedReader("picture", "PNG or JPEG") { touch(try Picture.read(bytes: $0)) },
        FuzzedReader("onnx", "a model from elsewhere, which is exported and read again") { try read(onnx: $0) },
    ]

    /// Text that is JSON stays the same value when it is written and read.
    private static func read(json bytes: [UInt8]) throws {
        // What files of results are read with. A number that is not one differs from itself, so texts are compared.
        let loose = try JSONValue.parse(bytes, allowsNonFinite: true, keepsDigits: true)
        for isPretty in [false, true] {
            let text = try loose.serialized(pretty: isPretty, allowsNonFinite: true)
            let again = try expected("its own JSON") { try JSONValue.parse(text: text, allowsNonFinite: true, keepsDigits: true) }
            guard try again.serialized(pretty: isPretty, allowsNonFinite: true) == text else { throw Misreading("JSON changes: \(text)") }
        }
        guard let strict = try? JSONValue.parse(bytes) else { return }
        let text = try strict.serialized()
        guard try expected("its own JSON", { try JSONValue.parse(text: text) }) == strict else { throw Misreading("JSON changes: \(text)") }
    }

    private static func read(safetensors bytes: [UInt8]) throws {
        let file = try SafetensorsFile(bytes: bytes)
        let again = try expected("its own safetensors") { try SafetensorsFile(bytes: file.bytes()) }
        guard again.metadata == file.metadata, again.tensors.map(\.name) == file.tensors.map(\.name) else {
            throw Misreading("safetensors change: \(file.metadata), \(file.tensors.map(\.name))")
        }
        for (name, tensor) in file.tensors { touch(tensor); if let other = again[name] { touch(other) } }
        guard let text = file.metadata["moonrail.graph"] else { return }
        let graph = try GraphDocument.decode(JSONValue.parse(text: text), source: "graph") { file[$0] }
        let document = GraphDocument.encode(graph)
        guard
            try expected("its own graph", { try GraphDocument.encode(GraphDocument.decode(document, source: "graph") { file[$0] }) })
                == document
        else { throw Misreading("the graph changes: \(text)") }
    }

    private static func read(onnx bytes: [UInt8]) throws {
        let model = try ONNXFile.read(bytes: bytes)
        let exported = try ONNXFile.bytes(of: model)
        _ = try expected("its own ONNX") { try ONNXFile.read(bytes: exported) }
    }

    /// What `body` gives, which must not be refused.
    private static func expected<Result>(_ what: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let failure where (failure as? any Failure)?.code == "tensor.outOfMemory" {
            throw failure
        } catch {
            throw Misreading("\(what) is refused: \(error)")
        }
    }

    /// Reads all elements, so that AddressSanitizer sees whether they are there.
    private static func touch(_ tensor: Tensor) {
        var sum: UInt8 = 0
        withExtendedLifetime(tensor.storage) {
            for byte in UnsafeRawBufferPointer(start: tensor.rawBase, count: tensor.byteCount) { sum ^= byte }
        }
        sink = sum
    }

    /// Keeps the compiler from leaving the loop out.
    nonisolated(unsafe) private static var sink: UInt8 = 0
}
