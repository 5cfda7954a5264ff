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

    @Argument(help: ArgumentHelp("The model: \(ModelFormat.summaries(ModelFormat.readable)).", valueName: "MODEL"))
    var model: String

    @Option(
        help: ArgumentHelp(
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
            let file = try ModelFile.read(model)
            if stateDict {
                try StateDict.write(file.graph, to: out)
                return print("wrote \(out)")
            }
            var path = out
            if !out.hasSuffix(ModelFormat.torch.ending) {
                try AtomicFile.makeDirectory(out)
                path = (out.hasSuffix("/") ? out : out + "/") + TorchModule.fileName(of: file.graph)
            }
            let written = try file.write(byEndingOf: path, among: [.torch], version: Toolkit.version)
            print("wrote \(written.joined(separator: " and "))")
        }
    }
}
