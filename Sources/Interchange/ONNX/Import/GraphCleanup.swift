import Graphs
import Operations
import Tensors

/// Tidies a graph that was read from elsewhere.
enum GraphCleanup {
    /// Puts a bias that is added behind a linear layer into it, one operation in place of an activation function that is
    /// written out, joins reshapes, and drops what nothing reads.
    /// - Parameter links: names of nodes that are links of chains, which they keep.
    static func tidy(_ graph: Graph, links: Set<String>) -> [Node] {
        var graph = graph
        graph.nodes = withBiases(graph, links)
        var nodes = ActivationFormulas(graph).recognised()
        nodes = withJoinedReshapes(nodes, outputs: graph.outputs)
        return live(nodes, outputs: graph.outputs)
    }

    private static func readers(of nodes: [Node], outputs: [String]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for node in nodes { for value in node.valueInputs { counts[value, default: 0] += 1 } }
        for output in outputs { counts[output, default: 0] += 1 }
        return counts
    }

    /// Exporters write a linear layer on sequences as a product and a sum. The layer is called like its weight, but for a link
    /// of a chain, which is called like the sum: what the chain stands for is known by that name.
    private static func withBiases(_ graph: Graph, _ links: Set<String>) -> [Node] {
        var nodes = graph.nodes
        let readers = readers(of: nodes, outputs: graph.outputs)
        let makers = Dictionary(nodes.enumerated().map { ($1.name, $0) }) { first, _ in first }
        var renamed: [String: String] = [:]
        var joined = Set<Int>()
        for index in nodes.indices where (nodes[index].operation as? Add)?.hasReLU == false {
            guard let value = nodes[index].valueInputs.first, nodes[index].valueInputs.count == 1,
                let bias = nodes[index].parameterInputs.first, let position = makers[value], readers[value] == 1,
                let linear = nodes[position].operation as? Linear, !linear.hasBias,
                case .parameter(let weight) = nodes[position].inputs[1],
                let features = graph.parameters[weight]?.tensor.shape[0],
                graph.parameters[bias]?.tensor.shape.dims == [features], !graph.outputs.contains(nodes[index].name)
            else { continue }
            nodes[position].operation = Linear(hasBias: true)
            nodes[position].inputs.append(.parameter(bias))
            joined.insert(index)
            if links.contains(nodes[index].name) {
                nodes[position].name = nodes[index].name
            } else {
                renamed[nodes[index].name] = value
            }
        }
        return nodes.enumerated().filter { !joined.contains($0.offset) }.map { _, node in
            var node = node
            node.inputs = node.inputs.map { if case .value(let name) = $0 { .value(renamed[name] ?? name) } else { $0 } }
            return node
        }
    }

    /// Of two reshapes in a row, the second alone gives the shape, unless it copies extents of the first.
    private static func withJoinedReshapes(_ nodes: [Node], outputs: [String]) -> [Node] {
        var nodes = nodes
        var sources: [String: Source] = [:]
        var copiesBatch = Set<String>()
        for index in nodes.indices {
            guard let reshape = nodes[index].operation as? Reshape, let value = nodes[index].valueInputs.first else { continue }
            let copies = reshape.target.enumerated().filter { $0.element == 0 }.map(\.offset)
            if let earlier = sources[value], copies.isEmpty || copies == [0] && copiesBatch.contains(value) {
                nodes[index].inputs = [earlier]
            }
            sources[nodes[index].name] = nodes[index].inputs[0]
            if copies.first == 0 { copiesBatch.insert(nodes[index].name) }
        }
        return nodes
    }

    private static func live(_ nodes: [Node], outputs: [String]) -> [Node] {
        var wanted = Set(outputs)
        var kept: [Node] = []
        for node in nodes.reversed() where node.outputs.contains(where: wanted.contains) {
            wanted.formUnion(node.valueInputs)
            kept.append(node)
        }
        return kept.reversed()
    }
}
