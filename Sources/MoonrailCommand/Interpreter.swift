import ArgumentParser
import Basics
import Console
import LuaBindings
import LuaRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// One run of Lua's interpreter.
struct Interpreter {
    private let line: InterpreterLine
    private let words: [String]
    let state: LuaState
    /// What messages begin with: the name that the program was called by, where that is Lua's.
    private static let name = CommandArguments.isInterpreter ? CommandArguments.all[0] : "lua"

    /// - Throws: `ExitCode` where the command line makes no sense.
    init(_ words: [String]) throws {
        self.words = words
        do {
            line = try InterpreterLine(words)
        } catch {
            Self.showUsage(error)
            throw ExitCode(1)
        }
        state = try LuaState(
            LuaOptions(
                context: .standard, ignoresEnvironment: line.ignoresEnvironment,
                output: { try StandardOutput.write($0) },
                warnings: { Terminal.standardError.write("Lua warning: " + $0 + "\n") }))
        ProgressReport.show(with: ConsoleProgress(isQuiet: false))
        try Toolkit.install(in: state)
        state.setWarnings(areShown: false)
    }

    /// - Returns: whether all of it succeeded.
    func run() -> Bool {
        InterruptSignal.stopsWorkThenProcess()
        defer { state.close() }
        if line.showsVersion { Self.showVersion() }
        guard attempt({ try setArguments() }),
            line.ignoresEnvironment || attempt({ try InitialCode.run(in: state) }),
            line.actions.allSatisfy({ action in attempt { try perform(action) } })
        else { return false }
        if let script = line.script, !attempt({ try runScript(script) }) { return false }
        if line.isInteractive {
            InterpreterPrompt(self).run()
        } else if line.script == nil, !line.hasStatements, !line.showsVersion {
            guard isatty(STDIN_FILENO) != 0 else { return attempt { try state.load(fileAt: nil)() } }
            Self.showVersion()
            InterpreterPrompt(self).run()
        }
        return true
    }

    // MARK: Pieces

    /// The table `arg`: the script at 0, its arguments behind it, everything else before.
    private func setArguments() throws {
        let all = CommandArguments.all
        // Options begin behind the name of the program, or of the command.
        let script = line.script.map { all.count - words.count + $0 } ?? 0
        let table = try state.table()
        for (position, word) in all.enumerated() { try table.rawSet(position - script, word) }
        try state.globals.rawSet("arg", table)
    }

    private func perform(_ action: InterpreterLine.Action) throws {
        switch action {
        case .warn: state.setWarnings(areShown: true)
        case .run(let text): try state.load(text, name: "=(command line)")()
        case .require(let module, let global): try state.globals.set(global, state.require(module))
        }
    }

    private func runScript(_ position: Int) throws {
        let isInput = words[position] == "-" && (position == 0 || words[position - 1] != "--")
        let chunk = try state.load(fileAt: isInput ? nil : words[position])
        // A statement before the script may have changed them.
        guard let arguments = try state.globals.rawGet("arg").table else {
            throw ScriptFailure(code: "lua.noArguments", "'arg' is not a table")
        }
        try chunk.call(with: (0..<arguments.length()).map { try arguments.rawGet($0 + 1) })
    }

    /// Runs `body`; an error is told as `lua` does.
    func attempt(named name: String? = Interpreter.name, _ body: () throws -> Void) -> Bool {
        Cancellation.clear()
        do {
            try body()
            return true
        } catch {
            Terminal.standardError.write((name.map { $0 + ": " } ?? "") + Self.text(of: error) + "\n")
            return false
        }
    }

    private static func text(of error: any Error) -> String {
        guard let failure = error as? LuaFailure else { return String(describing: error) }
        return failure.interpreterMessage
    }

    private static func showVersion() {
        Terminal.standardOutput.write(LuaState.copyright + "\n")
    }

    private static func showUsage(_ mistake: any Error) {
        let words =
            switch mistake as? InterpreterLine.Mistake {
            case .missingArgument(let option): "'\(option)' needs argument"
            case .unknownOption(let option): "unrecognized option '\(option)'"
            case nil: String(describing: mistake)
            }
        Terminal.standardError.write(
            """
            \(name): \(words)
            usage: \(name) [options] [script [args]]
            Available options are:
              -e stat   execute string 'stat'
              -i        enter interactive mode after executing 'script'
              -l mod    require library 'mod' into global 'mod'
              -l g=mod  require library 'mod' into global 'g'
              -v        show version information
              -E        ignore environment variables
              -W        turn warnings on
              --        stop handling options
              -         stop handling options and execute stdin

            """)
    }
}
