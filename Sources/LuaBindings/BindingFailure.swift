import Basics
import Tensors

/// What can be wrong with how a script uses the toolkit.
enum BindingFailure: Failure {
    case noJSON(place: String, kind: String)
    case raggedTable(place: String)
    case rowOutOfRange(row: Int, count: Int?)
    case notOnTape
    case tapeSpent
    case twoTapes(operation: String)
    case manyModels(count: Int)
    case foreignTensor
    case notDifferentiable(operation: String)
    case batchDimension(operation: String)
    case parameterInput(layer: String)
    case testSplit(dataset: String)
    case testSplitChoosing(option: String, dataset: String)
    case missingClasses(names: [String], imageCount: Int)
    case planMismatch(detail: String)
    case planInput(detail: String)
    case notRanks(place: String)
    case crossElements(count: Int)
    case labelOutOfRange(label: Int, position: Int, classCount: Int)
    case networkFinished(network: String)
    case twoNetworks(layer: String)
    case layerInputs(layer: String, expected: Int, got: Int)
    case fileExists(path: String)

    var code: String {
        switch self {
        case .noJSON: "binding.noJSON"
        case .raggedTable: "binding.raggedTable"
        case .rowOutOfRange: "tensor.indexOutOfRange"
        case .notOnTape: "binding.notOnTape"
        case .tapeSpent: "binding.tapeSpent"
        case .twoTapes: "binding.twoTapes"
        case .manyModels: "binding.manyModels"
        case .foreignTensor: "binding.foreignTensor"
        case .notDifferentiable: "binding.notDifferentiable"
        case .batchDimension: "binding.batchDimension"
        case .parameterInput: "binding.parameterInput"
        case .testSplit, .testSplitChoosing: "binding.testSplit"
        case .missingClasses: "compression.missingClasses"
        case .planMismatch: "binding.planMismatch"
        case .planInput: "binding.planInput"
        case .notRanks: "binding.notRanks"
        case .crossElements: "binding.crossElements"
        case .labelOutOfRange: "operation.labelOutOfRange"
        case .networkFinished: "binding.networkFinished"
        case .twoNetworks: "binding.twoNetworks"
        case .layerInputs: "binding.layerInputs"
        case .fileExists: "binding.fileExists"
        }
    }

    var description: String {
        switch self {
        case .noJSON(let place, let kind): "\(place): \(kind) has no JSON form"
        case .raggedTable(let place): "\(place): rows of a tensor must be numbers or rows of one length"
        case .rowOutOfRange(let row, let count):
            "Tensor: row \(row) " + (count.map { "is out of range 1…\($0)" } ?? "of a scalar, which has none; :item() gives its number")
        case .notOnTape:
            "backward: this tensor was computed from nothing that is on a tape, such as the results of model:forward(…) or "
                + "tape:watch(…), so there is nothing to differentiate"
        case .tapeSpent: "backward: the gradients of this tape were already taken; run the forward pass again on a new one"
        case .twoTapes(let operation):
            "\(operation): its operands are on two different tapes; give the forward passes one, { tape = t }"
        case .manyModels(let count):
            "these are gradients of \(count) models, and one is needed; take gradients:of(model)"
        case .foreignTensor: "Gradients:of: this tensor was not watched by the tape that the gradients were taken on"
        case .notDifferentiable(let operation): "\(operation) has no gradient; use :detach() where none is wanted"
        case .batchDimension(let operation):
            "\(operation): dimension 1 is the batch, whose samples a network must not mix"
        case .parameterInput(let layer):
            "\(layer): a parameter cannot stand in place of the images here; compute with it, as in x * parameter"
        case .testSplit(let dataset):
            "score: \(dataset) is the test split, and scoring on it leaks it into the choice of ranks; "
                + "pass training images, or { allow_test = true } if you mean it"
        case .testSplitChoosing(let option, let dataset):
            "option '\(option)': \(dataset) is the test split, and choosing ranks by it leaks it into the model; give training images"
        case .missingClasses(let names, let count):
            "score: none of the \(count) images is of class \(names.joined(separator: ", ")); give more images, or data in "
                + "which every class occurs"
        case .planMismatch(let detail): "compress: \(detail)"
        case .planInput(let detail): "mr.plan: \(detail)"
        case .notRanks(let place): "\(place) must be a rank or an array of ranks"
        case .crossElements(let count):
            "mr.tt.cross: the function must give a float32 Tensor of \(count) elements, one for each row of indices"
        case .labelOutOfRange(let label, let position, let count):
            "mr.loss.cross_entropy: label \(label) at position \(position) is out of range 1…\(count)"
        case .networkFinished(let network): "\(network) is finished; layers are added inside mr.nn.graph's build function only"
        case .twoNetworks(let layer): "\(layer): its values come from two different networks"
        case .layerInputs(let layer, let expected, let got):
            "layer \(layer) takes \(expected) value\(expected == 1 ? "" : "s"), but got \(got)"
        case .fileExists(let path):
            "cannot write \(path): it is there already; give another path, or overwrite = true (--force) to replace it"
        }
    }
}
