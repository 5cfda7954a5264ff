import ArgumentParser
import Basics
import Console
import LuaBindings
import LuaRuntime
import Tensors

/// A Lua state with the toolkit in it, and the progress bars of this process.
struct CommandState {
    let state: LuaState
    let progress: ConsoleProgress

    /// - Parameter cage: the limits of its scripts; `nil` for none.
    init(_ options: SessionOptions, cage: CageOptions? = nil) throws {
        let progress = ConsoleProgress(isQuiet: options.quiet)
        // Text from scripts starts on a line of its own, not behind a bar.
        let open = LuaOptions(
            context: .standard, globals: .declaredByWriting,
            output: { text in
                progress.makeRoom()
                try StandardOutput.write(text)
            },
            warnings: { text in
                progress.makeRoom()
                Terminal.standardError.write("moonrail: \(text)\n")
            })
        let state = try LuaState(cage?.limiting(open) ?? open)
        if let limit = state.options.memoryLimit { MemoryLedger.limit = min(limit, MemoryLedger.limit) }
        self.state = state
        self.progress = progress
        if let count = options.threadCount { try Threads.use(count) }
        ProgressReport.show(with: progress)
        try Toolkit.install(in: state)
        // A stranger's script runs alone.
        if !state.options.isSandboxed { try reportingFailures(progress) { try InitialCode.run(in: state) } }
    }

    /// Runs a script; what it throws is reported on standard error.
    /// - Throws: `ExitCode` 1 after an error, 130 after Ctrl-C.
    func run(_ path: String, arguments: [String]) throws {
        try reportingFailures(progress) {
            let script = try ScriptFile.load(path, in: state)
            try prepare(path, arguments)
            Cancellation.clear()
            if let limit = state.options.timeLimit { InterruptSignal.endsProcess(afterSeconds: limit) }
            try script.call(with: arguments)
        }
    }

    /// Sets the global `arg`, and lets `require` find modules beside the script.
    private func prepare(_ path: String, _ arguments: [String]) throws {
        let arg = try state.table()
        // The program and its options stand before the script, as `lua` puts them.
        let words = CommandArguments.all
        for (position, word) in words.enumerated() { try arg.rawSet(position - (words.count - arguments.count - 1), word) }
        try arg.rawSet(0, path)
        try state.globals.rawSet("arg", arg)
        let directory = DirectoryListing.split(path).directory
        if !state.options.isSandboxed, !directory.isEmpty, let package = try state.globals.rawGet("package").table {
            let searched = try package.rawGet("path").string ?? ""
            try package.rawSet("path", "\(directory)?.lua;\(directory)?/init.lua;" + searched)
        }
    }
}
