import Basics

/// Files of any format.
extension ModelFile {
    /// Reads a model in whatever format it is.
    /// - Throws: `InterchangeFailure.unknownContent` for a file of no format that is read; what reading throws.
    public static func read(_ path: String) throws -> ModelFile { try ModelFormat.reading(path).read(path) }

    /// The bytes that a model takes on disk: of its file, and of others in which it keeps its weights.
    public static func byteCount(_ path: String) throws -> Int { try ModelFormat.reading(path).byteCount(path) }

    /// Looks at a file without insisting on all of it.
    public static func inspect(_ path: String) throws -> ModelInspection { try ModelFormat.reading(path).inspect(path) }

    /// Writes the model as the path's ending says; notes and the optimizer's state stay out of what is for
    /// PyTorch, that state also out of ONNX.
    /// - Parameters:
    ///   - formats: those that the ending may ask for.
    ///   - version: of the program that writes.
    /// - Returns: the paths of the files that were written.
    /// - Throws: `InterchangeFailure.unknownEnding` before anything is written; what writing throws.
    @discardableResult
    public func write(
        byEndingOf path: String, among formats: [ModelFormat] = ModelFormat.writable, version: String
    ) throws -> [String] {
        guard let write = try ModelFormat(endingOf: path, among: formats).write else {
            throw InterchangeFailure.unknownEnding(path: path, known: ModelFormat.endings(formats.filter { $0.write != nil }))
        }
        return try write(self, path, version)
    }
}
