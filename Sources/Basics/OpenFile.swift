#if canImport(Glibc)
    import Glibc
#endif

/// A regular file that is open for reading, at any place.
///
/// Bytes are copied out, and the file is not mapped: it may shrink while it is read, and a mapping would then end the
/// process.
package final class OpenFile: Sendable {
    package let path: String
    /// The size when it was opened.
    package let byteCount: Int
    private let descriptor: Descriptor

    /// - Throws: `FileFailure.cannotRead` where there is no regular file; `invalidPath`.
    package init(_ path: String) throws {
        try FilePath.check(path)
        self.path = path
        // Not blocking, because opening a pipe would wait for a writer before it could be refused.
        let number = path.withForeignCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard number >= 0 else { throw FileFailure.unreadable(path) }
        descriptor = Descriptor(number)
        var info = stat()
        guard fstat(number, &info) == 0 else { throw FileFailure.unreadable(path) }
        switch info.st_mode & S_IFMT {
        case S_IFREG: byteCount = Int(info.st_size)
        case S_IFDIR: throw FileFailure.unreadable(path, error: EISDIR)
        default: throw FileFailure.cannotRead(path: path, reason: "not a regular file")
        }
    }

    /// Fills `target` with the bytes from `offset` on.
    /// - Returns: how many there were; fewer than asked for where the file ends before.
    /// - Throws: `FileFailure.cannotRead`; `Interrupted` between pieces of 16 MiB.
    package func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        var filled = 0
        while filled < target.count {
            try Cancellation.check()
            let piece = target[filled...].prefix(1 << 24)
            let got = pread(descriptor.number, target.baseAddress! + filled, piece.count, offset + filled)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw FileFailure.unreadable(path) }
            if got == 0 { break }
            filled += got
        }
        return filled
    }
}
