import Basics
import Console

#if canImport(Glibc)
    import Glibc
#endif

/// The text of a script.
enum ScriptFile {
    static func text(of path: String) throws -> String {
        let bytes: [UInt8]
        do {
            bytes = try AtomicFile.read(path, limit: 64 << 20)
        } catch where access(path, F_OK) != 0 {
            throw ScriptFileFailure.missing(path: path, nearest: DirectoryListing.nearest(to: path))
        }
        guard !bytes.starts(with: [0x1B]) else { throw ScriptFileFailure.binary(path: path) }
        let text = String(decoding: bytes, as: UTF8.self)
        // A first line `#!…` is for the shell; as a comment it keeps the numbers of the lines below.
        return text.hasPrefix("#") ? "--" + text : text
    }
}

enum ScriptFileFailure: Failure {
    case missing(path: String, nearest: String?)
    case binary(path: String)

    var code: String {
        switch self {
        case .missing: "script.missing"
        case .binary: "script.binary"
        }
    }

    var description: String {
        switch self {
        case .missing(let path, let nearest):
            "no script '\(path)'" + (nearest.map { " (did you mean '\($0)'?)" } ?? "")
        case .binary(let path): "\(path) is a compiled chunk; scripts are text"
        }
    }
}
