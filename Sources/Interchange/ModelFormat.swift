/// The kinds of files that a model is written to, by the endings of their names. Endings are compared as they are: small
/// letters are part of them.
public enum ModelFormat: String, CaseIterable, Sendable {
    /// The parameters, with our graph beside them.
    case safetensors = ".safetensors"
    /// For others' programs, and from them.
    case onnx = ".onnx"
    /// Source for PyTorch with a file of weights beside it; written, not read.
    case torch = ".py"

    /// The endings of `formats` as an error lists them: `.safetensors, .onnx or .py`.
    public static func endings(_ formats: [ModelFormat] = allCases) -> String {
        let endings = formats.map(\.rawValue)
        return endings.count < 2 ? endings.joined() : endings.dropLast().joined(separator: ", ") + " or " + endings[endings.count - 1]
    }

    /// The format that `path` asks for.
    /// - Parameter formats: those that may be asked for.
    /// - Throws: `InterchangeFailure.unknownEnding` where the path ends otherwise.
    public init(endingOf path: String, among formats: [ModelFormat] = allCases) throws {
        guard let format = formats.first(where: { path.hasSuffix($0.rawValue) }) else {
            throw InterchangeFailure.unknownEnding(path: path, known: Self.endings(formats))
        }
        self = format
    }

    /// The format to read `path` in. A name that ends in none of the endings may be that of a checkpoint, which is
    /// safetensors under any name; but one that only differs from an ending in its capitals is refused.
    init(reading path: String) throws {
        let readable: [ModelFormat] = [.safetensors, .onnx]
        if let format = readable.first(where: { path.hasSuffix($0.rawValue) }) { self = format; return }
        guard !Self.allCases.contains(where: { path.lowercased().hasSuffix($0.rawValue) }) else {
            throw InterchangeFailure.unknownEnding(path: path, known: Self.endings(readable))
        }
        self = .safetensors
    }
}
