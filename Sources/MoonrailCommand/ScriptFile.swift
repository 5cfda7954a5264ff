import Basics
import Console
import LuaRuntime

#if canImport(Glibc)
    import Glibc
#endif

/// A script as a command line names it: a file, or `-` for standard input.
enum ScriptFile {
    /// The script as a function.
    /// - Throws: `ScriptFileFailure`; `LuaFailure` with the syntax error.
    static func load(_ path: String, in state: LuaState) throws -> LuaFunction {
        if path == "-" { return try state.load(fileAt: nil) }
        if FilePath.refusal(of: path) == nil, path.withForeignCString({ access($0, F_OK) }) != 0 {
            throw ScriptFileFailure.missing(path: path, nearest: DirectoryListing.nearest(to: path))
        }
        try FilePath.check(path)
        return try state.load(fileAt: path)
    }
}

enum ScriptFileFailure: Failure {
    case missing(path: String, nearest: String?)

    var code: String { "script.missing" }

    var description: String {
        switch self {
        case .missing(let path, let nearest):
            "no script '\(path)'" + didYouMean(nearest)
        }
    }
}
