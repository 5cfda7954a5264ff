extension ModelFormat {
    /// Models from elsewhere, and ours for others.
    public static let onnx = ModelFormat(
        summary: "ONNX", ending: ".onnx",
        reading: Reading(
            recognises: beginsWithModelFields, read: { try ONNXFile.read($0) }, byteCount: { try ONNXFile.byteCount($0) },
            inspect: { path in
                let seen = try ONNXFile.inspect(path)
                return ModelInspection(heading: heading(seen), graph: seen.graph, problems: seen.problems)
            }),
        write: { model, path, version in
            try ONNXFile.write(model, to: path, version: version)
            return [path]
        })

    private static func heading(_ seen: ONNXInspection) -> String {
        let operators = seen.operatorCounts.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
        let producer = seen.producer.isEmpty ? "" : ", by \(seen.producer)"
        return "ONNX, IR \(seen.irVersion), opset \(seen.opset)\(producer)\n\(seen.nodeCount) nodes: \(operators)"
    }

    /// Fields of `ModelProto` by their kinds on the wire: versions are numbers, the others have a length.
    private static let numberFields: Set<UInt64> = [1, 5]
    private static let lengthFields: Set<UInt64> = [2, 3, 4, 6, 7, 8, 14, 20, 25]

    /// Whether there is nothing but fields of a `ModelProto` as far as the bytes go. The format has no magic number.
    @Sendable private static func beginsWithModelFields(_ file: FileBeginning) -> Bool {
        var offset = 0
        func number() -> UInt64? {
            var (value, shift) = (UInt64(0), UInt64(0))
            while offset < file.bytes.count, shift < 64 {
                let byte = file.bytes[offset]
                offset += 1
                value |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            return nil
        }
        while offset < file.bytes.count {
            // A number that the bytes cut off is no contradiction.
            guard let tag = number() else { return offset == FileBeginning.length }
            guard let value = number() else { return offset == FileBeginning.length }
            switch tag & 7 {
            case 0 where numberFields.contains(tag >> 3): break
            case 2 where lengthFields.contains(tag >> 3):
                guard value <= UInt64(file.byteCount - offset) else { return false }
                offset += Int(value)
            default: return false
            }
        }
        return offset > 0
    }
}
