public import Basics
public import Tensors

/// What can be wrong with a model file.
public enum InterchangeFailure: Failure {
    case noGraph(source: String)
    case unsupportedVersion(source: String, version: Int, supported: Int)
    case malformed(source: String, place: String, detail: String)
    case missingTensor(source: String, name: String)
    case tensorShape(source: String, name: String, expected: Shape, got: Shape)
    case leftOver(source: String, names: [String])
    /// An operator of a file from elsewhere that no operation here corresponds to.
    case unsupportedOperator(source: String, name: String, node: String, opset: Int)
    /// A file from elsewhere, well-formed, that asks for what is not there.
    case unsupported(source: String, place: String, detail: String)
    /// An operation that a format for others cannot hold.
    case notExportable(operation: String, detail: String)
    /// A path that ends as no format's files do.
    case unknownEnding(path: String, known: String)
    /// A file that begins as no format's files do, and whose name does not say what it should be.
    case unknownContent(path: String, known: String)

    public var code: String {
        switch self {
        case .noGraph: "interchange.noGraph"
        case .unsupportedVersion: "interchange.unsupportedVersion"
        case .malformed: "interchange.malformed"
        case .missingTensor: "interchange.missingTensor"
        case .tensorShape: "interchange.tensorShape"
        case .leftOver: "interchange.leftOver"
        case .unsupportedOperator: "interchange.unsupportedOperator"
        case .unsupported: "interchange.unsupported"
        case .notExportable: "interchange.notExportable"
        case .unknownEnding: "interchange.unknownEnding"
        case .unknownContent: "interchange.unknownContent"
        }
    }

    public var description: String {
        switch self {
        case .noGraph(let source):
            "\(source): holds tensors but no model; only files that Moonrail saved carry their graph"
        case .unsupportedVersion(let source, let version, let supported):
            "\(source): its graph has version \(version), but this Moonrail reads version \(supported)"
        case .malformed(let source, let place, let detail): "\(source): \(place): \(detail)"
        case .unsupportedOperator(let source, let name, let node, let opset):
            "\(source): node '\(node)': the operator \(name) of opset \(opset) is not supported"
        case .unsupported(let source, let place, let detail): "\(source): \(place): not supported: \(detail)"
        case .notExportable(let operation, let detail): "\(operation): cannot be exported: \(detail)"
        case .unknownEnding(let path, let known): "the name of a model's file must end in \(known), but is '\(path)'"
        case .unknownContent(let path, let known): "\(path): no model that can be read, which is \(known)"
        case .missingTensor(let source, let name): "\(source): the tensor of parameter '\(name)' is missing"
        case .tensorShape(let source, let name, let expected, let got):
            "\(source): '\(name)' has shape \(got), but the network needs \(expected)"
        case .leftOver(let source, let names):
            "\(source): the network has no place for \(names.prefix(3).map { "'\($0)'" }.joined(separator: ", "))"
                + (names.count > 3 ? " and \(names.count - 3) more" : "")
        }
    }
}
