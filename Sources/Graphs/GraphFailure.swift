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
    case inputShape(graph: String, input: String, expected: Shape, got: Shape)
    case invalidArchitecture(detail: String)

    public var code: String {
        switch self {
        case .duplicateName: "graph.duplicateName"
        case .unknownValue: "graph.unknownValue"
        case .unknownParameter: "graph.unknownParameter"
        case .unknownOutput: "graph.unknownOutput"
        case .noNode: "graph.noNode"
        case .noOutputs: "graph.noOutputs"
        case .inputShape: "graph.inputShape"
        case .invalidArchitecture: "graph.invalidArchitecture"
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
            "\(graph) has no layer '\(name)'" + (nearest.map { " (did you mean '\($0)'?)" } ?? "")
        case .noOutputs(let graph): "\(graph): has no outputs"
        case .inputShape(let graph, let input, let expected, let got):
            "\(graph): input '\(input)' needs samples of shape \(expected) behind the batch, but got \(got)"
        case .invalidArchitecture(let detail): detail
        }
    }
}
