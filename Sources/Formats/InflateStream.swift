import Basics
import CZlib

/// Decompresses deflated data step by step, so that no more memory is taken than the reader asks to fill.
///
/// - Reference: P. Deutsch, *DEFLATE Compressed Data Format Specification version 1.3*, RFC 1951, 1996; *GZIP file
///   format specification version 4.3*, RFC 1952, 1996.
package final class InflateStream: ByteSource {
    /// What is around the compressed data.
    package enum Container: Int32 {
        /// One gzip member with its checksum: 15 bits of window, plus 16 for the header.
        case gzip = 31
        /// Nothing, as in a zip archive, which keeps checksums elsewhere.
        case none = -15
    }

    package let source: String
    package private(set) var offset = 0
    private var compressed: any ByteSource
    /// Compressed bytes that were read and not yet taken.
    private var chunk = [UInt8](repeating: 0, count: 1 << 16)
    private var chunkRange = 0..<0
    private var isAtEnd = false
    /// On the heap, because zlib remembers its address.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    /// Whether `bytes` begin like a gzip file.
    package static func recognizesGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// - Parameter compressed: where the compressed bytes come from, up to their end; they are read as they are needed.
    package init(_ compressed: any ByteSource, _ container: Container = .gzip) throws {
        self.compressed = compressed
        source = compressed.source
        stream.initialize(to: z_stream())
        guard moonrail_inflate_init(stream, container.rawValue) == Z_OK else {
            throw FormatFailure.decompression(source: source, reason: "zlib could not start")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Deflate packs at most 1032 bytes into one (RFC 1951: 258-byte matches of two bits each); zlib holds back a few
    /// bytes that it has taken.
    package var remainderBound: Int { isAtEnd ? 0 : (restCount + 16) * 1032 }

    /// Compressed bytes that zlib has not taken.
    private var restCount: Int { chunkRange.count + compressed.remainderBound }
    private var consumed: Int { compressed.offset - chunkRange.count }

    package func read(into target: UnsafeMutableRawBufferPointer, _ what: String) throws {
        let got = try inflate(into: target)
        guard got == target.count else {
            throw FormatFailure.truncated(source: source, what: what, offset: offset, missing: target.count - got)
        }
    }

    package func finish() throws {
        // Asking for one byte more makes zlib read on to the checksum.
        var surplus: UInt8 = 0
        let got = try withUnsafeMutableBytes(of: &surplus) { try inflate(into: $0) }
        guard got == 0 else {
            throw FormatFailure.trailingBytes(source: source, offset: offset - got, byteCount: got)
        }
        guard isAtEnd else {
            throw FormatFailure.truncated(
                source: source, what: "the end of the compressed data and its checksum", offset: consumed, missing: 8)
        }
        guard restCount == 0 else {
            throw FormatFailure.trailingBytes(source: source, offset: consumed, byteCount: restCount)
        }
    }

    /// Decompresses until `target` is full or the input ends; returns the number of bytes written.
    private func inflate(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        // zlib counts in 32 bits; steps of 16 MiB also leave room to stop between them.
        while filled < target.count, !isAtEnd {
            try Cancellation.check()
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[filled...].prefix(1 << 24))
            let got = try inflateStep(into: rest)
            if got == 0, restCount == 0 { break }
            filled += got
        }
        offset += filled
        return filled
    }

    private func inflateStep(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        if chunkRange.isEmpty {
            let count = min(chunk.count, compressed.remainderBound)
            try chunk.withUnsafeMutableBytes {
                try compressed.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]), "the compressed data")
            }
            chunkRange = 0..<count
        }
        let status = chunk.withUnsafeMutableBufferPointer { input -> Int32 in
            stream.pointee.next_in = input.baseAddress! + chunkRange.lowerBound
            stream.pointee.avail_in = uInt(chunkRange.count)
            stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_out = uInt(target.count)
            return CZlib.inflate(stream, Z_NO_FLUSH)
        }
        chunkRange = (chunkRange.upperBound - Int(stream.pointee.avail_in))..<chunkRange.upperBound
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: isAtEnd = true
        default:
            let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
            throw FormatFailure.decompression(source: source, reason: reason)
        }
        return target.count - Int(stream.pointee.avail_out)
    }
}
