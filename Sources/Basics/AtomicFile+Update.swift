#if canImport(Glibc)
    import Glibc
#endif

extension AtomicFile {
    /// Reads a file and replaces it by what `change` makes of it, while nobody else does: of several processes, or
    /// threads, that update one file, each waits for the one before and sees its result.
    ///
    /// The lock is the system's on the file itself and goes with the process, however that ends. Since a save replaces
    /// the file, a lock counts only where the path still leads to the file that it was taken on. As long as there is no
    /// file, the lock is on its folder: an empty file, made to be locked, would be what a killed process leaves.
    /// - Parameters:
    ///   - limit: a larger file is refused.
    ///   - change: receives the bytes, `nil` where there is no file yet or an empty one. Must not update `path` itself, or
    ///     another new file in its folder.
    /// - Throws: `FileFailure`, what `change` throws, or `Interrupted` while it waits; the file is then as it was.
    public static func update(_ path: String, limit: Int = 1 << 28, _ change: ([UInt8]?) throws -> String) throws {
        let (lock, isThere) = try lock(path)
        try withExtendedLifetime(lock) {
            let bytes = isThere ? try read(path, limit: limit) : []
            try write(path, text: change(bytes.isEmpty ? nil : bytes))
        }
    }

    /// The lock, and whether there is a file.
    private static func lock(_ path: String) throws -> (Descriptor, isThere: Bool) {
        try FilePath.check(path)
        while true {
            if PathOpening.status(path) == nil, let folder = try folder(of: path) {
                try take(folder, path)
                if PathOpening.status(path) == nil { return (folder, false) }
                continue
            }
            let file = try openForLock(path)
            try take(file, path)
            var locked = stat()
            guard fstat(file.number, &locked) == 0 else { throw FileFailure.unwritable(path) }
            guard locked.st_mode & S_IFMT == S_IFREG else {
                throw FileFailure.cannotWrite(path: path, reason: "it is to be read and replaced, but is not a regular file")
            }
            if let named = PathOpening.status(path), (named.st_dev, named.st_ino) == (locked.st_dev, locked.st_ino) {
                return (file, true)
            }
            try Cancellation.check()
        }
    }

    private static func take(_ lock: Descriptor, _ path: String) throws {
        while flock(lock.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw FileFailure.unwritable(path) }
            try Cancellation.check()
            usleep(5_000)
        }
    }

    /// The folder in which a new file takes the name `path`; `nil` where it may not be read and so not be locked.
    private static func folder(of path: String) throws -> Descriptor? {
        guard case .file(let folder, _, nil) = try WriteTarget(path) else { return nil }
        let number = openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        return number < 0 ? nil : Descriptor(number)
    }

    private static func openForLock(_ path: String) throws -> Descriptor {
        let flags = O_CREAT | O_NOCTTY | O_NONBLOCK
        do throws(OpeningError) {
            do throws(OpeningError) {
                return try PathOpening.open(path, O_RDWR | flags, mode: 0o666)
            } catch  where error.number == EACCES {
                // A file that may not be written can be replaced all the same.
                return try PathOpening.open(path, O_RDONLY | flags, mode: 0o666)
            }
        } catch {
            throw FileFailure.unwritable(path, error)
        }
    }
}
