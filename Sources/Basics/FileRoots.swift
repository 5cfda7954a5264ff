#if canImport(Glibc)
    import Glibc
#endif

/// The files and folders that may be reached, as a script's host allows them: each file must be one of them or lie beneath.
///
/// They are opened once, when this is made, and what is opened later is opened relative to them (`open_beneath`), so that
/// a link that somebody exchanges in between leads nowhere else. Names are compared byte by byte, as the system does:
/// two that differ only in their normal form are one `String`, but two files.
///
/// A thread has the roots of the interpreter that runs on it (`WorkingThread.roots`), and `PathOpening` asks for them.
package final class FileRoots: Sendable {
    /// One that is allowed.
    private struct Root {
        /// Everything beneath this is allowed, or where there is a name, only what bears it.
        let folder: Descriptor
        let name: [UInt8]?
        /// The parts of the paths that lead here: as it was given, and without links.
        let paths: [[[UInt8]]]

        /// `nil` where the folder that it should lie in is not there.
        init?(_ path: String) {
            guard FilePath.refusal(of: path) == nil, let real = FileRoots.real(path, followsLast: true) else { return nil }
            paths = [path, real].compactMap(FileRoots.parts)
            let flags = O_DIRECTORY | O_CLOEXEC | PathOpening.placeOnly
            let own = real.withForeignCString { Glibc.open($0, flags) }
            if own >= 0 {
                (folder, name) = (Descriptor(own), nil)
                return
            }
            let (directory, last) = DirectoryListing.split(real)
            let around = directory.withForeignCString { Glibc.open($0, flags) }
            guard around >= 0 else { return nil }
            (folder, name) = (Descriptor(around), last.foreignBytes)
        }

        func open(_ rest: ArraySlice<[UInt8]>, _ flags: Int32, mode: mode_t, walks: Bool) throws(OpeningError) -> Descriptor {
            let inner = Array(rest.joined(separator: [UInt8(ascii: "/")]))
            guard let name else { return try PathOpening.open(inner, beneath: folder, flags, mode: mode, walks: walks) }
            // What is beside the one name is not allowed, so that a link under it leads out.
            if rest.isEmpty {
                return try PathOpening.open(name, beneath: folder, flags | O_NOFOLLOW, mode: mode, walks: walks)
            }
            let own = try PathOpening.open(
                name, beneath: folder, PathOpening.placeOnly | O_DIRECTORY | O_NOFOLLOW, walks: walks)
            return try PathOpening.open(inner, beneath: own, flags, mode: mode, walks: walks)
        }
    }

    private let roots: [Root]
    /// As the host wrote them.
    private let given: [String]
    private let walks: Bool

    /// - Parameters:
    ///   - paths: files and folders; one that is not there yet may be made later, if the folder around it is there.
    ///   - walks: whether the way for kernels without openat2 is taken in any case.
    package init(_ paths: [String], walks: Bool = false) {
        (roots, given, self.walks) = (paths.compactMap { Root($0) }, paths, walks)
    }

    /// The roots of the calling thread; `nil` where it may reach everything.
    package static var current: FileRoots? { WorkingThread.current.roots }

    /// Lets the calling thread reach only these while `body` runs.
    package func confine<Result>(_ body: () throws -> Result) rethrows -> Result {
        let thread = WorkingThread.current
        return try withExtendedLifetime(self) {
            try thread.work(for: thread.context, within: self, collector: thread.collector, body)
        }
    }

    // MARK: Asking before

    /// Why an argument that is a path is refused; `nil` where it is not. Asked by name, for a message that says which
    /// argument it was: what holds is decided when the file is opened.
    package static func refusal(of path: String, within roots: FileRoots?) -> String? {
        if let reason = FilePath.refusal(of: path) { return "must be the path of a file, but \(reason)" }
        guard let roots, !roots.covers(path) else { return nil }
        if roots.given.isEmpty { return "names a file, and this host allows none, got '\(path)'" }
        return "must lie in \(roots.given.joined(separator: " or ")), got '\(path)'"
    }

    /// Whether the calling thread may reach what `path` names now, or would name once it is made.
    package static func allows(_ path: String) -> Bool { refusal(of: path, within: current) == nil }

    /// - Throws: `FileFailure.cannotRead` where the calling thread may not reach what `path` names.
    package static func check(_ path: String) throws {
        guard let current, !allows(path) else { return }
        throw FileFailure.unreadable(path, current.outside)
    }

    private func covers(_ path: String) -> Bool {
        guard !path.isEmpty, let parts = Self.parts(path), let real = Self.real(Self.text(of: Self.reduced(parts)), followsLast: true),
            let found = Self.parts(real)
        else { return false }
        return !located(found).isEmpty
    }

    private var outside: OpeningError {
        OpeningError(outside: given.isEmpty ? "this host allows no files" : "it does not lie in \(given.joined(separator: " or "))")
    }

    // MARK: Opening

    /// Links are followed as far as they stay beneath a root; a file that is made is never made behind one.
    func open(_ path: String, _ flags: Int32, mode: mode_t) throws(OpeningError) -> Descriptor {
        var flags = flags
        if path.utf8.last == UInt8(ascii: "/") { flags |= O_DIRECTORY }
        if flags & O_CREAT != 0 { flags |= O_NOFOLLOW }
        return try find(path, followsLast: flags & O_NOFOLLOW == 0) { [flags] root, rest throws(OpeningError) in
            try root.open(rest, flags, mode: mode, walks: walks)
        }
    }

    /// The folder of what is to be made or replaced, and its name there.
    func place(of path: String) throws(OpeningError) -> (folder: Descriptor, name: String) {
        try find(path, followsLast: false) { root, rest throws(OpeningError) in
            if let last = rest.last {
                let flags = PathOpening.placeOnly | O_DIRECTORY
                return (try root.open(rest.dropLast(), flags, mode: 0, walks: walks), String(foreignBytes: last))
            }
            guard let name = root.name else { throw OpeningError(EISDIR) }
            return (root.folder, String(foreignBytes: name))
        }
    }

    /// Tries the roots that `path` may lie beneath: as it stands; with `..` taken back by name, where it leads out and in
    /// again; and without links, where a way from outside or an absolute link leads in.
    ///
    /// Only the last follows anything outside of the roots, and `..` is gone by then, so that no script learns by it what is
    /// there.
    private func find<Found>(
        _ path: String, followsLast: Bool, _ open: (Root, ArraySlice<[UInt8]>) throws(OpeningError) -> Found
    ) throws(OpeningError) -> Found {
        guard !path.isEmpty else { throw OpeningError(ENOENT) }
        guard let literal = Self.parts(path) else { throw outside }
        if let found = try first(located(literal), open) { return found }
        let reduced = Self.reduced(literal)
        if reduced.count < literal.count, let found = try first(located(reduced), open) { return found }
        if let real = Self.real(Self.text(of: reduced), followsLast: followsLast), let parts = Self.parts(real), parts != reduced,
            let found = try first(located(parts), open)
        {
            return found
        }
        throw outside
    }

    /// `nil` where none is opened because all lead out.
    private func first<Found>(
        _ places: [(root: Root, rest: ArraySlice<[UInt8]>)],
        _ open: (Root, ArraySlice<[UInt8]>) throws(OpeningError) -> Found
    ) throws(OpeningError) -> Found? {
        for place in places {
            do throws(OpeningError) {
                return try open(place.root, place.rest)
            } catch {
                guard error.number == EXDEV || error.number == ELOOP else { throw error }
            }
        }
        return nil
    }

    /// The roots that a path begins with, and what follows.
    private func located(_ parts: [[UInt8]]) -> [(root: Root, rest: ArraySlice<[UInt8]>)] {
        roots.compactMap { root in
            root.paths.first { parts.starts(with: $0) }.map { (root, parts.dropFirst($0.count)) }
        }
    }

    // MARK: Paths as bytes

    /// The parts of a path from `/` on, without `.`; `nil` where the working directory is gone.
    private static func parts(_ path: String) -> [[UInt8]]? {
        let slash = UInt8(ascii: "/")
        var bytes = path.foreignBytes
        if bytes.first != slash {
            guard let directory = getcwd(nil, 0) else { return nil }
            defer { free(directory) }
            bytes = String(foreignCString: directory).foreignBytes + [slash] + bytes
        }
        return bytes.split(separator: slash).filter { !$0.elementsEqual([UInt8(ascii: ".")]) }.map { Array($0) }
    }

    /// Without `..`, each of which takes back the part before it.
    private static func reduced(_ parts: [[UInt8]]) -> [[UInt8]] {
        var kept: [[UInt8]] = []
        for part in parts {
            if part == Array("..".utf8) { _ = kept.popLast() } else { kept.append(part) }
        }
        return kept
    }

    private static func text(of parts: [[UInt8]]) -> String {
        String(foreignBytes: parts.isEmpty ? [UInt8(ascii: "/")] : parts.flatMap { [UInt8(ascii: "/")] + $0 })
    }

    /// The path without links, `.` and `..`; what is not there yet stands behind the part that is. `nil` where a link leads
    /// nowhere.
    private static func real(_ path: String, followsLast: Bool) -> String? {
        if followsLast, let found = path.withForeignCString({ realpath($0, nil) }) {
            defer { free(found) }
            return String(foreignCString: found)
        }
        var scalars = path.unicodeScalars
        while scalars.count > 1, scalars.last == "/" { scalars.removeLast() }
        let rest = String(scalars)
        let (folder, name) = DirectoryListing.split(rest)
        var info = stat()
        guard !name.isEmpty, name != ".", name != "..",
            !followsLast || rest.withForeignCString({ lstat($0, &info) }) != 0
        else { return nil }
        return real(folder.isEmpty ? "." : folder, followsLast: true).map { $0.utf8.count == 1 ? "/" + name : $0 + "/" + name }
    }
}
