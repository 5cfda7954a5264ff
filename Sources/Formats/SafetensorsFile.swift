public import Tensors

/// Named tensors with a table of texts beside them, in the safetensors format: the length of the header as 64 bits,
/// the header in JSON, and the elements without gaps.
///
/// Every rule of the format is checked before a tensor is made, each with an error of its own, so that a file from
/// anywhere can be opened.
/// - Reference: Hugging Face, *Safetensors*, README, section "Format".
public struct SafetensorsFile: Sendable {
    /// Free text under `__metadata__`.
    public let metadata: [String: String]
    /// The tensors in the order of the header.
    public let tensors: [(name: String, tensor: Tensor)]
    private let positions: [String: Int]

    /// Longer headers are refused, as by the reference implementation.
    public static let headerLimit = 100_000_000

    /// A file to be written. The order of `tensors` is kept.
    /// - Throws: `FormatFailure.notRepresentable` when two tensors have one name, or the name `__metadata__`.
    public init(tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:]) throws {
        var positions: [String: Int] = [:]
        for (position, entry) in tensors.enumerated() {
            guard entry.name != metadataKey, positions.updateValue(position, forKey: entry.name) == nil else {
                throw FormatFailure.notRepresentable(
                    format: "safetensors", detail: "the name '\(entry.name)' is taken already")
            }
        }
        self.tensors = tensors
        self.metadata = metadata
        self.positions = positions
    }

    /// The tensor called `name`.
    public subscript(name: String) -> Tensor? { positions[name].map { tensors[$0].tensor } }

    public var names: [String] { tensors.map(\.name) }
}

/// The header's member that holds texts instead of a tensor.
let metadataKey = "__metadata__"
