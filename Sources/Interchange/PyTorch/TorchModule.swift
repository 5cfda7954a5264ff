import Basics
import Formats
public import Graphs
import Operations
import Tensors

/// A network as a Python module for PyTorch: source that rebuilds it from PyTorch's own layers, and a safetensors file
/// with its weights beside the source.
///
/// `load()` in the module gives the network with its weights, ready for inference; `Network()` one with PyTorch's fresh
/// weights. Chains that compression made are layers like any others, so the network can be trained further.
public enum TorchModule {
    /// Writes `path`, which ends in `.py`, and the file of the same name that ends in `.weights.safetensors`: each whole
    /// or not at all, the weights first. The ending keeps them apart from a model of ours under the same name.
    /// - Returns: the path of the weights.
    /// - Throws: `InterchangeFailure.notExportable` naming node and operation where PyTorch has no translation,
    ///   `unknownEnding`; `FileFailure`.
    public static func write(_ graph: Graph, to path: String, version: String) throws -> String {
        _ = try ModelFormat(endingOf: path, among: [.torch])
        let writer = try written(graph)
        let weights = path.dropLast(ModelFormat.torch.ending.count) + ".weights.safetensors"
        try SafetensorsFile(tensors: writer.weights, metadata: ["format": "pt"]).write(to: String(weights))
        try AtomicFile.write(path, text: source(of: graph, writer, version: version))
        return String(weights)
    }

    /// The Python source alone.
    public static func source(of graph: Graph, version: String) throws -> String {
        source(of: graph, try written(graph), version: version)
    }

    /// A file name for the module of `graph`, which Python can import.
    public static func fileName(of graph: Graph) -> String { PythonNames.identifier(graph.name) + ".py" }

    private static func written(_ graph: Graph) throws -> TorchWriter {
        try Verifier.verify(graph)
        var writer = try TorchWriter(graph)
        for (position, node) in graph.nodes.enumerated() {
            try Cancellation.check()
            writer.begin(position)
            try located(graph.name + " › " + node.name) {
                guard node.outputCount == 1 else {
                    throw InterchangeFailure.notExportable(operation: node.operation.name, detail: "it has several results")
                }
                try TorchNodeWriter.write(node, &writer)
            }
        }
        return writer
    }

    private static let imports = [
        "import pathlib", "", "import torch", "from safetensors.torch import load_file", "from torch import nn",
        "from torch.nn import functional as F",
    ]

    private static func source(of graph: Graph, _ writer: TorchWriter, version: String) -> String {
        let results = graph.outputs.map { writer.variable(of: $0) }
        let returned = results.count == 1 ? results[0] : "(" + results.joined(separator: ", ") + ",)"
        func indented(_ lines: [String]) -> String { lines.map { "        \($0)\n" }.joined() }
        return """
            \"\"\"The network \(PythonNames.identifier(graph.name)), written by Moonrail \(version).

            load() gives it with the weights of the safetensors file beside this one.
            \"\"\"
            \(imports.joined(separator: "\n"))

            WEIGHTS = pathlib.Path(__file__).with_suffix(".weights.safetensors")

            \(writer.definitions.map { "\n" + $0 + "\n\n" }.joined())
            class Network(nn.Module):
                def __init__(self):
                    super().__init__()
            \(indented(writer.members))
                def forward(self, \(graph.inputs.map { writer.variable(of: $0.name) }.joined(separator: ", "))):
            \(indented(writer.statements))        return \(returned)


            def load(path=WEIGHTS):
                \"\"\"The network with its weights, ready for inference.\"\"\"
                network = Network()
                network.load_state_dict(load_file(path))
                return network.eval()

            """
    }
}
