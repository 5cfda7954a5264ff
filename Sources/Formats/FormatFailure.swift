public import Basics

/// What can be wrong with a file of tensors, images or text: which file, which rule of its format, and what was found.
///
/// `source` is the path, or a name for bytes that came from elsewhere.
public enum FormatFailure: Failure {
    /// `what` was to be read at byte `offset`, but `missing` of its bytes are not there.
    case truncated(source: String, what: String, offset: Int, missing: Int)
    /// The first bytes are those of another format.
    case wrongMagic(source: String, expected: String, got: [UInt8])
    /// Bytes follow where the format says that the file ends.
    case trailingBytes(source: String, offset: Int, byteCount: Int)
    /// Text is not UTF-8.
    case notUTF8(source: String)
    /// Text is not JSON; line and column (in bytes) count from 1.
    case invalidJSON(source: String, line: Int, column: Int, reason: String)
    /// The header announces more bytes than any honest file has.
    case headerTooLarge(source: String, byteCount: UInt64, limit: Int)
    /// The header is well-formed text but breaks a rule of the format.
    case invalidHeader(source: String, detail: String)
    /// An element type that is not read.
    case unknownType(source: String, what: String, got: String, known: String)
    /// An extent is negative, or the extents multiply to an absurd size.
    case invalidShape(source: String, what: String, detail: String)
    /// The bytes set aside for `what` are not those its shape and type need.
    case sizeMismatch(source: String, what: String, expected: Int, got: Int)
    /// `what` is said to lie at bytes that the file does not have.
    case outOfRange(source: String, what: String, begin: Int, end: Int, byteCount: Int)
    /// Two tensors claim the same bytes.
    case overlap(source: String, what: String, other: String)
    /// Bytes before `what` belong to no tensor.
    case hole(source: String, what: String, offset: Int, byteCount: Int)
    /// Compressed data is damaged.
    case decompression(source: String, reason: String)
    /// What is stored is not what its checksum says.
    case checksum(source: String, what: String)
    /// Decompressed, the file would have more bytes than may be.
    case expandsTooFar(source: String, byteCount: Int, limit: Int)
    /// The file uses a part of its format that is not read.
    case unsupported(source: String, detail: String)
    /// A picture is damaged; `reason` is what the library for its format says.
    case invalidImage(source: String, reason: String)
    /// A value cannot be written in the format.
    case notRepresentable(format: String, detail: String)

    public var code: String {
        switch self {
        case .truncated: "format.truncated"
        case .wrongMagic: "format.wrongMagic"
        case .trailingBytes: "format.trailingBytes"
        case .notUTF8: "format.notUTF8"
        case .invalidJSON: "format.invalidJSON"
        case .headerTooLarge: "format.headerTooLarge"
        case .invalidHeader: "format.invalidHeader"
        case .unknownType: "format.unknownType"
        case .invalidShape: "format.invalidShape"
        case .sizeMismatch: "format.sizeMismatch"
        case .outOfRange: "format.outOfRange"
        case .overlap: "format.overlap"
        case .hole: "format.hole"
        case .decompression: "format.decompression"
        case .checksum: "format.checksum"
        case .expandsTooFar: "format.expandsTooFar"
        case .unsupported: "format.unsupported"
        case .invalidImage: "format.invalidImage"
        case .notRepresentable: "format.notRepresentable"
        }
    }

    public var description: String {
        switch self {
        case .truncated(let source, let what, let offset, let missing):
            "\(source): truncated in \(what) at byte \(offset), \(missing) bytes are missing"
        case .wrongMagic(let source, let expected, let got):
            "\(source): not \(expected), its first bytes are \(got.map(Self.hexadecimal).joined(separator: " "))"
        case .trailingBytes(let source, let offset, let count):
            "\(source): \(count) bytes follow the end of the data at byte \(offset)"
        case .notUTF8(let source): "\(source): the text is not UTF-8"
        case .invalidJSON(let source, let line, let column, let reason):
            "\(source): invalid JSON at line \(line), column \(column): \(reason)"
        case .headerTooLarge(let source, let count, let limit):
            "\(source): the header claims \(count) bytes, more than the limit of \(limit)"
        case .invalidHeader(let source, let detail): "\(source): invalid header: \(detail)"
        case .unknownType(let source, let what, let got, let known):
            "\(source): \(what) has elements of type \(got), but only \(known) can be read"
        case .invalidShape(let source, let what, let detail): "\(source): \(what) has an invalid shape: \(detail)"
        case .sizeMismatch(let source, let what, let expected, let got):
            "\(source): \(what) needs \(expected) bytes by its shape and type, but has \(got)"
        case .outOfRange(let source, let what, let begin, let end, let count):
            "\(source): \(what) is said to lie at bytes \(begin) to \(end), but the data has \(count) bytes"
        case .overlap(let source, let what, let other): "\(source): \(what) and \(other) overlap"
        case .hole(let source, let what, let offset, let count):
            "\(source): the \(count) bytes at \(offset), before \(what), belong to no tensor"
        case .decompression(let source, let reason): "\(source): damaged compressed data: \(reason)"
        case .checksum(let source, let what): "\(source): the bytes of \(what) do not match their checksum"
        case .expandsTooFar(let source, let count, let limit):
            "\(source): would take \(count) bytes decompressed, more than the limit of \(limit)"
        case .unsupported(let source, let detail): "\(source): \(detail)"
        case .invalidImage(let source, let reason): "\(source): damaged picture: \(reason)"
        case .notRepresentable(let format, let detail): "cannot write \(format): \(detail)"
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
