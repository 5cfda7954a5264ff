import Basics
import Formats
import ONNXMessages
import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// Makes tensors of the messages that hold weights, wherever their bytes are: in the message, or in a file beside the
/// model.
struct ONNXTensorReader {
    let source: String
    /// Where files of external data lie; `nil` for a model that came from memory.
    let directory: String?

    init(source: String, directory: String?) {
        self.source = source
        self.directory = directory
    }

    /// Floating-point types become float32, whole numbers and truth values int64.
    /// - Throws: `InterchangeFailure` saying which tensor and what is wrong with it.
    func tensor(_ message: Onnx_TensorProto) throws -> Tensor {
        let place = "tensor '\(message.name)'"
        func malformed(_ detail: String) -> InterchangeFailure { .malformed(source: source, place: place, detail: detail) }
        guard let type = Onnx_TensorProto.DataType(rawValue: Int(message.dataType)), let width = Self.byteCount(of: type)
        else {
            throw InterchangeFailure.unsupported(
                source: source, place: place, detail: "elements of type \(message.dataType) are not read")
        }
        let dims = message.dims.map { Int($0) }
        var count = 1
        for extent in dims {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow, product < 1 << 40 else { throw malformed("its shape \(dims) is absurd") }
            count = product
        }
        // Checked before memory is taken: a promise of elements that are not there costs nothing.
        func fill(_ bytes: UnsafeRawBufferPointer) throws -> Tensor {
            guard bytes.count == count * width else {
                throw malformed("its shape \(dims) needs \(count * width) bytes, but it has \(bytes.count)")
            }
            return try Self.tensor(of: type, bytes, Shape(dims))
        }
        if message.dataLocation == .external {
            return try withExternalBytes(message, byteCount: count * width, place) { try fill($0) }
        }
        if message.hasRawData { return try message.withRawBytes(fill) }
        guard let listed = try Self.listed(message, type, count: count, shape: Shape(dims)) else {
            throw malformed("its shape \(dims) needs \(count) elements, but it holds another number")
        }
        return listed
    }

    private static func byteCount(of type: Onnx_TensorProto.DataType) -> Int? {
        switch type {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .float, .int32, .uint32: 4
        case .int64, .uint64, .double: 8
        default: nil
        }
    }

    private static func tensor(
        of type: Onnx_TensorProto.DataType, _ bytes: UnsafeRawBufferPointer, _ shape: Shape
    ) throws -> Tensor {
        func make<Raw: BitwiseCopyable, Element: TensorElement>(_: Raw.Type, _ change: (Raw) -> Element) throws -> Tensor {
            let result = try Tensor(uninitialized: shape, dtype: Element.dtype)
            try result.withMutableElements(of: Element.self) { elements in
                for i in elements.indices {
                    elements[i] = change(bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<Raw>.size, as: Raw.self))
                }
            }
            return result
        }
        switch type {
        case .float: return try make(Float.self) { $0 }
        case .double: return try make(Double.self) { Float($0) }
        case .float16: return try make(UInt16.self) { Float(Float16(bitPattern: $0)) }
        case .bfloat16: return try make(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
        case .int64: return try make(Int64.self) { $0 }
        case .int32: return try make(Int32.self) { Int64($0) }
        case .int16: return try make(Int16.self) { Int64($0) }
        case .int8: return try make(Int8.self) { Int64($0) }
        case .uint64: return try make(UInt64.self) { Int64(truncatingIfNeeded: $0) }
        case .uint32: return try make(UInt32.self) { Int64($0) }
        case .uint16: return try make(UInt16.self) { Int64($0) }
        default: return try make(UInt8.self) { Int64($0) }
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

    /// Reads `byteCount` bytes of a file beside the model; never one outside its directory, also not by a link.
    private func withExternalBytes<Result>(
        _ message: Onnx_TensorProto, byteCount: Int, _ place: String, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
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
        let size = try AtomicFile.size(file)
        guard offset <= size, byteCount <= size - offset else {
            throw malformed("its data lies at bytes \(offset) to \(offset)+\(byteCount), but '\(entries["location"] ?? file)' has \(size)")
        }
        return try AtomicFile.read(file, from: offset, count: byteCount).withUnsafeBytes(body)
    }

    /// The file beside the model that holds a tensor's elements, with links followed.
    func externalFile(_ message: Onnx_TensorProto) throws -> String {
        func malformed(_ detail: String) -> InterchangeFailure {
            .malformed(source: source, place: "tensor '\(message.name)'", detail: detail)
        }
        guard let location = message.externalData.first(where: { $0.key == "location" })?.value, !location.isEmpty else {
            throw malformed("its external data has no location")
        }
        guard let directory else { throw malformed("its data lies in '\(location)', but the model came from memory") }
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        guard !location.hasPrefix("/"), !parts.contains(".."), !location.contains("\0") else {
            throw malformed("its data is said to lie in '\(location)', outside the model's directory")
        }
        let path = directory.isEmpty ? location : directory + "/" + location
        let root = Self.resolved(directory.isEmpty ? "." : directory)
        guard let file = Self.resolved(path), let root, file.hasPrefix(root == "/" ? root : root + "/") else {
            throw malformed("its data file '\(path)' is missing or lies outside the model's directory")
        }
        return file
    }

    private static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }
}
