import Basics
import Formats

extension ModelFormat {
    /// The parameters, with our graph beside them: safetensors that others' programs read as well.
    public static let safetensors = ModelFormat(
        summary: "safetensors that Moonrail saved", ending: ".safetensors",
        reading: Reading(
            recognises: beginsWithHeader, read: { try ModelFile(path: $0) }, byteCount: { try AtomicFile.size($0) },
            inspect: { ModelInspection(heading: "", graph: try ModelFile(path: $0).graph, problems: []) }),
        write: { model, path, _ in
            try model.write(to: path)
            return [path]
        })

    /// Whether the length of a header comes first, then a JSON object. A header that is cut off is for the reader to refuse.
    @Sendable private static func beginsWithHeader(_ file: FileBeginning) -> Bool {
        guard file.bytes.count > 8, file.bytes[8] == UInt8(ascii: "{") else { return false }
        let length = file.bytes[..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        return length <= UInt64(SafetensorsFile.headerLimit)
    }
}
