import Basics
import Decomposition
public import Graphs
import Operations
import Tensors

/// Applies a plan: decomposed layers become chains of ordinary nodes that remember where they come from.
public enum Compressor {
    /// The compressed model; `model.graph` is untouched.
    ///
    /// The last node of a chain keeps the layer's name, and with it every reader; the others are called
    /// `layer.tt1`, `layer.tt2`, …. A bias stays on the last one.
    /// - Throws: `unknownLayer`, `invalidRanks`; failures of the decomposition with the layer's path.
    public static func compress(_ model: DecomposedModel, plan: Plan) throws -> Graph {
        let layers = Dictionary(uniqueKeysWithValues: model.layers.map { ($0.name, $0) })
        var chains: [String: [Node]] = [:]
        var graph = model.graph
        for row in plan.rows {
            guard let layer = layers[row.layer] else {
                throw CompressionFailure.unknownLayer(
                    pattern: row.layer, nearest: nearestName(to: row.layer, among: layers.keys))
            }
            guard let ranks = row.ranks else { continue }
            chains[row.layer] = try located(row.layer) {
                try chain(layer, chain(of: layer, row.grouping), ranks: ranks, node: graph.nodes[layer.layer.node], &graph)
            }
        }
        graph.nodes = graph.nodes.flatMap { chains[$0.name] ?? [$0] }
        graph.parameters.keep(only: Set(graph.nodes.flatMap(\.parameterInputs)))
        try Verifier.verify(graph)
        return graph
    }

    /// `graph`, which holds `layer` under its name, with `chain` in its place.
    static func replacing(
        _ layer: DecomposableLayer, by chain: LayerChain, ranks: [Int], in graph: Graph
    ) throws -> Graph {
        var result = graph
        guard let index = graph.index(ofNode: layer.name) else { return graph }
        let nodes = try Self.chain(layer, chain, ranks: ranks, node: graph.nodes[index], &result)
        result.nodes.replaceSubrange(index...index, with: nodes)
        result.parameters.keep(only: Set(result.nodes.flatMap(\.parameterInputs)))
        return result
    }

    private static func chain(of layer: DecomposableLayer, _ grouping: String) throws -> LayerChain {
        guard let index = layer.chainIndex(grouping: grouping) else {
            throw CompressionFailure.invalidRanks(
                layer: layer.name,
                detail: "cannot be given ranks: \(layer.denseReason ?? "it was not decomposed as \(grouping)")")
        }
        return layer.chains[index]
    }

    private static func chain(
        _ layer: DecomposableLayer, _ chain: LayerChain, ranks: [Int], node: Node, _ graph: inout Graph
    ) throws -> [Node] {
        let decomposition = chain.decomposition
        guard ranks.count == decomposition.bondCount else {
            throw CompressionFailure.invalidRanks(
                layer: layer.name, detail: "needs \(decomposition.bondCount) rank(s), but the plan has \(ranks)")
        }
        let hasBias = node.inputs.count > 2
        // What was frozen stays so.
        let isTrainable = graph.parameters[layer.layer.weight]?.isTrainable ?? true
        var steps: [(operation: (_ hasBias: Bool) -> any GraphOperation, weight: Tensor)] = []
        switch decomposition.kind {
        case .convolution:
            for factor in try decomposition.convolutionFactors(ranks: ranks) {
                steps.append(({ Conv2D(factor.geometry, hasBias: $0) }, factor.weight))
            }
        case .linear:
            let pair = try decomposition.linearFactors(rank: ranks[0])
            steps = [({ Linear(hasBias: $0) }, pair.first), ({ Linear(hasBias: $0) }, pair.second)]
        }
        var value = node.inputs[0]
        return steps.enumerated().map { position, step in
            let isLast = position == steps.count - 1
            let name = isLast ? node.name : "\(node.name).tt\(position + 1)"
            let parameter = "\(node.name).tt\(position + 1).weight"
            graph.parameters[parameter] = .init(tensor: step.weight, isTrainable: isTrainable)
            let bias = isLast && hasBias ? [node.inputs[2]] : []
            let made = Node(
                name, step.operation(!bias.isEmpty), [value, .parameter(parameter)] + bias,
                origin: Origin(
                    layer: layer.name, grouping: chain.grouping, position: position, count: steps.count))
            value = .value(name)
            return made
        }
    }
}
