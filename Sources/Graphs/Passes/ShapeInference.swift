import Basics
import Operations
public import Tensors

/// The shape of every value of a graph.
public enum ShapeInference {
    /// Shapes by value name for `batch` samples.
    /// - Throws: the failure of the first operation whose inputs do not fit, with its path; `outputCount`;
    ///   `valueShape` for a value that is empty or absurdly large.
    public static func shapes(of graph: Graph, batch: Int) throws -> [String: Shape] {
        var shapes: [String: Shape] = [:]
        func define(_ name: String, _ shape: Shape) throws {
            guard isReasonable(shape) else {
                throw GraphFailure.valueShape(graph: graph.name, value: name, shape: shape)
            }
            shapes[name] = shape
        }
        for input in graph.inputs { try define(input.name, Shape([batch] + input.sampleShape.dims)) }
        for node in graph.nodes {
            let outputs = try located(graph.name + " › " + node.name) {
                try node.operation.outputShapes(of: inputShapes(of: node, in: graph, shapes))
            }
            guard outputs.count == node.outputCount else {
                throw GraphFailure.outputCount(
                    graph: graph.name, node: node.name, declared: node.outputCount, made: outputs.count)
            }
            for (index, shape) in outputs.enumerated() { try define(node.output(index), shape) }
        }
        return shapes
    }

    /// Whether a value may have this shape: no more dimensions than a tensor, every extent positive, and the elements few
    /// enough that no later count overflows. Operations multiply and add extents without fear, so whatever builds a
    /// graph asks this of every value before one of them sees it.
    package static func isReasonable(_ shape: Shape) -> Bool {
        shape.rank <= Shape.rankLimit && shape.dims.allSatisfy { $0 >= 1 } && Counts.product(shape.dims) < 1 << 40
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
