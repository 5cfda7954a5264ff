import Basics
import Tensors

extension SafetensorsFile {
    /// Reads the file at `path`. F32, I64 and U8 are taken as they are; F16, BF16 and F64 become float32 (a double
    /// beyond its range becomes infinite), I32 becomes int64.
    /// - Throws: `FileFailure`, or a `FormatFailure` for the rule of the format that is broken.
    /// - Complexity: O(bytes).
    public init(path: String) throws {
        try self.init(ByteStore(path: path))
    }

    /// Reads a file that is in memory; `source` names it in errors.
    public init(bytes: [UInt8], source: String = "safetensors data") throws {
        try self.init(ByteStore(bytes, source: source))
    }

    private init(_ store: ByteStore) throws {
        let source = store.source
        var cursor = ByteCursor(store)
        let header = try Self.header(&cursor)
        let dataStart = cursor.offset
        let dataCount = cursor.remainderBound
        var metadata: [String: String] = [:]
        var entries: [Entry] = []
        for (name, value) in header.members {
            if name == metadataKey {
                metadata = try Self.texts(value, source: source)
            } else {
                entries.append(try Entry(name: name, value, dataCount: dataCount, source: source))
            }
        }
        try Entry.checkCoverage(entries, dataCount: dataCount, source: source)
        var tensors: [(name: String, tensor: Tensor)] = []
        for entry in entries {
            try Cancellation.check()
            let range = (dataStart + entry.begin)..<(dataStart + entry.end)
            var elements = ByteCursor(store, range: range, source: "\(source) › \(entry.name)")
            let type = entry.type.stored
            tensors.append((entry.name, try type.tensor(&elements, shape: Shape(entry.dims), as: type.dtype)))
        }
        try self.init(tensors: tensors, metadata: metadata)
    }

    private static func header(_ cursor: inout ByteCursor) throws -> JSONObject {
        let length = try cursor.integer(UInt64.self, .little, "the length of the header")
        guard length <= headerLimit else {
            throw FormatFailure.headerTooLarge(source: cursor.source, byteCount: length, limit: headerLimit)
        }
        let text = try cursor.bytes(Int(length), "the header")
        guard text.first == UInt8(ascii: "{") else {
            throw FormatFailure.invalidHeader(source: cursor.source, detail: "it does not begin with '{'")
        }
        guard case .object(let object) = try JSONValue.parse(text, source: cursor.source + " (header)") else {
            throw FormatFailure.invalidHeader(source: cursor.source, detail: "it is no JSON object")
        }
        return object
    }

    private static func texts(_ value: JSONValue, source: String) throws -> [String: String] {
        guard let members = value.object?.members else {
            throw FormatFailure.invalidHeader(
                source: source, detail: "\(metadataKey) must be an object, but is \(value.kind)")
        }
        var texts: [String: String] = [:]
        for (key, value) in members {
            guard let text = value.string else {
                throw FormatFailure.invalidHeader(
                    source: source, detail: "\(metadataKey).\(key) must be a string, but is \(value.kind)")
            }
            texts[key] = text
        }
        return texts
    }
}

/// What the header says of one tensor.
private struct Entry {
    let name: String
    let type: SafetensorsType
    let dims: [Int]
    let begin: Int
    let end: Int

    init(name: String, _ value: JSONValue, dataCount: Int, source: String) throws {
        let what = "tensor '\(name)'"
        guard let members = value.object, members.count == 3, let typeName = members["dtype"]?.string,
            let extents = members["shape"]?.array, let offsets = members["data_offsets"]?.array, offsets.count == 2
        else {
            throw FormatFailure.invalidHeader(
                source: source, detail: "\(what) needs dtype, shape and two data_offsets, and nothing else")
        }
        guard let type = SafetensorsType(rawValue: typeName) else {
            throw FormatFailure.unknownType(
                source: source, what: what, got: typeName,
                known: SafetensorsType.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let dims = extents.compactMap(\.integer)
        guard dims.count == extents.count else {
            throw FormatFailure.invalidShape(source: source, what: what, detail: "an extent is no whole number")
        }
        guard let begin = offsets[0].integer, let end = offsets[1].integer else {
            throw FormatFailure.invalidHeader(source: source, detail: "\(what): an offset is no whole number")
        }
        let expected = try checkedByteCount(of: dims, elementBytes: type.stored.byteCount, source: source, what: what)
        guard begin >= 0, begin <= end, end <= dataCount else {
            throw FormatFailure.outOfRange(source: source, what: what, begin: begin, end: end, byteCount: dataCount)
        }
        guard end - begin == expected else {
            throw FormatFailure.sizeMismatch(source: source, what: what, expected: expected, got: end - begin)
        }
        (self.name, self.type, self.dims, self.begin, self.end) = (name, type, dims, begin, end)
    }

    /// - Throws: `overlap`, `hole` or `trailingBytes` unless each byte of the data belongs to exactly one tensor.
    static func checkCoverage(_ entries: [Entry], dataCount: Int, source: String) throws {
        var covered = 0
        var previous = ""
        for entry in entries.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
            let what = "tensor '\(entry.name)'"
            guard entry.begin >= covered else {
                throw FormatFailure.overlap(source: source, what: what, other: previous)
            }
            guard entry.begin == covered else {
                throw FormatFailure.hole(
                    source: source, what: what, offset: covered, byteCount: entry.begin - covered)
            }
            covered = entry.end
            previous = what
        }
        guard covered == dataCount else {
            throw FormatFailure.trailingBytes(source: source, offset: covered, byteCount: dataCount - covered)
        }
    }
}
