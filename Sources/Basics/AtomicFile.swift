#if canImport(Glibc)
    import Glibc
#endif

/// Files are read whole, and written whole or not at all.
package enum AtomicFile {
    /// Whether something is there under `path`.
    public static func exists(_ path: String) -> Bool { FilePath.refusal(of: path) == nil && PathOpening.status(path) != nil }

    /// The size of a regular file in bytes.
    public static func size(_ path: String) throws -> Int { try OpenFile(path).byteCount }

    /// The bytes of a regular file.
    /// - Throws: `FileFailure` when it is missing, no regular file, unreadable or larger than `limit` bytes.
    public static func read(_ path: String, limit: Int = 1 << 34) throws -> [UInt8] {
        let file = try OpenFile(path)
        guard file.byteCount <= limit else {
            throw FileFailure.tooLarge(path: path, byteCount: file.byteCount, limit: limit)
        }
        return try [UInt8](unsafeUninitializedCapacity: file.byteCount) { buffer, filled in
            filled = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }

    /// Writes what `produce` makes; it receives a function that appends bytes.
    ///
    /// A regular file is replaced at the end, when everything is on the disk, so that a reader sees the old bytes or all
    /// of the new ones; it keeps its owner, group and mode, as far as the system lets the writer give them (else the file
    /// becomes the writer's, and rights of a group that it cannot have are dropped). Symbolic links are followed, also
    /// those that lead to nothing yet, but for a script that may reach only some files: it is refused them. Other names of
    /// the file (hard links), access lists and extended attributes stay with the old bytes. Pipes, devices and open files,
    /// such as `/dev/stdout`, are written into as they are.
    /// - Throws: `FileFailure`, what `produce` throws, or `Interrupted`; the file is then as it was.
    public static func write(_ path: String, produce: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        switch try WriteTarget(path) {
        case .file(let folder, let name, let existing):
            let file = try ReplacementFile(path, in: folder, name: name, existing: existing)
            try produce { try file.append($0) }
            try file.commit()
        case .stream(let folder, let name, let isLink, let isPipe):
            let stream = try openStream(name, in: folder, isLink: isLink, isPipe: isPipe, path: path)
            try produce { try stream.write($0, path: path) }
        case .descriptor(let number):
            // What `print` left in the C library's buffers comes first.
            fflush(nil)
            let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
            guard copy >= 0 else { throw FileFailure.unwritable(path) }
            let stream = Descriptor(copy)
            try produce { try stream.write($0, path: path) }
        }
    }

    /// Writes `text` in UTF-8.
    public static func write(_ path: String, text: String) throws { try write(path, bytes: Array(text.utf8)) }

    public static func write(_ path: String, bytes: [UInt8]) throws {
        try write(path) { append in try bytes.withUnsafeBytes(append) }
    }

    /// Makes the directory `path` and those above it, where they are missing.
    public static func makeDirectory(_ path: String) throws {
        try FilePath.check(path)
        var prefix = FilePath.isAbsolute(path) ? "/" : ""
        for part in path.unicodeScalars.split(separator: "/") {
            prefix += prefix.isEmpty || prefix.utf8.elementsEqual("/".utf8) ? String(part) : "/" + String(part)
            if PathOpening.isDirectory(prefix) { continue }
            do throws(OpeningError) {
                let (folder, name) = try PathOpening.place(of: prefix)
                if name.withForeignCString({ mkdirat(folder.number, $0, 0o755) }) != 0 { throw OpeningError(errno) }
            } catch  where error.isOutside && prefix.utf8.count < path.utf8.count {
                // The way to what a script may reach need not be in reach itself.
                continue
            } catch {
                // Another process may have made it in between.
                guard PathOpening.isDirectory(prefix) else { throw FileFailure.unwritable(prefix, error) }
            }
        }
    }

    /// Opens what is written into. A pipe without a reader is waited for, in steps that Ctrl-C can end.
    private static func openStream(
        _ name: String, in folder: Descriptor, isLink: Bool, isPipe: Bool, path: String
    ) throws -> Descriptor {
        let flags = O_WRONLY | O_TRUNC | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | (isLink ? 0 : O_NOFOLLOW)
        while true {
            try Cancellation.check()
            let number = name.withForeignCString { openat(folder.number, $0, flags) }
            if number >= 0 {
                let stream = Descriptor(number)
                guard fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK) == 0 else {
                    throw FileFailure.unwritable(path)
                }
                return stream
            }
            let error = errno
            guard error == EINTR || (isPipe && error == ENXIO) else { throw FileFailure.unwritable(path, error: error) }
            usleep(10_000)
        }
    }
}
