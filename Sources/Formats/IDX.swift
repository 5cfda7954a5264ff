import Basics
public import Tensors

/// The format of the MNIST family: a big-endian header of extents, then the elements.
///
/// Only unsigned bytes are read, which is what every image data set in this format has. Files may be compressed with
/// gzip; at most as many bytes are decompressed as the header says, so that a small file cannot fill the memory.
/// - Reference: Y. LeCun, C. Cortes, C. Burges, *The MNIST database of handwritten digits*, section "The IDX file
///   format".
public enum IDX {
    private static let typeNames: [UInt8: String] = [
        0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64",
    ]

    /// Reads the file at `path`, plain or gzip.
    /// - Returns: a uint8 tensor with the extents of the header.
    /// - Throws: `FileFailure`, or `FormatFailure` when the magic is wrong, the type is another, the header and the
    ///   number of bytes disagree, or the compressed data is damaged.
    /// - Complexity: O(bytes).
    public static func read(_ path: String) throws -> Tensor {
        try read(ByteStore(path: path))
    }

    /// Reads a file that is in memory; `source` names it in errors.
    public static func read(bytes: [UInt8], source: String = "IDX data") throws -> Tensor {
        try read(ByteStore(bytes, source: source))
    }

    private static func read(_ store: ByteStore) throws -> Tensor {
        var cursor = ByteCursor(store)
        guard InflateStream.recognizesGzip(try store.prefix(2)) else { return try decode(&cursor) }
        var stream = try InflateStream(cursor)
        return try decode(&stream)
    }

    private static func decode(_ input: inout some ByteSource) throws -> Tensor {
        let magic = try input.integer(UInt32.self, .big, "the magic number")
        guard magic >> 16 == 0 else {
            let bytes = withUnsafeBytes(of: magic.bigEndian) { Array($0) }
            throw FormatFailure.wrongMagic(source: input.source, expected: "an IDX file", got: bytes)
        }
        let type = UInt8(truncatingIfNeeded: magic >> 8)
        guard type == 0x08 else {
            throw FormatFailure.unknownType(
                source: input.source, what: "the array", got: typeNames[type] ?? "0x" + String(type, radix: 16),
                known: "uint8")
        }
        var dims: [Int] = []
        for dim in 0..<Int(magic & 0xFF) {
            dims.append(Int(try input.integer(UInt32.self, .big, "the extent of dimension \(dim)")))
        }
        let byteCount = try checkedByteCount(of: dims, elementBytes: 1, source: input.source, what: "the array")
        guard byteCount <= input.remainderBound else {
            throw FormatFailure.truncated(
                source: input.source, what: "the \(byteCount) elements that the extents \(Shape(dims)) promise",
                offset: input.offset, missing: byteCount - input.remainderBound)
        }
        let result = try StoredType.uint8.tensor(&input, shape: Shape(dims), as: .uint8)
        try input.finish()
        return result
    }
}

/// The bytes of a tensor with extents that a file claims.
///
/// Extents of 0 do not excuse absurd others: they would overflow in strides.
/// - Throws: `FormatFailure.invalidShape` when there are more than 32 dimensions, an extent is negative or the others
///   multiply beyond 2⁵⁰ bytes.
func checkedByteCount(of dims: [Int], elementBytes: Int, source: String, what: String) throws -> Int {
    guard dims.count <= Shape.rankLimit else {
        throw FormatFailure.invalidShape(
            source: source, what: what, detail: "\(dims.count) dimensions are more than \(Shape.rankLimit)")
    }
    var extent = elementBytes
    for dim in dims {
        let (product, overflow) = extent.multipliedReportingOverflow(by: max(1, dim))
        guard dim >= 0, !overflow, product < 1 << 50 else {
            throw FormatFailure.invalidShape(
                source: source, what: what, detail: "\(Shape(dims)) has a negative or absurdly large extent")
        }
        extent = product
    }
    return dims.contains(0) ? 0 : extent
}
