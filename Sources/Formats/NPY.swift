import Basics
public import Tensors

/// NumPy's format of one array.
///
/// Half and double floats become float32, booleans uint8 and other integers int64, which are the types that tensors have;
/// both byte orders and both orders of storage are read. Arrays of objects, texts, complex numbers or records are
/// refused, so that nothing in a file is ever executed.
/// - Reference: NumPy Enhancement Proposal 1, *A Simple File Format for NumPy Arrays*; `numpy.lib.format`.
public enum NPY {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// Longer headers are refused; honest ones have about a hundred bytes.
    private static let headerLimit = 1 << 16

    /// Reads the array at `path`.
    /// - Throws: `FileFailure`, or `FormatFailure` saying which rule is broken.
    public static func read(_ path: String) throws -> Tensor {
        var cursor = ByteCursor(try ByteStore(path: path))
        return try decode(&cursor)
    }

    /// Reads an array that is in memory; `source` names it in errors.
    public static func read(bytes: [UInt8], source: String = "npy data") throws -> Tensor {
        var cursor = ByteCursor(bytes, source: source)
        return try decode(&cursor)
    }

    /// Writes a tensor, whole or not at all.
    public static func write(_ tensor: Tensor, to path: String) throws {
        try AtomicFile.write(path) { append in
            try header(tensor).withUnsafeBytes { try append($0) }
            try withElements(tensor) { try append($0) }
        }
    }

    static func decode(_ input: inout some ByteSource) throws -> Tensor {
        let start = try input.bytes(magic.count, "the magic number")
        guard start == magic else {
            throw FormatFailure.wrongMagic(source: input.source, expected: "an npy array", got: start)
        }
        let version = try input.integer(UInt16.self, .big, "the version")
        guard [0x0100, 0x0200, 0x0300].contains(version) else {
            throw FormatFailure.unsupported(
                source: input.source, detail: "npy version \(version >> 8).\(version & 0xFF) is not read")
        }
        let length =
            version == 0x0100
            ? UInt64(try input.integer(UInt16.self, .little, "the length of the header"))
            : UInt64(try input.integer(UInt32.self, .little, "the length of the header"))
        guard length <= UInt64(headerLimit) else {
            throw FormatFailure.headerTooLarge(source: input.source, byteCount: length, limit: headerLimit)
        }
        let header = try NPYHeader(input.bytes(Int(length), "the header"), source: input.source)
        let byteCount = try checkedByteCount(
            of: header.dims, elementBytes: header.type.stored.byteCount, source: input.source, what: "the array")
        guard byteCount <= input.remainderBound else {
            throw FormatFailure.truncated(
                source: input.source, what: "the elements that the shape \(Shape(header.dims)) promises",
                offset: input.offset, missing: byteCount - input.remainderBound)
        }
        let dims = header.isColumnMajor ? header.dims.reversed() : header.dims
        let stored = try header.type.stored.tensor(
            &input, shape: Shape(Array(dims)), as: header.type.stored.dtype, order: header.isBigEndian ? .big : .little)
        try input.finish()
        guard header.isColumnMajor, dims.count > 1 else { return stored }
        return try stored.permuted(Array(dims.indices.reversed())).contiguous()
    }

    /// Magic, version 1.0 and a header that fills up to a multiple of 64 bytes.
    static func header(_ tensor: Tensor) -> [UInt8] {
        let type = NPYType(tensor.dtype)
        let shape = tensor.shape.dims.map(String.init).joined(separator: ", ") + (tensor.rank == 1 ? "," : "")
        let order = type.stored.byteCount == 1 ? "|" : "<"
        var text = Array("{'descr': '\(order)\(type.rawValue)', 'fortran_order': False, 'shape': (\(shape)), }".utf8)
        let total = magic.count + 4 + text.count + 1
        text += [UInt8](repeating: UInt8(ascii: " "), count: (64 - total % 64) % 64) + [UInt8(ascii: "\n")]
        return magic + [1, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)] + text
    }

    /// The elements as they lie in a file. The machine is little-endian.
    static func withElements<Result>(_ tensor: Tensor, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        let plain = try tensor.contiguous()
        return try withExtendedLifetime(plain.storage) {
            try body(UnsafeRawBufferPointer(start: plain.rawBase, count: plain.byteCount))
        }
    }
}
