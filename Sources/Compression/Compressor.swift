import Basics
import Decomposition
public import Graphs

/// Applies a plan: decomposed layers become chains of ordinary nodes that remember where they come from.
public enum Compressor {
    /// The compressed model; `model.graph` is untouched.
    ///
    /// The last node of a chain keeps the layer's name, and with it every reader; the others are called
    /// `layer.tt1`, `layer.tt2`, …. A bias stays on the last one. Layers that share a weight share the factors.
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
            let made = try located(row.layer) {
                try ChainNodes.replace(layer, by: chain(of: layer, row.format), ranks: ranks, in: &graph)
            }
            chains.merge(made) { $1 }
        }
        graph.nodes = graph.nodes.flatMap { chains[$0.name] ?? [$0] }
        graph.dropUnusedParameters()
        try Verifier.verify(graph)
        return graph
    }

    private static func chain(of layer: DecomposableLayer, _ format: String) throws -> LayerChain {
        guard let index = layer.chainIndex(format: format) else {
            throw CompressionFailure.invalidRanks(
                layer: layer.name,
                detail: "cannot be given ranks: \(layer.denseReason ?? "it was not decomposed as \(format)")")
        }
        return layer.chains[index]
    }
}
