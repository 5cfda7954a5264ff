public import Formats
public import Graphs
public import Tensors

/// A model in one safetensors file: the parameters under their names, the graph as JSON in the metadata.
///
/// Other software reads the tensors like those of any safetensors file. A training checkpoint is the same file with
/// more tensors beside the parameters (`training/…`) and more notes.
public struct ModelFile: Sendable {
    public var graph: Graph
    /// Notes kept with the model: how it was trained, its accuracy, its plan.
    public var notes: JSONObject
    /// Tensors that are no parameters, such as an optimizer's momenta.
    public var optimizerState: [(name: String, tensor: Tensor)]

    /// Says so in files that are there already.
    private static let optimizerPrefix = "training/"
    private static let graphKey = "moonrail.graph"
    private static let notesKey = "moonrail.notes"

    public init(graph: Graph, notes: JSONObject = [:], optimizerState: [(name: String, tensor: Tensor)] = []) {
        self.graph = graph
        self.notes = notes
        self.optimizerState = optimizerState
    }

    /// Reads a model.
    /// - Throws: `FileFailure`, `FormatFailure` for a file that is no safetensors, `InterchangeFailure` for one
    ///   without a graph or with a wrong one, `GraphFailure` for a graph that is not legal.
    public init(path: String) throws {
        let file = try SafetensorsFile(path: path)
        guard let text = file.metadata[Self.graphKey] else { throw InterchangeFailure.noGraph(source: path) }
        let document = try JSONValue.parse(text: text, source: path + " › graph")
        graph = try GraphDocument.decode(document, source: path) { file[$0] }
        notes =
            try file.metadata[Self.notesKey].flatMap {
                try JSONValue.parse(text: $0, source: path + " › notes", allowsNonFinite: true).object
            } ?? [:]
        optimizerState = file.tensors.filter { $0.name.hasPrefix(Self.optimizerPrefix) }
            .map { (String($0.name.dropFirst(Self.optimizerPrefix.count)), $0.tensor) }
    }

    /// Writes the model, whole or not at all.
    public func write(to path: String) throws {
        var tensors: [(name: String, tensor: Tensor)] = []
        for name in graph.parameters.names {
            if let parameter = graph.parameters[name] { tensors.append((name, parameter.tensor)) }
        }
        tensors += optimizerState.map { (Self.optimizerPrefix + $0.name, $0.tensor) }
        let metadata = [
            "format": "moonrail",
            Self.graphKey: try GraphDocument.encode(graph).serialized(),
            // A note may be a result that is no finite number.
            Self.notesKey: try JSONValue.object(notes).serialized(allowsNonFinite: true),
        ]
        try SafetensorsFile(tensors: tensors, metadata: metadata).write(to: path)
    }
}
