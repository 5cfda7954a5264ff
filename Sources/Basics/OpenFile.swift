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
    /// Equal for two names of one file.
    package let identity: Identity
    private let descriptor: Descriptor

    package struct Identity: Hashable, Sendable {
        let device, number: UInt64
    }

    /// - Throws: `FileFailure.cannotRead` where there is no regular file; `invalidPath`.
    package convenience init(_ path: String) throws {
        try FilePath.check(path)
        let opened: Descriptor
        do throws(OpeningError) {
            opened = try PathOpening.open(path, Self.flags)
        } catch {
            throw FileFailure.unreadable(path, error)
        }
        try self.init(opened, path: path)
    }

    /// A file that another one names, which must lie beneath the folder of that one: `..` and links that lead out of it
    /// are refused.
    package convenience init(_ name: String, beneath folder: String) throws {
        let path = folder.isEmpty ? name : folder + "/" + name
        try FilePath.check(path)
        let opened: Descriptor
        do throws(OpeningError) {
            let place = try PathOpening.open(folder.isEmpty ? "." : folder, PathOpening.placeOnly | O_DIRECTORY)
            opened = try PathOpening.open(name.foreignBytes, beneath: place, Self.flags)
        } catch  where error.isOutside {
            // The folder is out of reach, but the file may be allowed by its own name.
            try self.init(path)
            return
        } catch  where error.number == EXDEV || error.number == ELOOP {
            throw FileFailure.cannotRead(path: path, reason: "it leads out of the folder of the file that names it")
        } catch {
            throw FileFailure.unreadable(path, error)
        }
        try self.init(opened, path: path)
    }

    /// A file of the kernel's that tells about the machine, under a name that is part of the toolkit: no roots apply, and
    /// no script sees its bytes.
    convenience init(ofKernel path: String) throws {
        let number = path.withForeignCString { open($0, Self.flags | O_CLOEXEC) }
        guard number >= 0 else { throw FileFailure.unreadable(path) }
        try self.init(Descriptor(number), path: path)
    }

    // Not blocking, because opening a pipe would wait for a writer before it could be refused.
    private static let flags = O_RDONLY | O_NONBLOCK

    private init(_ descriptor: Descriptor, path: String) throws {
        (self.path, self.descriptor) = (path, descriptor)
        var info = stat()
        guard fstat(descriptor.number, &info) == 0 else { throw FileFailure.unreadable(path) }
        switch info.st_mode & S_IFMT {
        case S_IFREG: byteCount = Int(info.st_size)
        case S_IFDIR: throw FileFailure.unreadable(path, error: EISDIR)
        default: throw FileFailure.cannotRead(path: path, reason: "not a regular file")
        }
        identity = Identity(device: UInt64(info.st_dev), number: UInt64(info.st_ino))
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
