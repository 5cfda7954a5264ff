import Basics
import CZlib
public import Tensors

/// NumPy's format of several named arrays: a zip archive of npy files, stored or deflated.
public enum NPZ {
    /// What all arrays of an archive may take in memory, unless told otherwise.
    public static let byteLimit = 1 << 32

    /// Reads the arrays at `path` in the order of the archive.
    /// - Parameter byteLimit: the most bytes that all of them together may have decompressed.
    /// - Throws: `FileFailure`, or `FormatFailure` saying which rule is broken.
    public static func read(_ path: String, byteLimit: Int = byteLimit) throws -> [(name: String, tensor: Tensor)] {
        try read(bytes: AtomicFile.read(path), source: path, byteLimit: byteLimit)
    }

    /// Reads an archive that is in memory; `source` names it in errors.
    public static func read(
        bytes: [UInt8], source: String = "npz data", byteLimit: Int = byteLimit
    ) throws -> [(name: String, tensor: Tensor)] {
        let archive = try ZipArchive(bytes, source: source, byteLimit: byteLimit)
        var names = Set<String>()
        return try archive.entries.map { entry in
            try Cancellation.check()
            let name = entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : entry.name
            guard names.insert(name).inserted else {
                throw FormatFailure.invalidHeader(source: source, detail: "the name '\(name)' is given twice")
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
                try NPY.withElements(entry.tensor) { try writer.add(entry.name + ".npy", header + Array($0), compresses, append) }
            }
            try writer.finish(append)
        }
    }
}

/// Writes a zip archive front to back.
private struct ZipWriter {
    typealias Append = (UnsafeRawBufferPointer) throws -> Void

    private var offset = 0
    private var directory: [UInt8] = []
    private var count = 0

    mutating func add(_ name: String, _ content: [UInt8], _ compresses: Bool, _ append: Append) throws {
        let checksum = UInt32(truncatingIfNeeded: content.withUnsafeBytes { CRC32.updated(crc32(0, nil, 0), $0) })
        let stored = compresses ? try deflated(content) : content
        // Version 2.0, no flags, the method, and midnight of 1 January 1980 for every file: the same arrays make the
        // same archive.
        var fields = little(UInt16(20)) + little(UInt16(0)) + little(UInt16(compresses ? 8 : 0)) + little(UInt16(0))
            + little(UInt16(0x21)) + little(checksum) + little(UInt32(stored.count)) + little(UInt32(content.count))
        fields += little(UInt16(name.utf8.count)) + little(UInt16(0))
        directory += little(UInt32(0x0201_4B50)) + little(UInt16(20)) + fields
        directory += [UInt8](repeating: 0, count: 10) + little(UInt32(offset)) + Array(name.utf8)
        try write(little(UInt32(0x0403_4B50)) + fields + Array(name.utf8), append)
        try write(stored, append)
        count += 1
    }

    mutating func finish(_ append: Append) throws {
        let begin = offset
        try write(directory, append)
        try write(
            little(UInt32(0x0605_4B50)) + little(UInt32(0)) + little(UInt16(count)) + little(UInt16(count))
                + little(UInt32(directory.count)) + little(UInt32(begin)) + little(UInt16(0)), append)
    }

    private mutating func write(_ bytes: [UInt8], _ append: Append) throws {
        try bytes.withUnsafeBytes { try append($0) }
        offset += bytes.count
    }

    private func little<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// Raw deflated data, at zlib's usual level.
    private func deflated(_ content: [UInt8]) throws -> [UInt8] {
        // On the heap, because zlib remembers its address.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        guard moonrail_deflate_init(stream, 6, -15) == Z_OK else {
            throw FormatFailure.notRepresentable(format: "npz", detail: "zlib could not start")
        }
        defer { deflateEnd(stream) }
        let bound = min(Int(deflateBound(stream, uLong(content.count))), Int(uInt.max))
        var status = Z_OK
        let result = content.withUnsafeBufferPointer { input in
            [UInt8](unsafeUninitializedCapacity: bound) { output, filled in
                // zlib's prototype is not const, but it only reads.
                stream.pointee.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0) }
                stream.pointee.avail_in = uInt(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(bound)
                status = CZlib.deflate(stream, Z_FINISH)
                filled = Int(stream.pointee.total_out)
            }
        }
        guard status == Z_STREAM_END else {
            throw FormatFailure.notRepresentable(format: "npz", detail: "zlib status \(status)")
        }
        return result
    }
}
