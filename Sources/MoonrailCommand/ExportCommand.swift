import ArgumentParser
import Basics
import Graphs
import Interchange
import LuaBindings

/// `moonrail export --torch MODEL --out DIR|FILE.py` and `moonrail export --state-dict MODEL --out FILE.safetensors`.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a model for PyTorch: as a Python module, or as a state dict.",
        discussion: """
            The module rebuilds the network, dense or compressed, from PyTorch's own layers; its weights lie beside it, \
            in small.weights.safetensors for small.py, and its function load() gives the network with them. A state \
            dict holds the weights of a dense network of the zoo under the names of torchvision's, for load_state_dict. \
            ONNX files are written by `moonrail convert`.

            EXAMPLES:
              moonrail export --torch small.onnx --out small.py
              moonrail export --torch small.safetensors --out networks
              moonrail export --state-dict resnet18.safetensors --out weights.safetensors
            """)

    @Flag(help: "As a Python module with its weights beside it.")
    var torch = false

    @Flag(help: "As safetensors under the names of PyTorch's state dicts.")
    var stateDict = false

    @Argument(help: ArgumentHelp("The model: .onnx, or safetensors that Moonrail saved.", valueName: "MODEL"))
    var model: String

    @Option(help: ArgumentHelp(
        "The module to write, .py, or a directory that gets one with the model's name; .safetensors for a state dict.",
        valueName: "DIR|FILE"))
    var out: String

    func validate() throws {
        guard torch != stateDict else { throw ValidationError("Say what to export to: --torch or --state-dict.") }
        guard !out.isEmpty else { throw ValidationError("--out must name a directory or a file.") }
        if stateDict { try requireEnding(of: out, "--out", among: [.safetensors]) }
    }

    func run() throws {
        try reportingFailures {
            let graph = try ModelFile.read(model).graph
            if stateDict {
                try StateDict.write(graph, to: out)
                return print("wrote \(out)")
            }
            var path = out
            if !out.hasSuffix(ModelFormat.torch.rawValue) {
                try AtomicFile.makeDirectory(out)
                path = (out.hasSuffix("/") ? out : out + "/") + TorchModule.fileName(of: graph)
            }
            let weights = try TorchModule.write(graph, to: path, version: Toolkit.version)
            print("wrote \(path) and \(weights)")
        }
    }
}
