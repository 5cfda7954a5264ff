import Basics
import Formats
import ONNXMessages

/// An ONNX file without the elements of its tensors: the message as it is otherwise, in which each tensor's raw data is
/// only the number of its place.
///
/// So a model is read tensor by tensor, from the file straight into the memory of each tensor, and what is decoded as a
/// message is small.
/// - Reference: Protocol Buffers, *Encoding*, https://protobuf.dev/programming-guides/encoding.
package struct ONNXOutline: Sendable {
    let model: Onnx_ModelProto
    private let store: ByteStore
    private let places: [Range<Int>]

    /// Protobuf messages end at 2 GiB; larger models keep their weights in external data.
    static let byteLimit = 1 << 31
    /// What a file may have beside the elements of its tensors.
    private static let messageLimit = 1 << 29

    /// - Throws: `FileFailure` for a file that cannot be read or is too large; `InterchangeFailure.malformed` for one that
    ///   is no model.
    init(_ store: ByteStore) throws {
        guard store.count <= Self.byteLimit else {
            throw FileFailure.tooLarge(path: store.source, byteCount: store.count, limit: Self.byteLimit)
        }
        do {
            var scan = Scan(store, messageLimit: Self.messageLimit)
            model = try ONNXCoding.decode(scan.message())
            (self.store, places) = (store, scan.places)
        } catch let failure as FileFailure {
            throw failure
        } catch let interruption as Interrupted {
            throw interruption
        } catch {
            throw InterchangeFailure.malformed(source: store.source, place: "message", detail: "is no ONNX model (\(error))")
        }
    }

    /// The raw data of a tensor of this model.
    func rawData(of tensor: Onnx_TensorProto) -> ByteCursor? {
        let number = tensor.withRawBytes { $0.count == 8 ? $0.loadUnaligned(as: UInt64.self) : .max }
        guard let index = Int(exactly: number), places.indices.contains(index) else { return nil }
        return ByteCursor(store, range: places[index])
    }
}

/// Goes through the fields of a file and copies all but the elements of tensors.
private struct Scan {
    /// The messages that lead to tensors, with the fields that hold them.
    private enum Kind {
        case model, graph, node, attribute, tensor

        func child(_ field: UInt64) -> Kind? {
            switch (self, field) {
            case (.model, 7): .graph
            case (.graph, 1): .node
            case (.graph, 5), (.attribute, 5): .tensor
            case (.node, 5): .attribute
            default: nil
            }
        }
    }

    private let store: ByteStore
    private let messageLimit: Int
    private(set) var places: [Range<Int>] = []
    private var copiedCount = 0

    init(_ store: ByteStore, messageLimit: Int) {
        (self.store, self.messageLimit) = (store, messageLimit)
    }

    mutating func message() throws -> [UInt8] { try copy(0..<store.count, .model) }

    private mutating func copy(_ range: Range<Int>, _ kind: Kind) throws -> [UInt8] {
        try Cancellation.check()
        if kind == .tensor { return try copyTensor(range) }
        var result: [UInt8] = []
        var fields = Fields(store, range)
        // What is copied as it is, up to the next field that is not.
        var plain = range.lowerBound..<range.lowerBound
        while let field = try fields.next() {
            if field.wireType == 2, let child = kind.child(field.number) {
                try append(plain, to: &result)
                append(field.number, try copy(field.content, child), to: &result)
                plain = field.whole.upperBound..<field.whole.upperBound
            } else {
                plain = plain.lowerBound..<field.whole.upperBound
            }
        }
        try append(plain, to: &result)
        return result
    }

    // MARK: Tensors

    private static let rawData: UInt64 = 9
    /// Lists of floats and doubles are stored as raw data is, where they are packed.
    private static let packedLists: [UInt64: Onnx_TensorProto.DataType] = [4: .float, 10: .double]
    /// Shorter lists stay where they are.
    private static let leastList = 4096

    private mutating func copyTensor(_ range: Range<Int>) throws -> [UInt8] {
        let list = try onlyList(range)
        var result: [UInt8] = []
        var fields = Fields(store, range)
        var plain = range.lowerBound..<range.lowerBound
        while let field = try fields.next() {
            if field.wireType == 2, field.number == Self.rawData || field.whole == list {
                try append(plain, to: &result)
                let number = withUnsafeBytes(of: UInt64(places.count).littleEndian) { Array($0) }
                append(Self.rawData, number, to: &result)
                places.append(field.content)
                plain = field.whole.upperBound..<field.whole.upperBound
            } else {
                plain = plain.lowerBound..<field.whole.upperBound
            }
        }
        try append(plain, to: &result)
        return result
    }

    /// Where the packed list lies that has all of a tensor's elements, as raw data would.
    private func onlyList(_ range: Range<Int>) throws -> Range<Int>? {
        var (type, list, listCount) = (UInt64.max, nil as Fields.Field?, 0)
        var fields = Fields(store, range)
        while let field = try fields.next() {
            if field.number == Self.rawData { return nil }
            if field.number == 2, field.wireType == 0 { type = field.value }
            if Self.packedLists[field.number] != nil { (list, listCount) = (field, listCount + 1) }
        }
        guard let list, listCount == 1, list.wireType == 2, list.content.count >= Self.leastList,
            Self.packedLists[list.number].map({ UInt64($0.rawValue) }) == type
        else { return nil }
        return list.whole
    }

    // MARK: Copying

    private mutating func append(_ range: Range<Int>, to result: inout [UInt8]) throws {
        copiedCount += range.count
        guard copiedCount <= messageLimit else {
            throw FileFailure.tooLarge(path: store.source, byteCount: store.count, limit: messageLimit)
        }
        var cursor = ByteCursor(store, range: range)
        result += try cursor.bytes(range.count, "a field")
    }

    private mutating func append(_ number: UInt64, _ content: [UInt8], to result: inout [UInt8]) {
        appendVarint(number << 3 | 2, to: &result)
        appendVarint(UInt64(content.count), to: &result)
        result += content
    }

    private func appendVarint(_ value: UInt64, to result: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            result.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        result.append(UInt8(rest))
    }
}

/// The fields of one message, front to back.
private struct Fields {
    struct Field {
        let number: UInt64
        let wireType: UInt64
        /// Where its bytes lie, with its tag.
        let whole: Range<Int>
        /// Where that lies which it holds, without tag and length.
        let content: Range<Int>
        /// The number that it holds, where it holds one.
        let value: UInt64
    }

    private let source: String
    private let start: Int
    private var cursor: ByteCursor

    init(_ store: ByteStore, _ range: Range<Int>) {
        (source, start) = (store.source, range.lowerBound)
        cursor = ByteCursor(store, range: range)
    }

    mutating func next() throws -> Field? {
        guard cursor.remainderBound > 0 else { return nil }
        let begin = start + cursor.offset
        let tag = try varint()
        var value: UInt64 = 0
        var content = (start + cursor.offset)..<(start + cursor.offset)
        switch tag & 7 {
        case 0: value = try varint()
        case 1: content = try cursor.take(8, "a field")
        case 5: content = try cursor.take(4, "a field")
        case 2: content = try cursor.take(Int(exactly: try varint()) ?? .max, "a field")
        default: throw FormatFailure.unsupported(source: source, detail: "a field of wire type \(tag & 7)")
        }
        return Field(number: tag >> 3, wireType: tag & 7, whole: begin..<(start + cursor.offset), content: content, value: value)
    }

    private mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 64, by: 7) {
            let byte = try cursor.integer(UInt8.self, .little, "a number")
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw FormatFailure.unsupported(source: source, detail: "a number of more than ten bytes")
    }
}
