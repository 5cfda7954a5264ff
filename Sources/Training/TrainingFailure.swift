public import Basics
public import Tensors

/// What can be wrong while training.
public enum TrainingFailure: Failure {
    case gradientShape(parameter: String, expected: Shape, got: Shape)
    case gradientNotFinite(parameter: String)
    case learningRate(Double)
    case updateNotFinite(parameter: String)
    case diverged(step: Int, epoch: Int, reason: String, kept: String)
    case optimizerState(detail: String)
    case invalidOption(name: String, detail: String)
    case checkpoint(detail: String)

    public var code: String {
        switch self {
        case .gradientShape: "training.gradientShape"
        case .gradientNotFinite: "training.gradientNotFinite"
        case .learningRate: "training.learningRate"
        case .updateNotFinite: "training.updateNotFinite"
        case .diverged: "training.diverged"
        case .optimizerState: "training.optimizerState"
        case .invalidOption: "training.invalidOption"
        case .checkpoint: "training.checkpoint"
        }
    }

    public var description: String {
        switch self {
        case .gradientShape(let parameter, let expected, let got):
            "step: the gradient of '\(parameter)' has shape \(got), but the parameter \(expected)"
        case .gradientNotFinite(let parameter):
            "step: the gradient of '\(parameter)' holds values that are not finite; try a lower learning rate"
        case .learningRate(let rate): "step: the learning rate must be finite and not negative, but is \(rate)"
        case .updateNotFinite(let parameter):
            "step: '\(parameter)', or what the optimizer keeps of it, would no longer be finite; try a lower learning rate"
        case .diverged(let step, let epoch, let reason, let kept):
            "training diverged at step \(step), in epoch \(epoch): \(reason); the model and its optimizer are \(kept). "
                + "Try a lower learning rate"
        case .optimizerState(let detail): "optimizer state: \(detail)"
        case .invalidOption(let name, let detail): "option '\(name)' \(detail)"
        case .checkpoint(let detail): "checkpoint: \(detail)"
        }
    }
}
