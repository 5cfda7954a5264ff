public import Basics
public import Tensors

/// What can be wrong with a backward pass.
public enum AutogradFailure: Failure {
    case notScalar(shape: Shape)
    case notRecorded
    case noRule(operation: String)

    public var code: String {
        switch self {
        case .notScalar: "autograd.notScalar"
        case .notRecorded: "autograd.notRecorded"
        case .noRule: "autograd.noRule"
        }
    }

    public var description: String {
        switch self {
        case .notScalar(let shape): "backward: needs a loss of one element, but got \(shape)"
        case .notRecorded: "backward: the loss depends on nothing that requires a gradient, or the tape was already used"
        case .noRule(let operation): "backward: '\(operation)' gave no gradient for an input that requires one"
        }
    }
}
