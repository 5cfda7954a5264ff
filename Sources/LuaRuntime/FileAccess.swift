import Basics

#if canImport(Glibc)
    import Glibc
#endif

/// Which files a state's scripts may name to functions that read and write for them.
struct FileAccess {
    /// The real paths of what is allowed; `nil` where everything is.
    private let roots: [String]?
    private let given: [String]

    init(_ options: LuaOptions) {
        given = options.allowedPaths ?? []
        roots = options.allowedPaths.map { $0.compactMap(Self.real) } ?? (options.isSandboxed ? [] : nil)
    }

    /// Why `path` is refused; `nil` where it is allowed. Links and `..` are followed first, as opening it would.
    func refusal(of path: String) -> String? {
        if let reason = FilePath.refusal(of: path) { return "must be the path of a file, but \(reason)" }
        guard let roots else { return nil }
        if let real = Self.real(path), roots.contains(where: { Self.isInside(real, $0) }) { return nil }
        if given.isEmpty { return "names a file, and this host allows none, got '\(path)'" }
        return "must lie in \(given.joined(separator: " or ")), got '\(path)'"
    }

    private static func isInside(_ path: String, _ root: String) -> Bool {
        path == root || path.hasPrefix(root == "/" ? root : root + "/")
    }

    /// The path without links, `.` and `..`; what is not there yet stands behind the part that is.
    private static func real(_ path: String) -> String? {
        if let found = realpath(path, nil) {
            defer { free(found) }
            return String(cString: found)
        }
        var rest = path
        while rest.count > 1, rest.hasSuffix("/") { rest.removeLast() }
        let slash = rest.lastIndex(of: "/")
        let name = slash.map { String(rest[rest.index(after: $0)...]) } ?? rest
        // A link that leads nowhere could be given a target outside before the file is opened.
        var info = stat()
        guard !name.isEmpty, name != ".", name != "..", lstat(rest, &info) != 0 else { return nil }
        let parent = slash.map { $0 == rest.startIndex ? "/" : String(rest[..<$0]) } ?? "."
        return real(parent).map { $0 == "/" ? "/" + name : $0 + "/" + name }
    }
}
