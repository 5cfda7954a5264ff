public import Basics
public import Tensors

/// What can be wrong with a graph.
public enum GraphFailure: Failure {
    case duplicateName(graph: String, name: String)
    case unknownValue(graph: String, node: String, value: String)
    case unknownParameter(graph: String, node: String, parameter: String)
    case unknownOutput(graph: String, value: String)
    case noNode(graph: String, name: String, nearest: String?)
    case noOutputs(graph: String)
    case valueShape(graph: String, value: String, shape: Shape)
    case outputCount(graph: String, node: String, declared: Int, made: Int)
    case invalidArchitecture(detail: String)
    case invalidChain(graph: String, node: String, detail: String)

    public var code: String {
        switch self {
        case .duplicateName: "graph.duplicateName"
        case .unknownValue: "graph.unknownValue"
        case .unknownParameter: "graph.unknownParameter"
        case .unknownOutput: "graph.unknownOutput"
        case .noNode: "graph.noNode"
        case .noOutputs: "graph.noOutputs"
        case .valueShape: "graph.valueShape"
        case .outputCount: "graph.outputCount"
        case .invalidArchitecture: "graph.invalidArchitecture"
        case .invalidChain: "graph.invalidChain"
        }
    }

    public var description: String {
        switch self {
        case .duplicateName(let graph, let name): "\(graph): the name '\(name)' is given twice"
        case .unknownValue(let graph, let node, let value):
            "\(graph) › \(node): input '\(value)' is made by no earlier node"
        case .unknownParameter(let graph, let node, let parameter):
            "\(graph) › \(node): there is no parameter '\(parameter)'"
        case .unknownOutput(let graph, let value): "\(graph): output '\(value)' is made by no node"
        case .noNode(let graph, let name, let nearest):
            "\(graph) has no layer '\(name)'" + didYouMean(nearest)
        case .noOutputs(let graph): "\(graph): has no outputs"
        case .valueShape(let graph, let value, let shape):
            "\(graph): value '\(value)' would have shape \(shape), which is empty or absurdly large"
        case .outputCount(let graph, let node, let declared, let made):
            "\(graph) › \(node): declares \(declared) output(s), but its operation makes \(made)"
        case .invalidArchitecture(let detail): detail
        case .invalidChain(let graph, let node, let detail):
            "\(graph) › \(node): \(detail), so the chain it belongs to is no whole layer"
        }
    }
}
