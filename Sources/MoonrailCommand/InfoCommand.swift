import ArgumentParser
import Basics
import Compression
import Console
import Graphs
import Interchange
import Tensors

/// `moonrail info FILE`: what is in a model, and what can be compressed.
struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Shows a model's layers, shapes and costs, and which layers can be decomposed.",
        discussion: """
            Reads \(ModelFormat.summaries(ModelFormat.readable, "and")). Of an ONNX file that Moonrail cannot run, it shows what it \
            can read and says what is missing; the exit status is then 1.

            EXAMPLE:
              moonrail info model.onnx
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "FILE"))
    var path: String

    func run() throws {
        try reportingFailures {
            let seen = try ModelFile.inspect(path)
            if !seen.heading.isEmpty { print(seen.heading + "\n") }
            if let graph = seen.graph {
                if !seen.problems.isEmpty { print("What could be read:\n") }
                try show(graph)
            }
            for problem in seen.problems { Terminal.standardError.write("error: \(problem)\n") }
            if !seen.problems.isEmpty { throw ExitCode(1) }
        }
    }

    private func show(_ graph: Graph) throws {
        let shapes = try ShapeInference.shapes(of: graph, batch: 1)
        func sample(_ dims: some Sequence<Int>) -> String { "[N, " + dims.map(String.init).joined(separator: ", ") + "]" }
        print("inputs   " + graph.inputs.map { "\($0.name) \(sample($0.sampleShape.dims))" }.joined(separator: ", "))
        print("results  " + graph.outputs.map { "\($0) \(sample((shapes[$0]?.dims ?? []).dropFirst()))" }.joined(separator: ", "))
        print("\n" + (try graph.summary()) + "\n")
        var table = TextTable(["layer", "weight", "can be decomposed"])
        for (layer, reason) in try DecomposedModel.denseReasons(of: graph) {
            table.add([
                layer.name, layer.weightShape.dims.map(String.init).joined(separator: "×"), reason.map { "no: \($0)" } ?? "yes",
            ])
        }
        print(table.render())
    }
}
