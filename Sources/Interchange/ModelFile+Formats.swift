import Basics
import Formats
import Graphs

/// A path that ends in `.onnx` is ONNX; any other path is safetensors with the graph in its metadata.
extension ModelFile {
    /// Reads a model from ONNX or from safetensors with our graph in it.
    /// - Throws: `InterchangeFailure.unknownEnding` for a name that ends as no file that is read; what reading throws.
    public static func read(_ path: String) throws -> ModelFile {
        try ModelFormat(reading: path) == .onnx ? ONNXFile.read(path) : ModelFile(path: path)
    }

    /// The bytes that a model takes on disk: of its file, and of others in which an ONNX model keeps its weights.
    public static func byteCount(_ path: String) throws -> Int {
        try ModelFormat(reading: path) == .onnx ? ONNXFile.byteCount(path) : AtomicFile.size(path)
    }

    /// Writes the model as the path's ending says; notes and the optimizer's state stay out of what is for
    /// PyTorch, that state also out of ONNX.
    /// - Parameters:
    ///   - formats: those that the ending may ask for.
    ///   - version: of the program that writes.
    /// - Throws: `InterchangeFailure.unknownEnding` before anything is written; what writing throws.
    public func write(byEndingOf path: String, among formats: [ModelFormat] = ModelFormat.allCases, version: String) throws {
        switch try ModelFormat(endingOf: path, among: formats) {
        case .safetensors: try write(to: path)
        case .onnx: try ONNXFile.write(self, to: path, version: version)
        case .torch: _ = try TorchModule.write(graph, to: path, version: version)
        }
    }
}
