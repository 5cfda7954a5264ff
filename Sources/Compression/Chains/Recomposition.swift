import Basics
public import Graphs
import Operations
import Tensors

/// Chains back into the layers that they stand for: the opposite of compression, up to what that cut off.
///
/// A chain is a run of nodes of one origin, each reading the one before. What it computes is one layer of the dense size, so
/// that a model can be planned anew at another budget while it is trained. No family is asked: a chain of layers is multiplied
/// out, and of one with other nodes in it the weight is read off (`ChainProbe`). Chains that share their factors become layers
/// that share their weight.
public enum Recomposition {
    /// The graph with every chain as one layer, and otherwise as it is.
    /// - Throws: `GraphFailure.invalidChain` for nodes that claim an origin but are no whole chain; `TensorFailure` when
    ///   memory runs out.
    public static func recompose(_ graph: Graph) throws -> Graph {
        var (result, weights) = (graph, [[String]: String]())
        var nodes: [Node] = []
        var links: [Node] = []
        let shapes = graph.nodes.contains { $0.origin?.dense != nil } ? try ShapeInference.shapes(of: graph, batch: 1) : [:]
        for node in graph.nodes {
            guard let origin = node.origin else {
                nodes.append(node)
                continue
            }
            guard origin.position == links.count, links.allSatisfy({ $0.origin?.layer == origin.layer }) else {
                throw invalid(graph, node, "is out of order")
            }
            links.append(node)
            if origin.isLast {
                nodes.append(try located("\(graph.name) › \(origin.layer)") { try layer(links, in: graph, shapes, &weights, &result) })
                links = []
            }
        }
        if let open = links.last { throw invalid(graph, open, "is not the end of its chain") }
        result.nodes = nodes
        result.dropUnusedParameters()
        try Verifier.verify(result)
        return result
    }

    static func invalid(_ graph: Graph, _ node: Node, _ detail: String) -> GraphFailure {
        .invalidChain(graph: graph.name, node: node.name, detail: detail)
    }

    /// One layer for a whole chain; its weight goes into `result`, once for all chains of the same factors.
    private static func layer(
        _ links: [Node], in graph: Graph, _ shapes: [String: Shape], _ weights: inout [[String]: String], _ result: inout Graph
    ) throws -> Node {
        let last = links[links.count - 1]
        for (link, reader) in zip(links, links.dropFirst()) where reader.inputs.first != .value(link.name) {
            throw invalid(graph, reader, "does not read \(link.name)")
        }
        // The bias, which only the last link may have, is no part of what factors make.
        let factors = links.filter { !($0.operation is Add) }.compactMap { $0.parameter(at: 1) }
        let operation: any GraphOperation
        let weight: Tensor
        if let dense = last.origin?.dense {
            weight = try ChainProbe(links, of: graph, shapes).weight(dense)
            operation = dense.geometry.map { Conv2D($0, hasBias: false) } ?? Linear(hasBias: false)
        } else {
            (operation, weight) = try ChainProduct(links, of: graph).layer()
        }
        let name: String
        if let known = weights[factors], result.parameters[known]?.tensor.shape == weight.shape {
            name = known
        } else {
            name = graph.unusedParameter(last.name + ".weight")
            let isTrainable = factors.contains { graph.parameters[$0]?.isTrainable == true }
            result.parameters[name] = .init(tensor: weight, isTrainable: isTrainable)
            weights[factors] = name
        }
        let bias = try self.bias(of: last, in: graph, &result)
        return Node(last.name, operation.withBias(bias != nil), [links[0].inputs[0], .parameter(name)] + (bias.map { [$0] } ?? []))
    }

    /// Where the last link takes its bias from; what is added behind a chain is a row again.
    private static func bias(of last: Node, in graph: Graph, _ result: inout Graph) throws -> Source? {
        guard last.operation is Add else { return last.inputs.count > 2 ? last.inputs[2] : nil }
        guard last.inputs.count > 1, case .parameter(let name) = last.inputs[1], let entry = graph.parameters[name],
            entry.tensor.rank > 1
        else { return last.inputs.count > 1 ? last.inputs[1] : nil }
        let row = graph.unusedParameter(last.name + ".bias")
        result.parameters[row] = .init(tensor: try entry.tensor.reshaped([-1]), isTrainable: entry.isTrainable)
        return .parameter(row)
    }
}
