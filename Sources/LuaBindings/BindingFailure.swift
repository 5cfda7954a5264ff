import Basics
import Tensors

/// What can be wrong with how a script uses the toolkit.
enum BindingFailure: Failure {
    case noJSON(place: String, kind: String)
    case raggedTable(place: String)
    case notOnTape
    case tapeSpent
    case twoTapes(operation: String)
    case foreignGradients
    case testSplit(dataset: String)
    case planMismatch(detail: String)
    case labelOutOfRange(label: Int, position: Int, classCount: Int)
    case networkFinished(network: String)
    case twoNetworks(layer: String)
    case layerInputs(layer: String, expected: Int, got: Int)

    var code: String {
        switch self {
        case .noJSON: "binding.noJSON"
        case .raggedTable: "binding.raggedTable"
        case .notOnTape: "binding.notOnTape"
        case .tapeSpent: "binding.tapeSpent"
        case .twoTapes: "binding.twoTapes"
        case .foreignGradients: "binding.foreignGradients"
        case .testSplit: "binding.testSplit"
        case .planMismatch: "binding.planMismatch"
        case .labelOutOfRange: "operation.labelOutOfRange"
        case .networkFinished: "binding.networkFinished"
        case .twoNetworks: "binding.twoNetworks"
        case .layerInputs: "binding.layerInputs"
        }
    }

    var description: String {
        switch self {
        case .noJSON(let place, let kind): "\(place): \(kind) has no JSON form"
        case .raggedTable(let place): "\(place): rows of a tensor must be numbers or rows of one length"
        case .notOnTape: "backward: this tensor was not computed from model:forward(…), so there is nothing to differentiate"
        case .tapeSpent: "backward: the gradients of this forward pass were already taken; run model:forward(…) again"
        case .twoTapes(let operation): "\(operation): its operands come from two different forward passes"
        case .foreignGradients: "step: the gradients do not belong to a model; get them from loss:backward()"
        case .testSplit(let dataset):
            "score: \(dataset) is the test split, and scoring on it leaks it into the choice of ranks; "
                + "pass training images, or { allow_test = true } if you mean it"
        case .planMismatch(let detail): "compress: \(detail)"
        case .labelOutOfRange(let label, let position, let count):
            "mr.loss.cross_entropy: label \(label) at position \(position) is out of range 1…\(count)"
        case .networkFinished(let network): "\(network) is finished; layers are added inside mr.nn.graph's build function only"
        case .twoNetworks(let layer): "\(layer): its values come from two different networks"
        case .layerInputs(let layer, let expected, let got):
            "layer \(layer) takes \(expected) value\(expected == 1 ? "" : "s"), but got \(got)"
        }
    }
}
