import ArgumentParser
import Console
import LuaRuntime

/// `moonrail compress MODEL --keep 0.4 --out FILE`: the way without a script, which is a short script itself.
struct CompressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compress",
        abstract: "Compresses a model to a budget.",
        discussion: """
            Layers share the budget evenly and nothing is tuned, so no data are needed; a recipe that scores layers and \
            tunes the model loses less (see scripts/recipes).

            EXAMPLE:
              moonrail compress model.onnx --keep 0.4 --out small.onnx
            """)

    @Argument(help: ArgumentHelp("The model: .onnx, or safetensors that Moonrail saved.", valueName: "MODEL"))
    var model: String

    @Option(help: ArgumentHelp("The share of the parameters to keep.", valueName: "SHARE"))
    var keep: Double

    @Option(help: ArgumentHelp("The file to write: .onnx or .safetensors.", valueName: "FILE"))
    var out: String

    @OptionGroup var options: SessionOptions

    private static let script = """
        local mr = require "moonrail"
        local path, keep, out = ...
        local model = mr.load(path)
        local plan = mr.plan(model, { budget = { params = tonumber(keep) }, policy = "uniform" })
        local small = model:compress(plan)
        small:note("plan", { policy = plan.policy, keep_params = plan.keep_params, keep_macs = plan.keep_macs })
        small:save(out)
        print(plan)
        """

    func validate() throws {
        guard keep > 0, keep <= 1 else { throw ValidationError("--keep must lie in 0…1, got \(keep).") }
        guard out.hasSuffix(".onnx") || out.hasSuffix(".safetensors") else {
            throw ValidationError("The name of --out must end in .onnx or .safetensors, got '\(out)'.")
        }
    }

    func run() throws {
        let session = try Session(options)
        Interrupts.stopScriptThenProcess()
        try reportingFailures {
            try session.state.run(Self.script, name: "compress", arguments: [model, "\(keep)", out])
        }
    }
}
