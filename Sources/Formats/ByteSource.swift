/// Which end of a number comes first in a file.
package enum ByteOrder {
    case little, big
}

/// Bytes read front to back, from memory or through a decompressor. Every read says what it is for, so that an error
/// can tell what was cut off, where, and how much of it is missing.
package protocol ByteSource {
    /// The path or other name that errors begin with.
    var source: String { get }
    /// How many bytes have been read.
    var offset: Int { get }
    /// No more than this many bytes can follow: a promise of more is a lie, and found out before memory is taken.
    var remainderBound: Int { get }
    /// Fills `target`.
    /// - Throws: `FormatFailure.truncated`, or what is wrong with compressed data.
    mutating func read(into target: UnsafeMutableRawBufferPointer, _ what: String) throws
    /// - Throws: `FormatFailure.trailingBytes` unless everything was read.
    mutating func finish() throws
}

extension ByteSource {
    /// The next number.
    package mutating func integer<Number: FixedWidthInteger>(
        _ type: Number.Type, _ order: ByteOrder, _ what: String
    ) throws -> Number {
        var raw = Number.zero
        try withUnsafeMutableBytes(of: &raw) { try read(into: $0, what) }
        return order == .little ? Number(littleEndian: raw) : Number(bigEndian: raw)
    }
}

/// A position in bytes that are in memory.
package struct ByteCursor: ByteSource {
    package let bytes: [UInt8]
    package let source: String
    package private(set) var offset = 0

    package init(_ bytes: [UInt8], source: String) {
        self.bytes = bytes
        self.source = source
    }

    package var remainderBound: Int { bytes.count - offset }

    /// Skips the next `count` bytes and returns where they are.
    /// - Throws: `FormatFailure.truncated` when there are fewer.
    package mutating func take(_ count: Int, _ what: String) throws -> Range<Int> {
        precondition(count >= 0, "a negative number of bytes")
        guard count <= remainderBound else {
            throw FormatFailure.truncated(source: source, what: what, offset: offset, missing: count - remainderBound)
        }
        defer { offset += count }
        return offset..<(offset + count)
    }

    package mutating func read(into target: UnsafeMutableRawBufferPointer, _ what: String) throws {
        let range = try take(target.count, what)
        bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    package mutating func finish() throws {
        guard remainderBound == 0 else {
            throw FormatFailure.trailingBytes(source: source, offset: offset, byteCount: remainderBound)
        }
    }
}
