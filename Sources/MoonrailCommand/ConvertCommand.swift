import ArgumentParser
import Basics
import Console
import Interchange
import LuaBindings

/// `moonrail convert IN OUT`
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Converts a model from one kind of file to another.",
        discussion: """
            What IN is, its content says: \(ModelFormat.summaries(ModelFormat.readable)). What is written, the end of OUT says: \
            \(ModelFormat.endings(ModelFormat.convertible)).

            EXAMPLES:
              moonrail convert model.onnx model.safetensors
              moonrail convert small.safetensors small.onnx
            """)

    @Argument(help: ArgumentHelp("The model to read.", valueName: "IN"))
    var input: String

    @Argument(help: ArgumentHelp("The file to write.", valueName: "OUT"))
    var output: String

    func validate() throws {
        try requireEnding(of: output, "OUT", among: ModelFormat.convertible)
    }

    func run() throws {
        try reportingFailures {
            try ModelFile.read(input).write(byEndingOf: output, version: Toolkit.version)
        }
    }
}
