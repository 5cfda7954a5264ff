import Basics
import Tensors

extension SafetensorsFile {
    /// Writes the file whole or not at all. The same tensors and texts always give the same bytes.
    /// - Throws: `FileFailure`, or `FormatFailure.notRepresentable` when the header is too long.
    /// - Complexity: O(bytes).
    public func write(to path: String) throws {
        try AtomicFile.write(path) { try produce($0) }
    }

    /// The file in memory.
    public func bytes() throws -> [UInt8] {
        var bytes: [UInt8] = []
        try produce { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Where each tensor's elements lie, counted from the end of the header.
    ///
    /// Wide elements come first, so that every tensor lies at a multiple of its element's size, which readers that map
    /// the file rely on; the order is the given one otherwise.
    private func arranged() -> (order: [Int], offsets: [Int]) {
        let order = tensors.indices.sorted {
            (-tensors[$0].tensor.dtype.byteCount, $0) < (-tensors[$1].tensor.dtype.byteCount, $1)
        }
        var offsets = [Int](repeating: 0, count: tensors.count)
        var end = 0
        for index in order {
            offsets[index] = end
            end += tensors[index].tensor.byteCount
        }
        return (order, offsets)
    }

    private func header(_ offsets: [Int]) throws -> [UInt8] {
        var object = JSONObject()
        if !metadata.isEmpty {
            var texts = JSONObject()
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { texts[key] = .string(value) }
            object[metadataKey] = .object(texts)
        }
        for (entry, begin) in zip(tensors, offsets) {
            object[entry.name] = [
                "dtype": .string(SafetensorsType(entry.tensor.dtype).rawValue),
                "shape": .array(entry.tensor.shape.dims.map { .integer(Int64($0)) }),
                "data_offsets": [.integer(Int64(begin)), .integer(Int64(begin + entry.tensor.byteCount))],
            ]
        }
        var text = Array(try JSONValue.object(object).serialized().utf8)
        // Spaces, so that the data begins at a multiple of eight bytes.
        text += [UInt8](repeating: UInt8(ascii: " "), count: -text.count & 7)
        guard text.count <= Self.headerLimit else {
            throw FormatFailure.notRepresentable(
                format: "safetensors", detail: "the header has \(text.count) bytes, more than \(Self.headerLimit)")
        }
        return text
    }

    private func produce(_ append: (UnsafeRawBufferPointer) throws -> Void) throws {
        let (order, offsets) = arranged()
        let header = try header(offsets)
        try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try append($0) }
        try header.withUnsafeBytes { try append($0) }
        for index in order {
            try Cancellation.check()
            let plain = try tensors[index].tensor.contiguous()
            try withExtendedLifetime(plain.storage) {
                try append(UnsafeRawBufferPointer(start: plain.rawBase, count: plain.byteCount))
            }
        }
    }
}
