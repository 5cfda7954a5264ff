import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A file could not be read or written.
public enum FileFailure: Failure {
    case cannotRead(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    case tooLarge(path: String, byteCount: Int, limit: Int)

    public var code: String {
        switch self {
        case .cannotRead: "file.cannotRead"
        case .cannotWrite: "file.cannotWrite"
        case .tooLarge: "file.tooLarge"
        }
    }
    public var description: String {
        switch self {
        case .cannotRead(let path, let reason): "cannot read \(path): \(reason)"
        case .cannotWrite(let path, let reason): "cannot write \(path): \(reason)"
        case .tooLarge(let path, let bytes, let limit):
            "cannot read \(path): it has \(bytes) bytes, more than the limit of \(limit)"
        }
    }
}

/// Files are read whole, and written whole or not at all.
public enum AtomicFile {
    /// Tells apart the temporary files of threads that write one path.
    private static let writeCount = Atomic<Int>(0)

    private static var lastError: String { String(cString: strerror(errno)) }

    /// Whether something is there under `path`.
    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The size of a regular file in bytes.
    public static func size(_ path: String) throws -> Int {
        var info = stat()
        guard stat(path, &info) == 0 else { throw FileFailure.cannotRead(path: path, reason: lastError) }
        return Int(info.st_size)
    }

    /// The bytes of a regular file.
    /// - Throws: `FileFailure` when it is missing, no regular file, unreadable or larger than `limit` bytes.
    public static func read(_ path: String, limit: Int = 1 << 34) throws -> [UInt8] {
        try withRegularFile(path) { descriptor, size in
            guard size <= limit else { throw FileFailure.tooLarge(path: path, byteCount: size, limit: limit) }
            return try bytes(of: descriptor, count: size, path)
        }
    }

    /// `count` bytes of a regular file from `offset` on; fewer where it ends before.
    public static func read(_ path: String, from offset: Int, count: Int) throws -> [UInt8] {
        try withRegularFile(path) { descriptor, _ in
            guard lseek(descriptor, offset, SEEK_SET) >= 0 else {
                throw FileFailure.cannotRead(path: path, reason: lastError)
            }
            return try bytes(of: descriptor, count: count, path)
        }
    }

    private static func withRegularFile<Result>(_ path: String, _ body: (Int32, Int) throws -> Result) throws -> Result {
        // Not blocking, because opening a pipe would wait for a writer before it could be refused.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileFailure.cannotRead(path: path, reason: lastError) }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw FileFailure.cannotRead(path: path, reason: lastError) }
        guard info.st_mode & S_IFMT == S_IFREG else {
            throw FileFailure.cannotRead(path: path, reason: "not a regular file")
        }
        return try body(descriptor, Int(info.st_size))
    }

    private static func bytes(of descriptor: Int32, count: Int, _ path: String) throws -> [UInt8] {
        var failure: String?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = Glibc.read(descriptor, buffer.baseAddress! + filled, count - filled)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = lastError }
                if got <= 0 { break }
                filled += got
            }
        }
        if let failure { throw FileFailure.cannotRead(path: path, reason: failure) }
        return bytes
    }

    /// Writes `path` through a temporary file beside it, synced and renamed, so that a reader sees the old bytes or
    /// all of the new ones. `produce` receives a function that appends bytes.
    public static func write(_ path: String, produce: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        let number = writeCount.wrappingAdd(1, ordering: .relaxed).newValue
        let temporary = "\(path).\(getpid()).\(number).partial"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileFailure.cannotWrite(path: path, reason: lastError) }
        var isOpen = true
        func abandon() {
            if isOpen { close(descriptor) }
            unlink(temporary)
        }
        do {
            try produce { bytes in try append(bytes, to: descriptor, path: path) }
            guard fsync(descriptor) == 0 else { throw FileFailure.cannotWrite(path: path, reason: lastError) }
            isOpen = false
            guard close(descriptor) == 0 else { throw FileFailure.cannotWrite(path: path, reason: lastError) }
            guard rename(temporary, path) == 0 else { throw FileFailure.cannotWrite(path: path, reason: lastError) }
        } catch {
            abandon()
            throw error
        }
    }

    public static func write(_ path: String, text: String) throws {
        try write(path) { append in
            var text = text
            try text.withUTF8 { try append(UnsafeRawBufferPointer($0)) }
        }
    }

    /// Makes the directory `path` and those above it, where they are missing.
    public static func makeDirectory(_ path: String) throws {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += prefix.isEmpty || prefix == "/" ? String(part) : "/" + part
            var info = stat()
            let isThere = stat(prefix, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
            if !isThere, mkdir(prefix, 0o755) != 0 {
                throw FileFailure.cannotWrite(path: prefix, reason: lastError)
            }
        }
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileFailure.cannotWrite(path: path, reason: lastError) }
            written += count
        }
    }
}
