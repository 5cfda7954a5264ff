import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// The lines typed at earlier prompts, one a line in a text file.
///
/// Every line is appended when it is entered, so that several prompts share the file and none loses anything when it
/// is killed. A history that cannot be read or written is not worth an error: the prompt then has none.
package struct HistoryFile {
    package static let longestHistory = 5000
    package let path: String?

    package init(path: String?) { self.path = path }

    /// The file that the environment names.
    package static func standard(application: String) -> HistoryFile {
        if let path = Terminal.environment("MOONRAIL_HISTORY") { return HistoryFile(path: path) }
        let base = Terminal.environment("XDG_STATE_HOME") ?? Terminal.environment("HOME").map { $0 + "/.local/state" }
        return HistoryFile(path: base.map { "\($0)/\(application)/history" })
    }

    /// The lines, oldest first. A file that has grown to twice its size is cut.
    package func load() -> [String] {
        guard let path, let bytes = try? AtomicFile.read(path, limit: 64 << 20) else { return [] }
        let lines = String(foreignBytes: bytes).split(separator: "\n").map(String.init)
        let kept = Array(lines.suffix(Self.longestHistory))
        if lines.count > 2 * Self.longestHistory {
            try? AtomicFile.write(path, text: kept.joined(separator: "\n") + "\n")
        }
        return kept
    }

    package func append(_ line: String) {
        guard let path else { return }
        try? AtomicFile.makeDirectory(DirectoryListing.split(path).directory)
        let number = path.withForeignCString { open($0, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600) }
        guard number >= 0 else { return }
        let file = Descriptor(number)
        // One call for the whole line, so that lines of two prompts do not mix.
        try? (line + "\n").withForeignBytes { try file.write($0, path: path) }
    }
}
