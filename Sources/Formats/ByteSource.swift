/// Which end of a number comes first in a file.
package enum ByteOrder: Sendable {
    case little, big
}

/// Bytes read front to back, from a file, from memory or through a decompressor. Every read says what it is for, so that
/// an error can tell what was cut off, where, and how much of it is missing.
package protocol ByteSource {
    /// The path or other name that errors begin with.
    var source: String { get }
    /// How many bytes have been read.
    var offset: Int { get }
    /// No more than this many bytes can follow: a promise of more is a lie, and found out before memory is taken.
    var remainderBound: Int { get }
    /// Fills `target`.
    /// - Throws: `FormatFailure.truncated`, `FileFailure`, or what is wrong with compressed data.
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

    /// The next `count` bytes; a number that cannot follow takes no memory. `count` is never negative: whoever asks has an unsigned
    /// length from the file, a length that it checked, or that of a range.
    package mutating func bytes(_ count: Int, _ what: String) throws -> [UInt8] {
        guard count <= remainderBound else {
            throw FormatFailure.truncated(source: source, what: what, offset: offset, missing: count - remainderBound)
        }
        var result = [UInt8](repeating: 0, count: count)
        try result.withUnsafeMutableBytes { try read(into: $0, what) }
        return result
    }
}
