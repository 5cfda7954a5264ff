import Basics
import CZlib

/// Writes a zip archive front to back. What an entry is made of is passed on piece by piece and never copied whole.
///
/// Entries that are deflated carry their sizes and checksum behind them (a data descriptor), because these are known
/// only then.
/// - Reference: PKWARE, *.ZIP File Format Specification* 6.3.10 (APPNOTE), §4.3.
struct ZipWriter {
    typealias Append = (UnsafeRawBufferPointer) throws -> Void

    private var offset = 0
    private var directory: [UInt8] = []
    private var count = 0

    /// Adds an entry whose bytes are those of `pieces`, one after the other.
    mutating func add(_ name: String, _ pieces: [UnsafeRawBufferPointer], compresses: Bool, _ append: Append) throws {
        let begin = offset
        let byteCount = pieces.reduce(0) { $0 + $1.count }
        let entry: [UInt8]
        if compresses {
            try writeLocalHeader(name, fields(name, compresses: true, checksum: 0, stored: 0, byteCount: 0), append)
            let start = offset
            let checksum = try deflate(pieces, append)
            let sizes = little(checksum) + little(UInt32(offset - start)) + little(UInt32(byteCount))
            entry = fields(name, compresses: true, checksum: checksum, stored: offset - start, byteCount: byteCount)
            try write(little(UInt32(0x0807_4B50)) + sizes, append)
        } else {
            let checksum = UInt32(truncatingIfNeeded: pieces.reduce(crc32(0, nil, 0), CRC32.updated))
            entry = fields(name, compresses: false, checksum: checksum, stored: byteCount, byteCount: byteCount)
            try writeLocalHeader(name, entry, append)
            for piece in pieces { try write(piece, append) }
        }
        directory += little(UInt32(0x0201_4B50)) + little(UInt16(20)) + entry
        directory += [UInt8](repeating: 0, count: 10) + little(UInt32(begin)) + Array(name.utf8)
        count += 1
    }

    mutating func finish(_ append: Append) throws {
        let begin = offset
        try write(directory, append)
        try write(
            little(UInt32(0x0605_4B50)) + little(UInt32(0)) + little(UInt16(count)) + little(UInt16(count))
                + little(UInt32(directory.count)) + little(UInt32(begin)) + little(UInt16(0)), append)
    }

    /// Version 2.0, the flag for a data descriptor, the method, and midnight of 1 January 1980 for every file: the same
    /// arrays make the same archive.
    private func fields(_ name: String, compresses: Bool, checksum: UInt32, stored: Int, byteCount: Int) -> [UInt8] {
        let kind = little(UInt16(20)) + little(UInt16(compresses ? 8 : 0)) + little(UInt16(compresses ? 8 : 0))
        let content = little(UInt16(0)) + little(UInt16(0x21)) + little(checksum) + little(UInt32(stored)) + little(UInt32(byteCount))
        return kind + content + little(UInt16(name.utf8.count)) + little(UInt16(0))
    }

    private mutating func writeLocalHeader(_ name: String, _ fields: [UInt8], _ append: Append) throws {
        try write(little(UInt32(0x0403_4B50)) + fields + Array(name.utf8), append)
    }

    private mutating func write(_ bytes: [UInt8], _ append: Append) throws { try bytes.withUnsafeBytes { try write($0, append) } }

    private mutating func write(_ bytes: UnsafeRawBufferPointer, _ append: Append) throws {
        try append(bytes)
        offset += bytes.count
    }

    private func little<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// Writes the pieces deflated without a header, at zlib's usual level.
    /// - Returns: the checksum of what they were before.
    private mutating func deflate(_ pieces: [UnsafeRawBufferPointer], _ append: Append) throws -> UInt32 {
        func failure(_ detail: String) -> FormatFailure { .notRepresentable(format: "npz", detail: detail) }
        // On the heap, because zlib remembers its address.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        guard moonrail_deflate_init(stream, 6, -15) == Z_OK else { throw failure("zlib could not start") }
        defer { deflateEnd(stream) }
        var checksum = crc32(0, nil, 0)
        var output = [UInt8](repeating: 0, count: 1 << 18)
        // zlib counts in 32 bits; pieces of 1 MiB also leave room to stop between them.
        for piece in pieces {
            for start in stride(from: 0, to: piece.count, by: 1 << 20) {
                try Cancellation.check()
                let part = UnsafeRawBufferPointer(rebasing: piece[start...].prefix(1 << 20))
                checksum = CRC32.updated(checksum, part)
                guard try pass(part, Z_NO_FLUSH, stream, &output, append) == Z_OK else { throw failure("zlib could not go on") }
            }
        }
        guard try pass(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH, stream, &output, append) == Z_STREAM_END else {
            throw failure("zlib could not end")
        }
        return UInt32(truncatingIfNeeded: checksum)
    }

    /// Hands `input` to zlib and writes what it gives, until it has taken all of it and, at the end, has given all.
    private mutating func pass(
        _ input: UnsafeRawBufferPointer, _ flush: Int32, _ stream: UnsafeMutablePointer<z_stream>, _ output: inout [UInt8],
        _ append: Append
    ) throws -> Int32 {
        // zlib's prototype is not const, but it only reads.
        stream.pointee.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0.assumingMemoryBound(to: UInt8.self)) }
        stream.pointee.avail_in = uInt(input.count)
        while true {
            var status = Z_OK
            let size = output.count
            try output.withUnsafeMutableBufferPointer { buffer in
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = uInt(size)
                status = CZlib.deflate(stream, flush)
                try write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<(size - Int(stream.pointee.avail_out))]), append)
            }
            guard status == Z_OK else { return status == Z_BUF_ERROR ? Z_OK : status }
            if stream.pointee.avail_out > 0, flush == Z_NO_FLUSH { return Z_OK }
        }
    }
}
