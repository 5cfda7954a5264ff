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

    public var code: String {
        switch self {
        case .noGraph: "interchange.noGraph"
        case .unsupportedVersion: "interchange.unsupportedVersion"
        case .malformed: "interchange.malformed"
        case .missingTensor: "interchange.missingTensor"
        case .tensorShape: "interchange.tensorShape"
        case .leftOver: "interchange.leftOver"
        }
    }

    public var description: String {
        switch self {
        case .noGraph(let source):
            "\(source): holds tensors but no model; only files that Moonrail saved carry their graph"
        case .unsupportedVersion(let source, let version, let supported):
            "\(source): its graph has version \(version), but this Moonrail reads version \(supported)"
        case .malformed(let source, let place, let detail): "\(source): \(place): \(detail)"
        case .missingTensor(let source, let name): "\(source): the tensor of parameter '\(name)' is missing"
        case .tensorShape(let source, let name, let expected, let got):
            "\(source): '\(name)' has shape \(got), but the network needs \(expected)"
        case .leftOver(let source, let names):
            "\(source): the network has no place for \(names.prefix(3).map { "'\($0)'" }.joined(separator: ", "))"
                + (names.count > 3 ? " and \(names.count - 3) more" : "")
        }
    }
}
