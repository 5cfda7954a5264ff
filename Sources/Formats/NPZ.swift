import Basics
public import Tensors

/// NumPy's format of several named arrays: a zip archive of npy files, stored or deflated.
public enum NPZ {
    /// What all arrays of an archive may take in memory, unless told otherwise.
    public static let byteLimit = 1 << 32

    /// Reads the arrays at `path` in the order of the archive.
    /// - Parameter byteLimit: the most bytes that all of them together may have decompressed.
    /// - Throws: `FileFailure`, or `FormatFailure` saying which rule is broken.
    public static func read(_ path: String, byteLimit: Int = byteLimit) throws -> [(name: String, tensor: Tensor)] {
        try read(ByteStore(path: path), byteLimit: byteLimit)
    }

    /// Reads an archive that is in memory; `source` names it in errors.
    public static func read(
        bytes: [UInt8], source: String = "npz data", byteLimit: Int = byteLimit
    ) throws -> [(name: String, tensor: Tensor)] {
        try read(ByteStore(bytes, source: source), byteLimit: byteLimit)
    }

    private static func read(_ store: ByteStore, byteLimit: Int) throws -> [(name: String, tensor: Tensor)] {
        let archive = try ZipArchive(store, byteLimit: byteLimit)
        var names = Set<String>()
        return try archive.entries.map { entry in
            try Cancellation.check()
            let name = entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : entry.name
            guard names.insert(name).inserted else {
                throw FormatFailure.invalidHeader(source: store.source, detail: "the name '\(name)' is given twice")
            }
            var content = try archive.content(of: entry)
            return (name, try NPY.decode(&content))
        }
    }

    /// Writes arrays, whole or not at all.
    /// - Parameter compresses: whether entries are deflated rather than stored.
    /// - Throws: `FormatFailure.notRepresentable` for a name given twice or too long, and for more than 4 GB.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], to path: String, compresses: Bool = false
    ) throws {
        guard Set(tensors.map(\.name)).count == tensors.count else {
            throw FormatFailure.notRepresentable(format: "npz", detail: "a name is given twice")
        }
        guard tensors.count < 0xFFFF, tensors.allSatisfy({ $0.name.utf8.count < 1 << 15 }),
            tensors.reduce(0, { $0 + $1.tensor.byteCount + 1 << 17 }) < 1 << 32
        else {
            throw FormatFailure.notRepresentable(format: "npz", detail: "it would have more than 4 GB, or too many or too long names")
        }
        try AtomicFile.write(path) { append in
            var writer = ZipWriter()
            for entry in tensors {
                try Cancellation.check()
                let header = NPY.header(entry.tensor)
                try NPY.withElements(entry.tensor) { elements in
                    try header.withUnsafeBytes { try writer.add(entry.name + ".npy", [$0, elements], compresses: compresses, append) }
                }
            }
            try writer.finish(append)
        }
    }
}
