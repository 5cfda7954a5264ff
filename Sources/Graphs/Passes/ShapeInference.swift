import Basics
import Operations
public import Tensors

/// The shape of every value of a graph.
public enum ShapeInference {
    /// Shapes by value name for `batch` samples.
    /// - Throws: the failure of the first operation whose inputs do not fit, with its path.
    public static func shapes(of graph: Graph, batch: Int) throws -> [String: Shape] {
        var shapes: [String: Shape] = [:]
        for input in graph.inputs { shapes[input.name] = Shape([batch] + input.sampleShape.dims) }
        for node in graph.nodes {
            let outputs = try located(graph.name + " › " + node.name) {
                try node.operation.outputShapes(of: inputShapes(of: node, in: graph, shapes))
            }
            for (index, shape) in outputs.enumerated() { shapes[node.output(index)] = shape }
        }
        return shapes
    }

    package static func inputShapes(of node: Node, in graph: Graph, _ shapes: [String: Shape]) throws -> [Shape] {
        try node.inputs.map { source in
            switch source {
            case .value(let name):
                guard let shape = shapes[name] else {
                    throw GraphFailure.unknownValue(graph: graph.name, node: node.name, value: name)
                }
                return shape
            case .parameter(let name):
                guard let parameter = graph.parameters[name] else {
                    throw GraphFailure.unknownParameter(graph: graph.name, node: node.name, parameter: name)
                }
                return parameter.tensor.shape
            }
        }
    }
}
