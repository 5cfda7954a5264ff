#if canImport(Glibc)
    import Glibc
#endif

/// A file could not be read or written.
public enum FileFailure: Failure {
    case cannotRead(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    case tooLarge(path: String, byteCount: Int, limit: Int)
    /// The path is none that the system could open as it stands.
    case invalidPath(path: String, reason: String)

    public var code: String {
        switch self {
        case .cannotRead: "file.cannotRead"
        case .cannotWrite: "file.cannotWrite"
        case .tooLarge: "file.tooLarge"
        case .invalidPath: "file.invalidPath"
        }
    }
    public var description: String {
        switch self {
        case .cannotRead(let path, let reason): "cannot read \(path): \(reason)"
        case .cannotWrite(let path, let reason): "cannot write \(path): \(reason)"
        case .tooLarge(let path, let bytes, let limit):
            "cannot read \(path): it has \(bytes) bytes, more than the limit of \(limit)"
        case .invalidPath(let path, let reason): "'\(FilePath.shown(path))' is no path of a file: \(reason)"
        }
    }

    /// A failure to write for the reason that the system gives in `errno`.
    static func unwritable(_ path: String, error: Int32 = errno) -> FileFailure {
        .cannotWrite(path: path, reason: String(cString: strerror(error)))
    }

    static func unwritable(_ path: String, _ error: OpeningError) -> FileFailure { .cannotWrite(path: path, reason: error.reason) }

    /// A failure to read for the reason that the system gives in `errno`.
    static func unreadable(_ path: String, error: Int32 = errno) -> FileFailure {
        .cannotRead(path: path, reason: String(cString: strerror(error)))
    }

    static func unreadable(_ path: String, _ error: OpeningError) -> FileFailure { .cannotRead(path: path, reason: error.reason) }
}

/// The rule that a text must keep before it is handed to the system as a path.
package enum FilePath {
    /// The longest path in bytes: Linux's PATH_MAX without the byte that ends it.
    public static let byteLimit = 4095

    /// Why `path` is no path: the system would cut it at a NUL byte and so open another file than the text names.
    /// `nil` where it may be opened.
    public static func refusal(of path: String) -> String? {
        if path.utf8.contains(0) { return "it has a NUL byte" }
        let count = path.withForeignBytes(\.count)
        return count > byteLimit ? "it has \(count) bytes, more than the \(byteLimit) of the longest path" : nil
    }

    /// Whether a path begins at the root, byte by byte as the system sees it.
    package static func isAbsolute(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "/") }

    /// - Throws: `FileFailure.invalidPath`.
    package static func check(_ path: String) throws {
        if let reason = refusal(of: path) { throw FileFailure.invalidPath(path: path, reason: reason) }
    }

    /// The path as an error shows it: NUL bytes visible, and not longer than anybody reads.
    fileprivate static func shown(_ path: String) -> String {
        let start = path.prefix(100)
        return start.split(separator: "\0", omittingEmptySubsequences: false).joined(separator: "\\0")
            + (start.endIndex == path.endIndex ? "" : "…")
    }
}
