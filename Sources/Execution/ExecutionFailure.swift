public import Basics
public import Tensors

/// What can be wrong with running a graph.
public enum ExecutionFailure: Failure {
    case inputCount(graph: String, expected: Int, got: Int)
    case inputShape(graph: String, input: String, expected: Shape, got: Shape)
    case runCount(Int)
    case batch(graph: String, input: String, expected: Int, got: Int)
    case inputType(graph: String, input: String, got: DType)
    case precision(String)
    case notFiniteStatistics(parameter: String)
    case noSteps(operation: String)

    public var code: String {
        switch self {
        case .inputCount: "execution.inputCount"
        case .inputShape: "execution.inputShape"
        case .runCount: "execution.runCount"
        case .batch: "execution.batch"
        case .inputType: "execution.inputType"
        case .precision: "execution.precision"
        case .notFiniteStatistics: "execution.notFiniteStatistics"
        case .noSteps: "execution.noSteps"
        }
    }

    public var description: String {
        switch self {
        case .inputCount(let graph, let expected, let got): "\(graph): needs \(expected) input(s), but got \(got)"
        case .inputShape(let graph, let input, let expected, let got):
            "\(graph): input '\(input)' needs shape [N, \(expected.dims.map(String.init).joined(separator: ", "))], but got \(got)"
        case .runCount(let count): "latency: needs at least one run, but got \(count)"
        case .batch(let graph, let input, let expected, let got):
            "\(graph): input '\(input)' needs \(expected) sample(s), but got \(got)"
        case .precision(let name):
            "\(name): this processor has no such arithmetic (AVX-512 BF16 is needed); use 'float32'"
        case .notFiniteStatistics(let parameter):
            "re-estimation: \(parameter) would not be finite; the images or the weights have infinities or values that are no numbers"
        case .noSteps(let operation):
            "\(operation): its traits say that compiled programs have steps for it, but they have none; let it state .evaluation, or give NodeRoute a case"
        case .inputType(let graph, let input, let got): "\(graph): input '\(input)' needs float32 elements, but got \(got)"
        }
    }
}
