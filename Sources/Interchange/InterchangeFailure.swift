public import Basics

/// What can be wrong with a model file.
public enum InterchangeFailure: Failure {
    case noGraph(source: String)
    case unsupportedVersion(source: String, version: Int, supported: Int)
    case malformed(source: String, place: String, detail: String)
    case missingTensor(source: String, name: String)

    public var code: String {
        switch self {
        case .noGraph: "interchange.noGraph"
        case .unsupportedVersion: "interchange.unsupportedVersion"
        case .malformed: "interchange.malformed"
        case .missingTensor: "interchange.missingTensor"
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
        }
    }
}
