#if canImport(Glibc)
    import Glibc
#endif

/// The names in a directory, for completing paths and for hints about mistyped ones.
public enum DirectoryListing {
    public struct Entry: Equatable, Sendable {
        public let name: String
        public let isDirectory: Bool
    }

    /// The entries in no particular order, without `.` and `..`; empty where the directory cannot be read.
    public static func entries(of path: String) -> [Entry] {
        guard FilePath.refusal(of: path) == nil else { return [] }
        let number = (path.isEmpty ? "." : path).withForeignCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard number >= 0 else { return [] }
        return names(in: number).map { name in
            Entry(name: name, isDirectory: isDirectory(path.isEmpty ? name : path + "/" + name))
        }
    }

    /// The names in an open directory, without `.` and `..`; the descriptor is closed.
    static func names(in descriptor: Int32) -> [String] {
        guard let directory = fdopendir(descriptor) else {
            close(descriptor)
            return []
        }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(foreignCString: $0) }
            }
            if name != ".", name != ".." { found.append(name) }
        }
        return found
    }

    /// The path beside a missing one whose name is nearest to it.
    public static func nearest(to path: String) -> String? {
        let (directory, name) = split(path)
        let names = entries(of: directory).filter { !$0.isDirectory }.map(\.name).sorted()
        return nearestName(to: name, among: names).map { directory + $0 }
    }

    /// `a/b/c` as `a/b/` and `c`.
    public static func split(_ path: String) -> (directory: String, name: String) {
        // Among scalars, because a mark that combines with a slash makes one character of the two.
        let scalars = path.unicodeScalars
        guard let slash = scalars.lastIndex(of: "/") else { return ("", path) }
        return (String(scalars[...slash]), String(scalars[scalars.index(after: slash)...]))
    }

    private static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return path.withForeignCString { stat($0, &info) } == 0 && info.st_mode & S_IFMT == S_IFDIR
    }
}
