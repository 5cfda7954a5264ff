import Console
import LuaRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// The loop of `moonrail lua -i`, as Lua's own interpreter has it. The one with help and completion is `moonrail repl`.
struct InterpreterPrompt {
    private let interpreter: Interpreter
    private var state: LuaState { interpreter.state }
    /// `nil` where standard input is no terminal.
    private let editor: LineEditor?

    init(_ interpreter: Interpreter) {
        self.interpreter = interpreter
        let isTerminal = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0
        editor =
            isTerminal
            ? LineEditor(program: "lua", history: HistoryFile(path: nil)) { _ in Completer.Result() } : nil
    }

    func run() {
        while let text = readLine(prompt: "_PROMPT", standard: "> ") {
            var values: [LuaValue] = []
            if interpreter.attempt(named: nil, { values = try chunk(text)() }), !values.isEmpty { show(values) }
        }
        Terminal.standardOutput.write("\n")
    }

    private func show(_ values: [LuaValue]) {
        do {
            // By Lua, whose words about a `print` that is none are the usual ones.
            try state.load("print(...)", name: "=stdin").call(with: values)
        } catch {
            Terminal.standardError.write("error calling 'print' (\(error))\n")
        }
    }

    /// The chunk that begins with `text`: an expression, or statements with as many more lines as they need.
    private func chunk(_ text: String) throws -> LuaFunction {
        var text = text.hasPrefix("=") ? "return " + text.dropFirst() : text
        if let expression = try? state.load("return \(text);", name: "=stdin") { return expression }
        while true {
            do {
                return try state.load(text, name: "=stdin")
            } catch let failure as LuaFailure where failure.isIncomplete {
                guard let more = readLine(prompt: "_PROMPT2", standard: ">> ") else { throw failure }
                text += "\n" + more
            }
        }
    }

    /// - Parameters:
    ///   - name: the global that holds the prompt.
    ///   - standard: the prompt where it holds none.
    private func readLine(prompt name: String, standard: String) -> String? {
        let given = (try? state.globals.get(name)) ?? .nil
        let prompt = given.isNil ? standard : (try? state.text(of: given)) ?? standard
        guard let editor else {
            // What is not typed is shown, as the line editor of Debian's `lua5.4` does, so that the output can be read.
            Terminal.standardOutput.write(prompt)
            let line = StandardInput.readLine()
            if let line { Terminal.standardOutput.write(line + "\n") }
            return line
        }
        while true {
            switch editor.readLine(prompt: prompt) {
            case .text(let line):
                editor.remember(line)
                return line
            case .interrupted: Terminal.standardOutput.write("^C\n")
            case .end: return nil
            }
        }
    }
}
