import ArgumentParser
import Basics
import Console
import LuaBindings
import Tensors

/// The command `moonrail`.
@main
struct RootCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "moonrail",
        abstract: "Compresses neural networks by tensor trains, scripted in Lua.",
        discussion: """
            Alone in a terminal, moonrail opens a prompt.

            EXAMPLES:
              moonrail                                    try things at a prompt
              moonrail run recipe.lua                     run a recipe
              moonrail run recipe.lua --keep 0.5          options after the file belong to the recipe
              moonrail run --quiet --threads 1 recipe.lua options before it belong to run
              moonrail repl setup.lua                     run a script, then prompt with its globals
              moonrail lua -l mr=moonrail program.lua     all as lua5.4 does it
              moonrail info model.onnx                    what is in a model, and what can be compressed
              moonrail convert model.onnx model.safetensors
              moonrail compress model.onnx --keep 0.4 --out small.onnx
              moonrail export --torch small.onnx --out small.py
              moonrail lib fit                            the source of model:fit, to read and copy
              moonrail meta types                         the API's description, for editors
              moonrail doctor                             what this machine offers, and whether it computes right

            ENVIRONMENT:
              MOONRAIL_THREADS      threads that kernels use (default: all processors)
              MOONRAIL_MAX_CPU_ISA  the most that Moonrail's own kernels use: BASELINE, AVX2 or AVX512_CORE
              DNNL_MAX_CPU_ISA      the most that oneDNN and Moonrail's own kernels use: SSE41, AVX, AVX2, AVX512_CORE, …
              OPENBLAS_CORETYPE     the processor whose kernels OpenBLAS uses, such as Haswell or SkylakeX
              MOONRAIL_HISTORY      the prompt's history file (default: ~/.local/state/moonrail/history)
              LUA_INIT_5_4, LUA_PATH_5_4, LUA_CPATH_5_4   as for lua5.4
              NO_COLOR              no colours
            """,
        version: "moonrail " + Toolkit.version,
        subcommands: [
            RunCommand.self, PromptCommand.self, LuaCommand.self, InfoCommand.self, ConvertCommand.self, CompressCommand.self,
            ExportCommand.self, LibraryCommand.self, MetaCommand.self, DoctorCommand.self,
        ],
        defaultSubcommand: PromptCommand.self)

    /// Runs the command line and exits: 0, 1 for what failed, 2 for a command line that makes no sense, 130 for
    /// Ctrl-C. Output that was lost, as on a full disk, is a failure too.
    static func main() {
        IdleThreads.restartWithShortSpin()
        let status = status()
        do {
            try StandardOutput.finish()
        } catch  where status.isSuccess {
            try? reportingFailures { throw error }
            exit(withError: ExitCode(1))
        } catch {
            // The failure that was reported is enough.
        }
        exit(withError: status)
    }

    private static func status() -> ExitCode {
        do {
            let words = CommandArguments.words
            if words.first == LuaCommand._commandName, !words.dropFirst().starts(with: ["--help"]) {
                // Lua's own rules for a command line are others than those of this one.
                try LuaCommand.run(Array(words.dropFirst()))
            } else {
                var command = try parseAsRoot(words)
                try command.run()
            }
            return .success
        } catch let status as ExitCode {
            return status
        } catch {
            let isHelp = exitCode(for: error).isSuccess
            let text = fullMessage(for: error)
            (isHelp ? Terminal.standardOutput : .standardError).write(text.isEmpty ? "" : text + "\n")
            return ExitCode(isHelp ? 0 : exitCode(for: error) == .validationFailure ? 2 : 1)
        }
    }
}
