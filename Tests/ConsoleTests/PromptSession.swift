import CommandTesting
import Glibc
import Testing

/// A prompt in a pseudo-terminal, and somebody who types at it.
final class PromptSession {
    private let terminal: Int32
    private let child: pid_t
    private var pending = ""
    private var hasEnded = false

    init(_ arguments: [String] = ["repl"], environment: [String: String] = [:], columnCount: UInt16 = 200) throws {
        // `posix_openpt` and its kin are for XOPEN sources only, so this is what they do: unlock the new terminal
        // (TIOCSPTLCK), ask for its number (TIOCGPTN).
        terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var isLocked: Int32 = 0
        var number: UInt32 = 0
        var size = winsize(ws_row: 24, ws_col: columnCount, ws_xpixel: 0, ws_ypixel: 0)
        try #require(
            ioctl(terminal, 0x4004_5431, &isLocked) == 0 && ioctl(terminal, 0x8004_5430, &number) == 0
                && ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0)
        let name = "/dev/pts/\(number)"
        // The leader of a new session gets the first terminal that it opens as its own, and Ctrl-C from there.
        child = try BuiltCommand.spawn(arguments, environment: environment, isSessionLeader: true) { actions in
            posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        }
        try expect("> ")
    }

    deinit {
        if !hasEnded {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
        close(terminal)
    }

    func type(_ keys: String) {
        var keys = keys
        keys.withUTF8 { _ = write(terminal, $0.baseAddress, $0.count) }
    }

    /// Types a line and waits for the next prompt.
    /// - Returns: what was shown between the echo of the line and that prompt.
    @discardableResult
    func enter(_ line: String, prompt: String = "\r\n> ") throws -> String {
        type(line + "\n")
        try expect(line + "\r\n", keepingNewline: true)
        return try expect(prompt)
    }

    /// Waits until `text` is shown.
    /// - Returns: what was shown before it.
    @discardableResult
    func expect(_ text: String, keepingNewline: Bool = false) throws -> String {
        while true {
            if let range = pending.unicodeScalars.firstRange(of: text.unicodeScalars) {
                let before = String(pending.unicodeScalars[..<range.lowerBound])
                pending = (keepingNewline ? "\r\n" : "") + String(pending.unicodeScalars[range.upperBound...])
                return before
            }
            try readMore("waiting for \(text.debugDescription)")
        }
    }

    /// Waits for the command to end.
    func end() throws -> Int32 {
        while (try? readMore("waiting for the end")) != nil {}
        hasEnded = true
        return try BuiltCommand.wait(for: child)
    }

    private func readMore(_ doing: String) throws {
        var poller = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, Int32(BuiltCommand.patienceSeconds * 1000)) == 1 else {
            throw BuiltCommand.Broken(what: "\(doing); shown so far: \(pending.debugDescription)")
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(terminal, &bytes, bytes.count)
        guard count > 0 else { throw BuiltCommand.Broken(what: "\(doing), the command ended: \(pending.debugDescription)") }
        pending += String(decoding: bytes[..<count], as: UTF8.self)
    }
}
