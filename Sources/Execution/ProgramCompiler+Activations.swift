import COneDNN
import Graphs
import Operations
import Tensors

/// Functions of one element: behind a convolution where that is read by nothing else, over the stored elements otherwise.
extension ProgramCompiler {
    /// By the position of a convolution, that of the function which its kernel applies to its result.
    static func activations(of graph: Graph) -> [Int: Int] {
        let consumers = Liveness.consumers(of: graph)
        var found: [Int: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            guard let conv = node.operation as? Conv2D, !conv.hasReLU, isUsual(node), !graph.outputs.contains(node.name),
                let readers = consumers[node.name], readers.count == 1, let reader = readers.first,
                graph.nodes[reader].inputs == [.value(node.name)], kernel(of: graph.nodes[reader]) != nil
            else { continue }
            found[index] = reader
        }
        return found
    }

    /// The kernel of a node that is a function of one element.
    static func kernel(of node: Node) -> ActivationFunction? { (node.operation as? any ElementFunction)?.kernel }

    /// In whatever format the input lies, in place where nothing else reads it.
    mutating func planActivation(_ node: Node, _ function: ActivationFunction, at index: Int) throws {
        let input = try valueName(node.inputs[0], of: node)
        var source = try planned(input)
        let target = (dies(input, at: index) ? define(node.name, inPlaceOf: input) : nil) ?? define(node.name, source.format)
        let shape = source.shape.rank == 4 ? source.shape : [1, 1, 1, source.shape.elementCount]
        for stage in function.stages {
            emitPrimitive(try stage.primitive(shape, source.format), [(cod_src, source), (cod_dst, target)])
            source = target
        }
    }
}
