import Basics
import Operations
import Tensors

/// Chains back into the layers that they stand for: the opposite of compression, up to what that cut off.
///
/// A chain is a run of nodes of one origin, each reading the one before. Its product is one layer of the dense size, so
/// that a model can be planned anew at another budget while it is trained.
public enum Recomposition {
    /// The graph with every chain as one layer, and otherwise as it is.
    /// - Throws: `GraphFailure.invalidChain` for nodes that claim an origin but are no whole chain; `TensorFailure` when
    ///   memory runs out.
    public static func recompose(_ graph: Graph) throws -> Graph {
        var result = graph
        var nodes: [Node] = []
        var links: [Node] = []
        for node in graph.nodes {
            guard let origin = node.origin else {
                nodes.append(node)
                continue
            }
            guard origin.position == links.count, links.allSatisfy({ $0.origin?.layer == origin.layer }) else {
                throw invalid(graph, node, "is out of order")
            }
            links.append(node)
            if origin.position + 1 == origin.count {
                nodes.append(try located("\(graph.name) › \(origin.layer)") { try layer(links, in: graph, &result) })
                links = []
            }
        }
        if let open = links.last { throw invalid(graph, open, "is not the end of its chain") }
        result.nodes = nodes
        result.parameters.keep(only: Set(nodes.flatMap(\.parameterInputs)))
        try Verifier.verify(result)
        return result
    }

    private static func invalid(_ graph: Graph, _ node: Node, _ detail: String) -> GraphFailure {
        .invalidChain(graph: graph.name, node: node.name, detail: detail)
    }

    /// One layer for a whole chain; its weight goes into `result`.
    private static func layer(_ links: [Node], in graph: Graph, _ result: inout Graph) throws -> Node {
        let last = links[links.count - 1]
        for (link, reader) in zip(links, links.dropFirst()) where reader.inputs.first != .value(link.name) {
            throw invalid(graph, reader, "does not read \(link.name)")
        }
        let weights = try links.map { link -> Tensor in
            guard let name = link.parameter(at: 1), let weight = graph.parameters[name]?.tensor else {
                throw invalid(graph, link, "has no weight")
            }
            return weight
        }
        let operation: any GraphOperation
        var weight = weights[0]
        if links.allSatisfy({ $0.operation is Linear }) {
            for next in weights.dropFirst() { weight = try next.batchedProduct(weight) }
            operation = last.operation
        } else {
            let convolutions = links.compactMap { $0.operation as? Conv2D }
            guard convolutions.count == links.count, let first = convolutions.first, let end = convolutions.last else {
                throw invalid(graph, last, "mixes layers")
            }
            var geometry = first.geometry
            for (next, convolution) in zip(weights, convolutions).dropFirst() {
                guard let merged = geometry.followed(by: convolution.geometry, kernels: weight.shape, next.shape) else {
                    throw invalid(graph, last, "convolves twice along one axis")
                }
                weight = try product(of: weight, then: next, groups: geometry.groups)
                geometry = merged
            }
            var whole = end
            whole.geometry = geometry
            operation = whole
        }
        // The bias, which only the last link may have, stays where it is.
        let name = graph.unusedParameter(last.name + ".weight")
        let isTrainable = links.contains { $0.parameter(at: 1).flatMap { graph.parameters[$0]?.isTrainable } == true }
        result.parameters[name] = .init(tensor: weight, isTrainable: isTrainable)
        return Node(last.name, operation, [links[0].inputs[0], .parameter(name)] + last.inputs.dropFirst(2))
    }

    /// W[o, c, y, x] = Σₘ B[o, m, y or 0, x or 0] · A[m, c, 0 or y, 0 or x], in every group; along each axis one of the
    /// kernels has extent 1, so that the product broadcasts over the places of both.
    private static func product(of a: Tensor, then b: Tensor, groups: Int) throws -> Tensor {
        func stacked(_ weight: Tensor) throws -> Tensor {
            let s = weight.shape
            let grouped = try weight.contiguous().reshaped([groups, s[0] / groups, s[1], s[2], s[3]])
            return try grouped.permuted([3, 4, 0, 1, 2]).contiguous()
        }
        let w = try stacked(b).batchedProduct(stacked(a))
        return try w.permuted([2, 3, 4, 0, 1]).contiguous()
            .reshaped([b.shape[0], a.shape[1], w.shape[0], w.shape[1]])
    }
}

extension ConvolutionGeometry {
    /// The geometry of one convolution that does the work of two; `nil` where both do something along one axis.
    fileprivate func followed(by next: ConvolutionGeometry, kernels own: Shape, _ other: Shape) -> ConvolutionGeometry? {
        guard groups == next.groups else { return nil }
        var merged = self
        for axis in 0..<2 {
            func isIdle(_ geometry: ConvolutionGeometry, _ kernel: Int) -> Bool {
                kernel == 1 && geometry.stride[axis] == 1 && geometry.padding[axis] == 0 && geometry.padding[axis + 2] == 0
            }
            if isIdle(next, other[2 + axis]) { continue }
            guard isIdle(self, own[2 + axis]) else { return nil }
            merged.stride[axis] = next.stride[axis]
            merged.dilation[axis] = next.dilation[axis]
            merged.padding[axis] = next.padding[axis]
            merged.padding[axis + 2] = next.padding[axis + 2]
        }
        return merged
    }
}
