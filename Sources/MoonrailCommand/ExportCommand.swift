import ArgumentParser
import Basics
import Graphs
import Interchange
import LuaBindings

/// `moonrail export --torch MODEL --out DIR|FILE.py`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a model as a Python module for PyTorch.",
        discussion: """
            The module rebuilds the network, dense or compressed, from PyTorch's own layers; its weights lie beside it, \
            in small.weights.safetensors for small.py, and its function load() gives the network with them. ONNX files are \
            written by `moonrail convert`.

            EXAMPLES:
              moonrail export --torch small.onnx --out small.py
              moonrail export --torch small.safetensors --out networks
            """)

    @Flag(help: "For PyTorch, which is the only kind of module there is.")
    var torch = false

    @Argument(help: ArgumentHelp("The model: .onnx, or safetensors that Moonrail saved.", valueName: "MODEL"))
    var model: String

    @Option(help: ArgumentHelp(
        "The module to write, .py, or a directory that gets one with the model's name.", valueName: "DIR|FILE.py"))
    var out: String

    func validate() throws {
        guard torch else { throw ValidationError("Say what to export to: --torch.") }
        guard !out.isEmpty else { throw ValidationError("--out must name a directory or a file that ends in .py.") }
    }

    func run() throws {
        try reportingFailures {
            let graph = try ModelFile.read(model).graph
            var path = out
            if !out.hasSuffix(".py") {
                try AtomicFile.makeDirectory(out)
                path = (out.hasSuffix("/") ? out : out + "/") + TorchModule.fileName(of: graph)
            }
            let weights = try TorchModule.write(graph, to: path, version: Toolkit.version)
            print("wrote \(path) and \(weights)")
        }
    }
}
