import Basics
import Formats
import Graphs

/// Models by the ending of their file's name: `.onnx` for others' and for others, anything else is safetensors with our
/// graph in it.
extension ModelFile {
    /// Reads a model of either kind.
    public static func read(_ path: String) throws -> ModelFile {
        ONNXFile.isNamedByPath(path) ? try ONNXFile.read(path) : try ModelFile(path: path)
    }

    /// The bytes that a model takes on disk: of its file, and of others in which an ONNX model keeps its weights.
    public static func byteCount(_ path: String) throws -> Int {
        ONNXFile.isNamedByPath(path) ? try ONNXFile.byteCount(path) : try AtomicFile.size(path)
    }

    /// Writes the model as the path's ending says; training state stays out of ONNX.
    /// - Parameter version: of the program that writes.
    public func write(byEndingOf path: String, version: String) throws {
        if ONNXFile.isNamedByPath(path) {
            try ONNXFile.write(self, to: path, version: version)
        } else {
            try write(to: path)
        }
    }
}
