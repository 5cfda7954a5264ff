import Basics
import Formats
import ONNXMessages
import Tensors

/// Makes tensors of the messages that hold weights, wherever their bytes are: in the message, or in a file beside the
/// model.
struct ONNXTensorReader {
    let source: String
    /// Where files of external data lie; `nil` for a model that came from memory.
    let directory: String?
    /// The model that the messages are of, which tells where their raw data lies; `nil` for messages that have it
    /// themselves.
    let outline: ONNXOutline?

    /// Floating-point types become float32, whole numbers and truth values int64.
    /// - Throws: `InterchangeFailure` saying which tensor and what is wrong with it.
    func tensor(_ message: Onnx_TensorProto) throws -> Tensor {
        let place = "tensor '\(message.name)'"
        func malformed(_ detail: String) -> InterchangeFailure { .malformed(source: source, place: place, detail: detail) }
        guard let type = Onnx_TensorProto.DataType(rawValue: Int(message.dataType)), let stored = Self.storedType(of: type)
        else {
            throw InterchangeFailure.unsupported(
                source: source, place: place, detail: "elements of type \(message.dataType) are not read")
        }
        let dims = message.dims.map { Int($0) }
        guard dims.count <= Shape.rankLimit else {
            throw malformed("it has \(dims.count) dimensions, more than \(Shape.rankLimit)")
        }
        var count = 1
        for extent in dims {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow, product < 1 << 40 else { throw malformed("its shape \(dims) is absurd") }
            count = product
        }
        // Checked before memory is taken: a promise of elements that are not there costs nothing.
        func fill(_ cursor: ByteCursor) throws -> Tensor {
            guard cursor.remainderBound == count * stored.byteCount else {
                throw malformed("its shape \(dims) needs \(count * stored.byteCount) bytes, but it has \(cursor.remainderBound)")
            }
            var cursor = cursor
            return try stored.tensor(&cursor, shape: Shape(dims), as: stored.dtype == .float32 ? .float32 : .int64)
        }
        if message.dataLocation == .external {
            return try fill(externalBytes(message, byteCount: count * stored.byteCount, place))
        }
        if message.hasRawData {
            if let outline {
                guard let bytes = outline.rawData(of: message) else { throw malformed("its raw data is missing") }
                return try fill(bytes)
            }
            return try fill(ByteCursor(message.withRawBytes { Array($0) }, source: source))
        }
        guard let listed = try Self.listed(message, type, count: count, shape: Shape(dims)) else {
            throw malformed("its shape \(dims) needs \(count) elements, but it holds another number")
        }
        return listed
    }

    private static func storedType(of type: Onnx_TensorProto.DataType) -> StoredType? {
        switch type {
        case .float: .float32
        case .double: .float64
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .bool: .bool
        case .uint8: .uint8
        case .int8: .int8
        case .uint16: .uint16
        case .int16: .int16
        case .uint32: .uint32
        case .int32: .int32
        case .uint64: .uint64
        case .int64: .int64
        default: nil
        }
    }

    /// Elements in the typed lists of the message; `nil` where their number is not `count`.
    private static func listed(
        _ message: Onnx_TensorProto, _ type: Onnx_TensorProto.DataType, count: Int, shape: Shape
    ) throws -> Tensor? {
        func make<Raw, Element: TensorElement>(_ list: [Raw], _ change: (Raw) -> Element) throws -> Tensor? {
            list.count == count ? try Tensor(list.map(change), shape: shape) : nil
        }
        switch type {
        case .float: return try make(message.floatData) { $0 }
        case .double: return try make(message.doubleData) { Float($0) }
        case .float16: return try make(message.int32Data) { Float(Float16(bitPattern: UInt16(truncatingIfNeeded: $0))) }
        case .bfloat16:
            return try make(message.int32Data) { Float(bitPattern: UInt32(truncatingIfNeeded: $0) << 16) }
        case .int64: return try make(message.int64Data) { $0 }
        case .uint32, .uint64: return try make(message.uint64Data) { Int64(truncatingIfNeeded: $0) }
        default: return try make(message.int32Data) { Int64($0) }
        }
    }

    // MARK: External data

    /// The `byteCount` bytes of a tensor in a file beside the model; never one outside its directory, also not by a link.
    private func externalBytes(_ message: Onnx_TensorProto, byteCount: Int, _ place: String) throws -> ByteCursor {
        func malformed(_ detail: String) -> InterchangeFailure { .malformed(source: source, place: place, detail: detail) }
        var entries: [String: String] = [:]
        for entry in message.externalData { entries[entry.key] = entry.value }
        let file = try externalFile(message)
        func number(_ key: String) throws -> Int? {
            guard let text = entries[key] else { return nil }
            guard let number = Int(text), number >= 0 else { throw malformed("'\(key)' of its external data is '\(text)'") }
            return number
        }
        let offset = try number("offset") ?? 0
        guard try number("length") ?? byteCount == byteCount else {
            throw malformed("its shape needs \(byteCount) bytes, but its external data has \(entries["length"] ?? "")")
        }
        let store = ByteStore(file)
        guard offset <= store.count, byteCount <= store.count - offset else {
            throw malformed(
                "its data lies at bytes \(offset) to \(offset)+\(byteCount), but '\(entries["location"] ?? file.path)' has \(store.count)")
        }
        return ByteCursor(store, range: offset..<(offset + byteCount))
    }

    /// The file beside the model that holds a tensor's elements; links are followed where they stay beneath its directory.
    func externalFile(_ message: Onnx_TensorProto) throws -> OpenFile {
        func malformed(_ detail: String) -> InterchangeFailure {
            .malformed(source: source, place: "tensor '\(message.name)'", detail: detail)
        }
        guard let location = message.externalData.first(where: { $0.key == "location" })?.value, !location.isEmpty else {
            throw malformed("its external data has no location")
        }
        guard let directory else { throw malformed("its data lies in '\(location)', but the model came from memory") }
        let parts = location.unicodeScalars.split(separator: "/").map(String.init)
        guard !FilePath.isAbsolute(location), !parts.contains(".."), !location.contains("\0") else {
            throw malformed("its data is said to lie in '\(location)', outside the model's directory")
        }
        do {
            return try OpenFile(location, beneath: directory)
        } catch let failure as FileFailure {
            throw malformed("its data file is missing or lies outside the model's directory: \(failure)")
        }
    }
}
