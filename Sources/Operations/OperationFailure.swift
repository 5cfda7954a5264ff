public import Basics

/// What can be wrong with an operation's inputs or attributes.
public enum OperationFailure: Failure {
    case unknown(name: String, nearest: String?)
    case attribute(operation: String, detail: String)
    case inputCount(operation: String, got: Int, allowed: ClosedRange<Int>)
    case shapes(operation: String, detail: String)
    case labelOutOfRange(label: Int, position: Int, classCount: Int)

    public var code: String {
        switch self {
        case .unknown: "operation.unknown"
        case .attribute: "operation.attribute"
        case .inputCount: "operation.inputCount"
        case .shapes: "operation.shapes"
        case .labelOutOfRange: "operation.labelOutOfRange"
        }
    }

    public var description: String {
        switch self {
        case .unknown(let name, let nearest):
            "unknown operation '\(name)'" + didYouMean(nearest)
        case .attribute(let operation, let detail), .shapes(let operation, let detail): "\(operation): \(detail)"
        case .inputCount(let operation, let got, let allowed):
            "\(operation): needs \(allowed.count == 1 ? "\(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)") inputs, but got \(got)"
        case .labelOutOfRange(let label, let position, let classCount):
            "cross_entropy: label \(label) at position \(position) is out of range 0..<\(classCount)"
        }
    }
}
