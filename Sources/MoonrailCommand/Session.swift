import ArgumentParser
import Basics
import Console
import LuaBindings
import LuaRuntime
import Tensors

/// A Lua state with the toolkit in it, and the progress bars of this process.
struct Session {
    let state: LuaState
    let progress: ConsoleProgress

    init(_ options: SessionOptions) throws {
        let progress = ConsoleProgress(isQuiet: options.quiet)
        // Text from scripts starts on a line of its own, not behind a bar.
        let state = try LuaState(
            LuaOptions(
                context: .standard, globals: .declaredByWriting,
                output: { text in
                    progress.makeRoom()
                    try StandardOutput.write(text)
                },
                warnings: { text in
                    progress.makeRoom()
                    Terminal.standardError.write("moonrail: \(text)\n")
                }))
        self.state = state
        self.progress = progress
        if let count = options.threadCount { try Threads.use(count) }
        Progress.show(with: progress)
        try Toolkit.install(in: state)
        try reportingFailures(progress) { try InitialCode.run(in: state) }
    }

    /// Runs a script; what it throws is reported on standard error.
    /// - Throws: `ExitCode` 1 after an error, 130 after Ctrl-C.
    func run(_ path: String, arguments: [String]) throws {
        try reportingFailures(progress) {
            let script = try ScriptFile.load(path, in: state)
            try prepare(path, arguments)
            Cancellation.clear()
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
        if !directory.isEmpty, let package = try state.globals.rawGet("package").table {
            let searched = try package.rawGet("path").string ?? ""
            try package.rawSet("path", "\(directory)?.lua;\(directory)?/init.lua;" + searched)
        }
    }
}
