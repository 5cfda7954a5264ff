import CFiles

#if canImport(Glibc)
    import Glibc
#endif

/// Where all files are opened: within the roots of the thread that works, if it has some, and else as the system does it.
///
/// What is decided later, such as whether something is a regular file, is asked of the descriptor and not of the name,
/// which may lead elsewhere by then.
enum PathOpening {
    /// O_PATH, which Swift does not import: a descriptor for a place, which can be asked and opened from, but not read.
    /// It is the same for x86-64 and arm64.
    static let placeOnly: Int32 = 0o10000000

    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(OpeningError) -> Descriptor {
        if let roots = FileRoots.current { return try roots.open(path, flags, mode: mode) }
        let (number, error) = path.withForeignCString { (Glibc.open($0, flags | O_CLOEXEC, mode), errno) }
        guard number >= 0 else { throw OpeningError(error) }
        return Descriptor(number)
    }

    /// The folder of what `path` names, and the name in it, which need not be there; neither is a link followed under that name.
    /// - Throws: `OpeningError` with EISDIR for a path that ends in a slash, `.` or `..` and is there.
    static func place(of path: String) throws(OpeningError) -> (folder: Descriptor, name: String) {
        let (directory, name) = DirectoryListing.split(path)
        guard !name.isEmpty, name != ".", name != ".." else {
            _ = try open(path, placeOnly | O_DIRECTORY)
            throw OpeningError(EISDIR)
        }
        if let roots = FileRoots.current { return try roots.place(of: path) }
        return (try open(directory.isEmpty ? "." : directory, placeOnly | O_DIRECTORY), name)
    }

    /// Opens `name`, which is relative, beneath an open folder: neither `..` nor a link leads out of it.
    /// - Parameter walks: whether the way for kernels without openat2 is taken in any case.
    static func open(
        _ name: [UInt8], beneath folder: Descriptor, _ flags: Int32, mode: mode_t = 0, walks: Bool = false
    ) throws(OpeningError) -> Descriptor {
        let (number, error) = ((name.isEmpty ? [UInt8(ascii: ".")] : name) + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { (open_beneath(folder.number, $0.baseAddress!, flags, mode, walks), errno) }
        }
        guard number >= 0 else { throw OpeningError(error) }
        return Descriptor(number)
    }

    static func isDirectory(_ path: String) -> Bool { (try? open(path, placeOnly | O_DIRECTORY)) != nil }

    /// What the system tells of `path`, links followed; `nil` where it is not there or not within reach.
    static func status(_ path: String) -> stat? {
        guard let place = try? open(path, placeOnly) else { return nil }
        var info = stat()
        return fstat(place.number, &info) == 0 ? info : nil
    }
}

/// Why a path could not be opened.
struct OpeningError: Error {
    /// The system's `errno`.
    let number: Int32
    let reason: String
    /// Whether it lies outside of the roots.
    let isOutside: Bool

    init(_ number: Int32) { (self.number, reason, isOutside) = (number, String(cString: strerror(number)), false) }

    init(outside reason: String) { (number, self.reason, isOutside) = (EACCES, reason, true) }
}
