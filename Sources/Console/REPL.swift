import Basics
public import LuaRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// Reads Lua, runs it, prints what it is worth, and again.
///
/// In a terminal it edits lines and goes on after errors. Without one it reads chunks from standard input, as if each
/// had been typed, goes on after errors too, and ends with status 1 if there were any.
///
/// The state comes configured: the REPL knows nothing of what is in it. SIGINT must already ask for `Cancellation`.
public final class REPL {
    private let state: LuaState
    private let progress: ConsoleProgress?
    private let banner: String
    private let help: (String) -> String?
    private let optionKeys: (String) -> [String]
    private let printer: ValuePrinter
    private let output = Terminal.standardOutput
    private let errors = Terminal.standardError
    private var isInteractive = false
    private var hasFailed = false

    static let prompt = "> "
    static let continuationPrompt = ">> "
    /// Commands that took longer than this tell how long.
    private static let notableSeconds = 0.1

    /// - Parameters:
    ///   - help: the documentation of a name, for `?name`; `nil` where it has none.
    ///   - optionKeys: the keys of a function's table of options, for completion.
    public init(
        _ state: LuaState, progress: ConsoleProgress? = nil, banner: String = "",
        help: @escaping (String) -> String? = { _ in nil }, optionKeys: @escaping (String) -> [String] = { _ in [] }
    ) throws {
        self.state = state
        self.progress = progress
        self.banner = banner
        self.help = help
        self.optionKeys = optionKeys
        printer = try ValuePrinter(state)
    }

    /// Runs until the input ends.
    /// - Returns: the exit status: 0; without a terminal 1 after any error, and 130 after Ctrl-C.
    public func run() -> Int32 {
        if isatty(STDIN_FILENO) != 0, isatty(STDOUT_FILENO) != 0 {
            let completer = Completer(state, optionKeys: optionKeys)
            let history = HistoryFile.standard(application: "moonrail")
            if let editor = LineEditor(program: "moonrail", history: history, complete: completer.complete) {
                isInteractive = true
                if !banner.isEmpty { output.write(banner + "\n") }
                readChunks(remember: editor.remember) { editor.readLine(prompt: $0) }
                return 0
            }
        }
        readChunks(remember: { _ in }) { _ in Swift.readLine().map(InputLine.text) ?? .end }
        fflush(nil)
        return Cancellation.isRequested ? 130 : hasFailed ? 1 : 0
    }

    // MARK: Reading

    private func readChunks(remember: (String) -> Void, readLine: (String) -> InputLine) {
        var pending: [String] = []
        while true {
            Cancellation.clear()
            switch readLine(pending.isEmpty ? Self.prompt : Self.continuationPrompt) {
            case .end:
                if isInteractive { output.write("\n") } else if !pending.isEmpty { runIncomplete(pending) }
                return
            case .interrupted:
                output.write("^C\n")
                pending = []
            case .text(let line):
                remember(line)
                if pending.isEmpty, let goesOn = runCommand(line) {
                    if goesOn { continue }
                    return
                }
                pending.append(line)
                if runChunk(pending) { pending = [] }
                if Cancellation.isRequested, !isInteractive { return }
            }
        }
    }

    /// Runs a line that is no Lua: `?name`, `:quit`, or nothing.
    /// - Returns: whether to go on; `nil` where it is Lua.
    private func runCommand(_ line: String) -> Bool? {
        let text = line.trimmed
        if text.isEmpty { return true }
        if text.hasPrefix("?") {
            let name = text.dropFirst().trimmed
            show(name.isEmpty ? Self.usage : help(name) ?? ValueDescription(state).text(of: name)
                ?? "nothing is known about '\(name)'")
            return true
        }
        guard text.hasPrefix(":"), !text.hasPrefix("::") else { return nil }
        switch text {
        case ":q", ":quit", ":exit": return false
        case ":h", ":help": show(Self.usage)
        default: complain(ScriptFailure(code: "console.unknownCommand", "unknown command \(text); there are :help and :quit"))
        }
        return true
    }

    private static let usage = """
        An expression prints its value; ';' at the end silences it, and '_' is the last one.
        ?name explains a name, Tab completes one, Ctrl-R searches the history.
        Input goes on while it is incomplete; Ctrl-C drops it, or stops what is running.
        'local' at the beginning of an input is left out, so that what it names is still there at the next.
        :quit or Ctrl-D leaves.
        """

    // MARK: Running

    /// Runs the lines where they are a whole chunk.
    /// - Returns: whether they were, so that the next line begins a new one.
    private func runChunk(_ lines: [String]) -> Bool {
        let start = ConsoleProgress.monotonicSeconds()
        do {
            switch try InputChunk(lines.joined(separator: "\n"), in: state) {
            case .incomplete: return false
            case .statements(let function): try function()
            case .expression(let function, let isSilent): try runExpression(function, isSilent: isSilent)
            }
        } catch {
            complain(error, lineCount: lines.count)
        }
        showTime(since: start)
        return true
    }

    private func runExpression(_ function: LuaFunction, isSilent: Bool) throws {
        let values = try function()
        guard let first = values.first else { return }
        if !first.isNil { try state.globals.rawSet("_", first) }
        if !isSilent { show(try printer.text(of: values)) }
    }

    /// The input ended in the middle of a chunk: says what is missing.
    private func runIncomplete(_ lines: [String]) {
        do {
            try state.load(lines.joined(separator: "\n"), name: InputChunk.name)()
        } catch {
            complain(error, lineCount: lines.count)
        }
    }

    // MARK: Showing

    private func show(_ text: String) {
        progress?.makeRoom()
        print(text)
        if isInteractive { fflush(nil) }
    }

    private func showTime(since start: Double) {
        let elapsed = ConsoleProgress.monotonicSeconds() - start
        guard isInteractive, elapsed > Self.notableSeconds else { return }
        progress?.makeRoom()
        let text = "(" + (elapsed < 1 ? DecimalText.fixed(elapsed, 2) + " s" : ProgressLine.timeText(elapsed)) + ")"
        output.write(TextStyle.faint.apply(to: text, where: output.usesColor) + "\n")
    }

    private func complain(_ error: any Error, lineCount: Int = 1) {
        hasFailed = true
        progress?.makeRoom()
        if (error as? LuaFailure)?.isInterrupted ?? (error is Interrupted) {
            // The terminal has just shown `^C` there.
            let text = TextStyle.error.apply(to: "interrupted", where: errors.usesColor) + "\n"
            return errors.write(isInteractive ? "\n" + text : text)
        }
        let report = ErrorReport(error) { $0 == InputChunk.name || ErrorReport.isFile($0) }
        let shown = lineCount == 1 ? report.withoutPlace(chunk: InputChunk.name) : report
        errors.write(shown.text(usesColor: errors.usesColor))
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    fileprivate var trimmed: String {
        func isSpace(_ character: Character) -> Bool { character.isWhitespace }
        var rest = self[...].drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return String(rest)
    }
}
