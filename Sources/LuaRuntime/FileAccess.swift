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
        // Byte by byte: the system tells apart names that are one to a String because they differ only in their normal form.
        path.utf8.elementsEqual(root.utf8) || path.utf8.starts(with: (root.utf8.count == 1 ? root : root + "/").utf8)
    }

    /// The path without links, `.` and `..`; what is not there yet stands behind the part that is.
    private static func real(_ path: String) -> String? {
        if let found = path.withForeignCString({ realpath($0, nil) }) {
            defer { free(found) }
            return String(foreignCString: found)
        }
        var scalars = path.unicodeScalars
        while scalars.count > 1, scalars.last == "/" { scalars.removeLast() }
        let rest = String(scalars)
        let (folder, name) = DirectoryListing.split(rest)
        // A link that leads nowhere could be given a target outside before the file is opened.
        var info = stat()
        guard !name.isEmpty, name != ".", name != "..", rest.withForeignCString({ lstat($0, &info) }) != 0 else { return nil }
        return real(folder.isEmpty ? "." : folder).map { $0.utf8.count == 1 ? "/" + name : $0 + "/" + name }
    }
}
