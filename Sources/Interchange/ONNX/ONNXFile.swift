import Basics
import Formats
public import Graphs
import ONNXMessages

/// ONNX files: models from elsewhere, and ours for others.
public enum ONNXFile {
    static let notesKey = "moonrail.notes"
    static let originsKey = "moonrail.origins"
    /// Reads a model; what an earlier export of ours noted comes back as notes.
    /// - Throws: `FileFailure`; `InterchangeFailure` for what is malformed or not supported, naming the place; failures
    ///   of the operations for shapes that disagree.
    /// - Complexity: O(bytes + nodes).
    public static func read(_ path: String) throws -> ModelFile {
        try read(ONNXOutline(ByteStore(path: path)), source: path, directory: directory(of: path))
    }

    /// Reads a model that is in memory and so has no external data.
    public static func read(bytes: [UInt8], source: String = "ONNX data") throws -> ModelFile {
        try read(ONNXOutline(ByteStore(bytes, source: source)), source: source, directory: nil)
    }

    private static func read(_ outline: ONNXOutline, source: String, directory: String?) throws -> ModelFile {
        var importer = try ONNXImporter(outline.model, source: source, directory: directory, outline: outline)
        try importer.read()
        let notes = try metadata(notesKey, of: outline.model, source: source)
        return try ModelFile(graph: importer.graph(), notes: notes)
    }

    /// Writes a model, whole or not at all: opset 17, operators of the standard only, the batch open. Notes (plan,
    /// accuracy, …) go into the metadata as JSON under `moonrail.notes`; `version` is that of the program that writes.
    /// - Throws: `InterchangeFailure.notExportable` for operations that ONNX does not have, such as losses.
    public static func write(_ model: ModelFile, to path: String, version: String? = nil) throws {
        let bytes = try bytes(of: model, version: version)
        try AtomicFile.write(path) { append in try bytes.withUnsafeBytes { try append($0) } }
    }

    /// The same in memory.
    public static func bytes(of model: ModelFile, version: String? = nil) throws -> [UInt8] {
        guard model.graph.parameters.byteCount < ONNXOutline.byteLimit - (1 << 24) else {
            throw InterchangeFailure.notExportable(
                operation: model.graph.name, detail: "its weights take 2 GiB or more, which one ONNX file cannot hold")
        }
        return try ONNXCoding.encode(ONNXExporter.message(of: model.graph, notes: model.notes, version: version))
    }

    /// Looks at a file without insisting on all of it.
    public static func inspect(_ path: String) throws -> ONNXInspection {
        try ONNXInspection(ONNXOutline(ByteStore(path: path)), source: path, directory: directory(of: path))
    }

    /// The bytes of a model's file and of those beside it that hold its weights, none of which are read.
    /// - Throws: `FileFailure`; `InterchangeFailure` where the file is no model or a file with weights is missing.
    public static func byteCount(_ path: String) throws -> Int {
        let outline = try ONNXOutline(ByteStore(path: path))
        let reader = ONNXTensorReader(source: path, directory: directory(of: path), outline: outline)
        var byteCounts: [OpenFile.Identity: Int] = [:]
        for tensor in outline.model.graph.initializer where tensor.dataLocation == .external {
            let file = try reader.externalFile(tensor)
            byteCounts[file.identity] = file.byteCount
        }
        return byteCounts.values.reduce(try AtomicFile.size(path), +)
    }

    static func directory(of path: String) -> String {
        let folder = DirectoryListing.split(path).directory
        return folder.utf8.count > 1 ? String(folder.dropLast()) : folder
    }

    /// What an export of ours put into the metadata under a key; nothing where there is none.
    static func metadata(_ key: String, of model: Onnx_ModelProto, source: String) throws -> JSONObject {
        guard let text = model.metadataProps.first(where: { $0.key == key })?.value else { return [:] }
        return try JSONValue.parse(text: text, source: "\(source) › \(key)", allowsNonFinite: true).object ?? [:]
    }
}

/// What a look at an ONNX file shows, also where parts of it cannot be read.
public struct ONNXInspection {
    public let irVersion: Int
    public let opset: Int
    public let producer: String
    public let nodeCount: Int
    /// The operators in the file and how often each occurs, by name.
    public let operatorCounts: [(name: String, count: Int)]
    /// Why the file cannot be used as a whole, first things first; empty where it can.
    public let problems: [any Error]
    /// The graph, or what could be read of it.
    public let graph: Graph?

    init(_ outline: ONNXOutline, source: String, directory: String?) throws {
        let model = outline.model
        var importer = try ONNXImporter(model, source: source, directory: directory, outline: outline)
        try importer.read()
        irVersion = Int(model.irVersion)
        opset = importer.opset
        producer = [model.producerName, model.producerVersion].filter { !$0.isEmpty }.joined(separator: " ")
        nodeCount = model.graph.node.count
        operatorCounts = Dictionary(model.graph.node.map { ($0.opType, 1) }, uniquingKeysWith: +)
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        var found = importer.problems
        var whole: Graph?
        if found.isEmpty {
            do { whole = try importer.graph() } catch { found.append(error) }
        }
        problems = found
        graph = found.isEmpty ? whole : try? importer.partialGraph()
    }
}
