import Basics
import CEdit

/// One line from wherever the input comes.
package enum InputLine: Equatable {
    case text(String)
    /// The line was given up by Ctrl-C.
    case interrupted
    case end
}

/// Reads lines from a terminal, with editing, history and completion.
package final class LineEditor {
    private let complete: (String) -> Completer.Result
    private let history: HistoryFile
    private var lastLine: String?
    private var editor: OpaquePointer?

    /// - Parameter complete: gives what can follow the text before the cursor.
    /// `nil` where the terminal cannot be used.
    package init?(program: String, history: HistoryFile, complete: @escaping (String) -> Completer.Result) {
        self.complete = complete
        self.history = history
        let callbacks = CEditCallbacks(
            context: Unmanaged.passUnretained(self).toOpaque(),
            complete: { context, editor in
                guard let context, let editor else { return cedit_nothing }
                return Unmanaged<LineEditor>.fromOpaque(context).takeUnretainedValue().completeLine(editor)
            },
            isInterrupted: { Cancellation.isRequested ? 1 : 0 })
        editor = cedit_open(program, Int32(HistoryFile.longestHistory), callbacks)
        guard let editor else { return nil }
        for line in history.load() { cedit_remember(editor, line) }
    }

    deinit { if let editor { cedit_close(editor) } }

    package func readLine(prompt: String) -> InputLine {
        guard let editor else { return .end }
        var status = cedit_end
        let line = prompt.withForeignCString { cedit_read(editor, $0, &status).map { String(foreignCString: $0) } }
        switch status {
        case cedit_line:
            var text = line ?? ""
            while text.hasSuffix("\n") || text.hasSuffix("\r\n") { text.removeLast() }
            return .text(text)
        case cedit_interrupted: return .interrupted
        default: return .end
        }
    }

    /// Adds a line to the history, unless it is blank or the same as the one before.
    package func remember(_ line: String) {
        guard let editor, line.contains(where: { !$0.isWhitespace }), line != lastLine else { return }
        lastLine = line
        cedit_remember(editor, line)
        history.append(line)
    }

    private func completeLine(_ editor: OpaquePointer) -> CEditAction {
        var (count, cursor) = (0, 0)
        guard let bytes = cedit_text(editor, &count, &cursor) else { return cedit_nothing }
        let text = String(decoding: UnsafeRawBufferPointer(start: bytes, count: cursor), as: UTF8.self)
        // At the beginning of a line a Tab indents, as in pasted text.
        guard text.contains(where: { !$0.isWhitespace }) else {
            cedit_insert(editor, "    ")
            return cedit_refresh
        }
        let result = complete(text)
        if !result.insertion.isEmpty {
            cedit_insert(editor, result.insertion)
            return cedit_refresh
        }
        guard result.candidates.count > 1 else { return result.candidates.isEmpty ? cedit_beep : cedit_nothing }
        let output = Terminal.standardOutput
        output.write("\n" + Self.columns(result.candidates, width: output.columnCount) + "\n")
        return cedit_redisplay
    }

    /// Names in columns that read downwards.
    static func columns(_ names: [String], width: Int) -> String {
        let cell = (names.map(\.count).max() ?? 0) + 2
        let columnCount = max(1, width / cell)
        let rowCount = (names.count + columnCount - 1) / columnCount
        return (0..<rowCount).map { row in
            stride(from: row, to: names.count, by: rowCount).map { index in
                let isLast = index + rowCount >= names.count
                return names[index] + (isLast ? "" : String(repeating: " ", count: cell - names[index].count))
            }.joined()
        }.joined(separator: "\n")
    }
}
