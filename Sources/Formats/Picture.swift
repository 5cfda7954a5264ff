import Basics
import CImages
public import Tensors

/// PNG and JPEG files as pixels.
///
/// Every kind of either becomes 8-bit RGB with the values that Pillow's `convert("RGB")` and torchvision's `ImageFolder` give:
/// grey and palettes are widened, of 16 bits the upper eight are taken, inks (CMYK) are mixed, and alpha is dropped. Gamma,
/// colour profiles and orientation tags are not followed. Damaged and truncated files are errors, not grey rows; bytes
/// that no pixel needs are passed over.
public enum Picture {
    /// Larger pictures are refused: a file of a few kilobytes can claim gigabytes.
    public static let pixelLimit = 1 << 26
    /// So are larger files.
    private static let byteLimit = 1 << 30

    /// Whether `path` ends like the name of a picture that can be read.
    public static func hasKnownName(_ path: String) -> Bool {
        let name = path.lowercased()
        return [".png", ".jpg", ".jpeg"].contains { name.hasSuffix($0) }
    }

    /// Reads the picture at `path`.
    /// - Returns: uint8 [3, H, W].
    /// - Throws: `FileFailure`, or `FormatFailure`: `wrongMagic`, `expandsTooFar`, `invalidImage`, and `unsupported` for a
    ///   kind of JPEG that is rare.
    public static func read(_ path: String) throws -> Tensor {
        let store = try ByteStore(path: path)
        guard store.count <= byteLimit else {
            throw FileFailure.tooLarge(path: path, byteCount: store.count, limit: byteLimit)
        }
        // As a tensor, because that is memory which counts.
        var cursor = ByteCursor(store)
        let bytes = try StoredType.uint8.tensor(&cursor, shape: [store.count], as: .uint8)
        return try bytes.withElements(of: UInt8.self) { try decode($0, source: path) }
    }

    /// Reads a picture that is in memory; `source` names it in errors.
    public static func read(bytes: [UInt8], source: String = "picture") throws -> Tensor {
        try bytes.withUnsafeBufferPointer { try decode($0, source: source) }
    }

    private static func decode(_ content: UnsafeBufferPointer<UInt8>, source: String) throws -> Tensor {
        guard let bytes = content.baseAddress, cim_recognize(bytes, content.count) != cim_unknown else {
            throw FormatFailure.wrongMagic(source: source, expected: "a PNG or JPEG picture", got: Array(content.prefix(8)))
        }
        var message = [CChar](repeating: 0, count: Int(cim_message_size))
        var (width, height): (Int32, Int32) = (0, 0)
        func check(_ status: Int32) throws {
            guard Int(status) != cim_unsupported else {
                throw FormatFailure.unsupported(source: source, detail: "this kind of picture cannot be read: \(text(message))")
            }
            guard status == 0 else {
                throw FormatFailure.invalidImage(source: source, reason: text(message))
            }
        }
        try check(cim_read_size(bytes, content.count, &width, &height, &message))
        let (rows, columns) = (Int(height), Int(width))
        guard rows >= 1, columns >= 1, rows * columns <= pixelLimit else {
            // Both extents are below 2³¹: only tripling their product may overflow.
            let (byteCount, overflow) = (rows * columns).multipliedReportingOverflow(by: 3)
            throw FormatFailure.expandsTooFar(
                source: source, byteCount: overflow ? .max : byteCount, limit: 3 * pixelLimit)
        }
        let interleaved = try Tensor(uninitialized: [rows, columns, 3], dtype: .uint8)
        try interleaved.withMutableElements(of: UInt8.self) {
            try check(cim_decode(bytes, content.count, width, height, $0.baseAddress, &message))
        }
        return try interleaved.permuted([2, 0, 1]).contiguous()
    }

    private static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
