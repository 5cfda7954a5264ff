import ArgumentParser
import Console
import LuaBindings
import LuaRuntime
import Tensors

/// `moonrail repl [SCRIPT]`, and `moonrail` alone.
struct PromptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repl",
        abstract: "Opens a prompt for Lua; with SCRIPT, after running that.",
        discussion: """
            Values of expressions print themselves; a trailing ';' silences them and '_' is the last one. '?name' \
            explains, '??word' searches, Tab completes, Ctrl-R searches the history, Ctrl-C stops a computation and \
            Ctrl-D leaves. '?' tells the rest.

            Without a terminal, the chunks on standard input are run one after the other; the exit status is 1 if \
            any of them failed.
            """)

    @OptionGroup var options: SessionOptions

    @Argument(help: ArgumentHelp("A script to run first.", valueName: "SCRIPT"))
    var script: String?

    func run() throws {
        let session = try CommandState(options)
        InterruptSignal.stopsWork()
        try presetModule(in: session.state)
        let prompt = try REPL(session.state, progress: session.progress, services: services(session.state))
        if let script { try session.run(script, arguments: []) }
        let status = prompt.run()
        if status != 0 { throw ExitCode(status) }
    }

    private func services(_ state: LuaState) -> PromptServices {
        PromptServices(
            banner: "moonrail \(Toolkit.version) · ? tells more, ?name explains, Tab completes, Ctrl-D leaves",
            help: { Toolkit.help(for: $0, in: state) }, search: { Toolkit.search(for: $0, in: state) },
            optionKeys: { Toolkit.optionKeys(of: $0, inner: $1, in: state) },
            memory: {
                [
                    ("tensors", MemoryLedger.liveByteCount), ("tensors at most", MemoryLedger.peakByteCount),
                    ("kept for reuse", MemoryLedger.idleByteCount),
                ]
            },
            scriptHead: "local mr = require \"moonrail\"")
    }

    /// The prompt alone presets `mr`; scripts say `local mr = require "moonrail"`.
    private func presetModule(in state: LuaState) throws {
        guard let package = try state.globals.rawGet("package").table,
            let ready = try package.rawGet("preload").table, let loaded = try package.rawGet("loaded").table
        else { return }
        guard try !ready.rawGet("moonrail").isNil || !loaded.rawGet("moonrail").isNil else { return }
        try state.globals.rawSet("mr", state.require("moonrail"))
    }
}
