import Basics
public import Graphs

/// A kind of file that holds a model. Each says in its own file how it is told, read and written; `all` lists them, and
/// `mr.load`, `Model:save`, the commands and their help texts go by that list.
///
/// A file that is read is told by what is in it, whatever it is called. What a file is written as, the ending of its name
/// says; endings are compared as they are: small letters are part of them.
public struct ModelFormat: Sendable {
    /// What help texts call it, such as `ONNX`.
    public let summary: String
    /// How names of its files end, with the dot.
    public let ending: String
    /// `nil` for a format that is not read.
    let reading: Reading?
    /// Writes a model, its files whole or not at all; gives their paths. `version` is that of the program that writes.
    /// `nil` for a format that is not written.
    let write: (@Sendable (_ model: ModelFile, _ path: String, _ version: String) throws -> [String])?

    /// How files of a format are told and read.
    struct Reading: Sendable {
        /// Whether a file that begins so is one of this format.
        let recognises: @Sendable (FileBeginning) -> Bool
        let read: @Sendable (_ path: String) throws -> ModelFile
        /// The bytes of the model on disk, with those of the files that belong to it.
        let byteCount: @Sendable (_ path: String) throws -> Int
        /// Looks at a file without insisting on all of it.
        let inspect: @Sendable (_ path: String) throws -> ModelInspection
    }

    /// All formats there are, in the order in which help and errors name them.
    public static let all: [ModelFormat] = [.safetensors, .onnx, .torch]

    public static let readable = all.filter { $0.reading != nil }
    public static let writable = all.filter { $0.write != nil }
    /// Those that a model can come in and go out.
    public static let convertible = all.filter { $0.reading != nil && $0.write != nil }

    /// The endings of `formats` as an error lists them: `.safetensors, .onnx or .py`.
    public static func endings(_ formats: [ModelFormat]) -> String { listed(formats.map(\.ending), "or") }

    /// The formats as a help text lists them.
    public static func summaries(_ formats: [ModelFormat], _ conjunction: String = "or") -> String {
        listed(formats.map(\.summary), conjunction)
    }

    private static func listed(_ words: [String], _ conjunction: String) -> String {
        words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " \(conjunction) " + words[words.count - 1]
    }

}

extension ModelFormat {
    /// The format that `path` asks to be written as.
    /// - Parameter formats: those that may be asked for.
    /// - Throws: `InterchangeFailure.unknownEnding` where the path ends otherwise.
    public init(endingOf path: String, among formats: [ModelFormat] = writable) throws {
        guard let format = formats.first(where: { path.hasSuffix($0.ending) }) else {
            throw InterchangeFailure.unknownEnding(path: path, known: Self.endings(formats))
        }
        self = format
    }

    /// How to read the file at `path`: by what is in it. Where that is of no format, the file may be a damaged one of the
    /// format that its name ends as, and that format's reader says what is wrong.
    /// - Throws: `FileFailure`; `InterchangeFailure.unknownContent` for a file that neither shows nor claims a format.
    static func reading(_ path: String) throws -> Reading {
        let beginning = try FileBeginning(path)
        if let found = readable.lazy.compactMap(\.reading).first(where: { $0.recognises(beginning) }) { return found }
        guard let claimed = readable.first(where: { path.hasSuffix($0.ending) })?.reading else {
            throw InterchangeFailure.unknownContent(path: path, known: summaries(readable))
        }
        return claimed
    }
}

/// The first bytes of a file, and how many there are in all: what the format of a file is told by.
struct FileBeginning: Sendable {
    static let length = 256

    let bytes: [UInt8]
    let byteCount: Int

    /// - Throws: `FileFailure`.
    init(_ path: String) throws {
        let file = try OpenFile(path)
        byteCount = file.byteCount
        bytes = try [UInt8](unsafeUninitializedCapacity: Self.length) { buffer, filled in
            filled = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }
}

/// What a look at a file of a model shows, also where parts of it cannot be read.
public struct ModelInspection {
    /// What the format says of the file beside the graph; may be empty.
    public let heading: String
    /// The graph, or what could be read of it.
    public let graph: Graph?
    /// Why the file cannot be used as a whole, first things first; empty where it can.
    public let problems: [any Error]
}
