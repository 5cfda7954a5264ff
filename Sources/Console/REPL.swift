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
    private let services: PromptServices
    private let printer: ValuePrinter
    private let output = Terminal.standardOutput
    private let errors = Terminal.standardError
    private var isInteractive = false
    private var hasFailed = false
    /// The globals that were there before anybody typed: `:who` leaves them out.
    private let presetNames: Set<String>
    private var transcript = Transcript()
    /// The values of the last expressions, newest first: `_1`, `_2`, ….
    private var kept: [LuaValue] = []
    private var lastElapsedSeconds = 0.0

    static let prompt = "> "
    static let continuationPrompt = ">> "
    /// Commands that took longer than this tell how long.
    private static let notableSeconds = 0.1

    public init(_ state: LuaState, progress: ConsoleProgress? = nil, services: PromptServices = PromptServices()) throws {
        self.state = state
        self.progress = progress
        self.services = services
        printer = try ValuePrinter(state)
        presetNames = Set(try state.globals.fields().map(\.name))
    }

    /// Runs until the input ends.
    /// - Returns: the exit status: 0; without a terminal 1 after any error, and 130 after Ctrl-C.
    public func run() -> Int32 {
        if isatty(STDIN_FILENO) != 0, isatty(STDOUT_FILENO) != 0 {
            let completer = Completer(state, optionKeys: services.optionKeys)
            let history = HistoryFile.standard(application: "moonrail")
            if let editor = LineEditor(program: "moonrail", history: history, complete: completer.complete) {
                isInteractive = true
                if !services.banner.isEmpty { output.write(services.banner + "\n") }
                readChunks(remember: editor.remember) { editor.readLine(prompt: $0) }
                return 0
            }
        }
        readChunks(remember: { _ in }) { _ in StandardInput.readLine().map(InputLine.text) ?? .end }
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
        switch PromptLine(line) {
        case .lua: return nil
        case .nothing: break
        case .help(let name): show(help(name))
        case .search(let word): show(found(word))
        case .unknown(let word): complain(ScriptFailure(code: "console.unknownCommand", ColonCommand.hint(for: word)))
        case .command(.quit, _): return false
        case .command(.help, _): show(Self.usage)
        case .command(.who, _): show(ownGlobals())
        case .command(.mem, _): show(memoryTable())
        case .command(.time, let text): runTimed(text)
        case .command(.save, let path): save(to: path)
        }
        return true
    }

    private static let usage = """
        An expression prints its value; ';' at the end silences it.
        '_' is the last value, '_1' as well, '_2' the one before it, up to '_9'.
        ?name explains a name or a topic, ??word searches all of them.
        Tab completes, Ctrl-R searches the history.
        Input goes on while it is incomplete; Ctrl-C drops it, or stops what is running.
        'local' at the beginning of an input is left out, so that its names stay.
        :time EXPRESSION  runs it and tells how long that took; alone, of the last one
        :mem              shows how much memory is in use
        :who              lists what you have defined
        :save FILE        writes what ran in this session as a script
        :quit             leaves, as Ctrl-D does
        """

    // MARK: Running

    /// Runs the lines where they are a whole chunk.
    /// - Returns: whether they were, so that the next line begins a new one.
    private func runChunk(_ lines: [String], isTimed: Bool = false) -> Bool {
        // A bar of what an error or Ctrl-C ended would stand before every later one until it is collected.
        defer { progress?.reset() }
        let start = ConsoleProgress.monotonicSeconds()
        let text = lines.joined(separator: "\n")
        do {
            switch try InputChunk(text, in: state) {
            case .incomplete: return false
            case .statements(let function):
                try function()
                transcript.add(.statements(text))
            case .expression(let function, let isSilent):
                let hasValue = try runExpression(function, isSilent: isSilent)
                let plain = isSilent ? InputChunk.withoutSemicolon(text) : text
                let isCall = (try? state.load(plain, name: InputChunk.name)) != nil
                transcript.add(
                    hasValue ? .expression(plain, isSilent: isSilent, isCall: isCall) : .statements(plain))
            }
        } catch {
            complain(error, lineCount: lines.count)
        }
        lastElapsedSeconds = ConsoleProgress.monotonicSeconds() - start
        if isTimed || (isInteractive && lastElapsedSeconds > Self.notableSeconds) { showTime() }
        return true
    }

    /// - Returns: whether there was a value; a call such as that of `print` has none.
    private func runExpression(_ function: LuaFunction, isSilent: Bool) throws -> Bool {
        let values = try function()
        guard let first = values.first else { return false }
        if !first.isNil { try keep(first) }
        if !isSilent { show(try printer.text(of: values)) }
        return true
    }

    /// Sets `_` and moves `_1`, `_2`, … on.
    private func keep(_ value: LuaValue) throws {
        kept.insert(value, at: 0)
        if kept.count > Transcript.keptCount { kept.removeLast() }
        let globals = try state.globals
        try globals.rawSet("_", value)
        for (name, value) in zip(Transcript.keptNames, kept) { try globals.rawSet(name, value) }
    }

    private func runTimed(_ text: String) {
        if text.isEmpty { return showTime() }
        if !runChunk([text], isTimed: true) {
            complain(ScriptFailure(code: "console.incomplete", ":time takes one whole chunk on its line, and this one goes on"))
        }
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
        output.write(text + "\n")
    }

    private func showTime() {
        progress?.makeRoom()
        let elapsed = lastElapsedSeconds
        let time =
            elapsed < 0.1
            ? DecimalText.significant(1e3 * elapsed) + " ms"
            : elapsed < 1 ? DecimalText.fixed(elapsed, 2) + " s" : ProgressLine.timeText(elapsed)
        let memory = services.memory().first.map { ", " + DecimalText.bytes($0.byteCount) } ?? ""
        output.write(TextStyle.faint.apply(to: "(" + time + memory + ")", where: output.usesColor) + "\n")
    }

    private func help(_ name: String) -> String {
        if name.isEmpty { return Self.usage + (services.help("").map { "\n\n" + $0 } ?? "") }
        // What the user has defined hides what has its name elsewhere.
        let isOwn = !presetNames.contains(name) && (try? state.globals.rawGet(name).isNil) == false
        return (isOwn ? nil : services.help(name)) ?? ValueDescription(state).text(of: name)
            ?? "nothing is known about '\(name)'; ??\(name) searches"
    }

    private func found(_ word: String) -> String {
        if word.isEmpty { return "??word searches names and texts for a word" }
        let lines = services.search(word)
        return lines.isEmpty ? "nothing mentions '\(word)'" : lines.joined(separator: "\n")
    }

    /// Each global of the session with a short form of its value.
    private func ownGlobals() -> String {
        let fields = ((try? state.globals.fields()) ?? []).sorted { $0.name < $1.name }
        var table = TextTable(["name", "value"])
        var isEmpty = true
        for (name, value) in fields where !presetNames.contains(name) && !name.hasPrefix("_") {
            let text = (try? printer.text(of: value)) ?? "?"
            var line = String(text.prefix { $0 != "\n" })
            // The first line of a report, such as the heading of a table, does not say what it is of.
            if let kind = value.object?.typeName, line != text, !line.hasPrefix(kind) { line = kind }
            table.add([name, line.count > 60 ? line.prefix(59) + "…" : line + (line.count < text.count ? " …" : "")])
            isEmpty = false
        }
        return isEmpty ? "nothing yet" : table.render()
    }

    private func memoryTable() -> String {
        var table = TextTable(["memory", "in use"])
        for entry in services.memory() { table.add([entry.name, DecimalText.bytes(entry.byteCount)]) }
        table.add(["Lua", DecimalText.bytes(state.heapByteCount)])
        return table.render()
    }

    private func save(to path: String) {
        do {
            guard !path.isEmpty else { throw ScriptFailure(code: "console.noPath", ":save needs the name of a file, such as session.lua") }
            try AtomicFile.write(path, text: transcript.script(head: services.scriptHead))
            show("wrote \(path): \(transcript.entries.count) input\(transcript.entries.count == 1 ? "" : "s")")
        } catch {
            complain(error)
        }
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
