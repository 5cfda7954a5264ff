#if canImport(Glibc)
    import Glibc
#endif

/// The names in a directory, for completing paths and for hints about mistyped ones.
package enum DirectoryListing {
    public struct Entry: Equatable, Sendable {
        public let name: String
        public let isDirectory: Bool
    }

    /// The entries in no particular order, without `.` and `..`; empty where the directory cannot be read.
    public static func entries(of path: String) -> [Entry] {
        guard FilePath.refusal(of: path) == nil else { return [] }
        guard let folder = try? PathOpening.open(path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY) else { return [] }
        return content(of: folder).map { name, kind in
            // Only a link has to be followed, or what a file system does not tell the kind of.
            let isDirectory =
                kind == Int32(DT_DIR)
                || (kind == Int32(DT_LNK) || kind == Int32(DT_UNKNOWN))
                    && PathOpening.isDirectory(path.isEmpty ? name : path + "/" + name)
            return Entry(name: name, isDirectory: isDirectory)
        }
    }

    /// The names in a directory that is open for reading, without `.` and `..`, and their kinds as `DT_DIR`.
    static func content(of folder: Descriptor) -> [(name: String, kind: Int32)] {
        // Closing the listing closes its descriptor, so it has one of its own.
        let copy = fcntl(folder.number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { return [] }
        guard let directory = fdopendir(copy) else {
            close(copy)
            return []
        }
        defer { closedir(directory) }
        var found: [(name: String, kind: Int32)] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(foreignCString: $0) }
            }
            if name != ".", name != ".." { found.append((name, Int32(entry.pointee.d_type))) }
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
}
