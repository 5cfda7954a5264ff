import Graphs
import Operations
import Tensors

/// A part of a compressed model between two values that everything passes through and that the dense model has as well, so that
/// what goes in and what is to come out can be recorded once.
struct DistillationBlock: Equatable {
    /// Names of the value that goes in and of the one that comes out.
    var input: String
    var output = ""
    /// Names of the compressed layers between them.
    var layers: [String] = []
    /// Multiply-accumulates for one image.
    var macCount = 0

    /// The blocks of a model that have compressed layers in them, in order.
    ///
    /// A block ends in front of a node with weights, so that normalisations and activations belong to the layers that they
    /// follow. Blocks that stand next to each other are joined until each has `layerCount` compressed layers.
    /// - Parameter wanted: names of the compressed layers that count; all where `nil`.
    /// - Throws: what shape inference throws on a graph that does not fit together.
    static func blocks(of graph: Graph, like dense: Graph, layerCount: Int, wanted: Set<String>? = nil) throws -> [DistillationBlock] {
        guard graph.inputs.count == 1, dense.inputs == graph.inputs, let start = graph.inputs.first?.name else { return [] }
        let seams = try seams(of: graph, like: dense)
        let macs = Dictionary(try CostModel.nodeCosts(of: graph).map { ($0.node, $0.macCount) }, uniquingKeysWith: { $1 })
        func macCount(_ nodes: ArraySlice<Node>) -> Int { nodes.reduce(0) { $0 + (macs[$1.name] ?? 0) } }

        var (blocks, block, first) = ([DistillationBlock](), DistillationBlock(input: start), 0)
        for (position, seam) in seams.enumerated() {
            let nodes = graph.nodes[first...seam]
            block.macCount += macCount(nodes)
            block.layers += nodes.compactMap { $0.origin?.isLast == true ? $0.origin?.layer : nil }.filter { wanted?.contains($0) ?? true }
            block.output = graph.nodes[seam].name
            first = seam + 1
            let isLast = position == seams.count - 1
            guard isLast || macCount(graph.nodes[first...seams[position + 1]]) > 0 else { continue }
            if !block.layers.isEmpty, !isLast, block.layers.count < layerCount { continue }
            if !block.layers.isEmpty { blocks.append(block) }
            block = DistillationBlock(input: block.output)
        }
        return joiningTheLast(blocks, layerCount)
    }

    /// What is left over at the end goes to the block in front of it.
    private static func joiningTheLast(_ blocks: [DistillationBlock], _ layerCount: Int) -> [DistillationBlock] {
        guard blocks.count > 1, let last = blocks.last, last.layers.count < layerCount, blocks[blocks.count - 2].output == last.input
        else { return blocks }
        var joined = Array(blocks.dropLast())
        joined[joined.count - 1].output = last.output
        joined[joined.count - 1].layers += last.layers
        joined[joined.count - 1].macCount += last.macCount
        return joined
    }

    /// Indices of the nodes of `graph` whose value everything passes through in both models, a row for each image.
    private static func seams(of graph: Graph, like dense: Graph) throws -> [Int] {
        // Of two sizes of a batch, only the extent that counts images is another one.
        let shapes = try [2, 3].map { batch in
            (batch, try ShapeInference.shapes(of: graph, batch: batch), try ShapeInference.shapes(of: dense, batch: batch))
        }
        let passed = zip(dense.nodes, Shortcuts.inSeries(of: dense)).filter { $0.1 && $0.0.outputCount == 1 }
        let names = Set(passed.map(\.0.name))
        return zip(graph.nodes.indices, Shortcuts.inSeries(of: graph)).compactMap { index, isInSeries in
            let node = graph.nodes[index]
            guard isInSeries, node.outputCount == 1, node.origin?.isLast ?? true, names.contains(node.name),
                shapes.allSatisfy({ $1[node.name] == $2[node.name] && $1[node.name]?.dims.first == $0 })
            else { return nil }
            return index
        }
    }
}
