import Execution
import Graphs
import Operations
import Tensors

/// One layer and what finishes it, up to its tap: a small graph of its own, with the inputs it had in the model.
struct LayerSubgraph {
    /// From the layer's input, and what a residual add takes from elsewhere, to the tap.
    let graph: Graph
    /// What follows the tap, where that is asked for.
    let downstream: DownstreamSubgraph?

    /// What is recorded of the dense model.
    var values: [String] { graph.inputs.map(\.name) + graph.outputs + (downstream?.passing ?? []) }

    /// - Parameter shapes: of the model's values.
    /// - Throws: what shape inference throws on a graph that does not fit together.
    init(_ layer: WeightedLayer, in model: Graph, _ shapes: [String: Shape], withDownstream: Bool) throws {
        downstream = try withDownstream ? DownstreamSubgraph(layer, in: model, shapes) : nil
        var nodes: [Node] = []
        var made: Set<String> = []
        // Every value between the layer and its tap has one reader, so the path is the nodes that read what it made.
        for node in model.nodes[layer.node...] where node.name == layer.name || node.valueInputs.contains(where: made.contains) {
            guard !made.contains(layer.tap) else { break }
            nodes.append(node)
            made.formUnion(node.outputs)
        }
        var outside: [String] = []
        for value in nodes.flatMap(\.valueInputs) where !made.contains(value) && !outside.contains(value) {
            outside.append(value)
        }
        var part = model
        part.name = layer.name
        part.inputs = outside.map { GraphInput(name: $0, sampleShape: (shapes[$0] ?? []).sample) }
        part.nodes = nodes
        part.outputs = [layer.tap]
        part.dropUnusedParameters()
        graph = part
    }

    /// What goes into each of `parts` of `model`, and the dense layers' activations at their taps, batch by batch: one
    /// pass over the images for all of them.
    static func recorded(_ parts: [LayerSubgraph], in model: Graph, _ images: [Tensor]) throws -> [[Recording]] {
        let given = Set(model.inputs.map(\.name))
        let computed = Set(parts.flatMap(\.values)).subtracting(given).sorted()
        let engine = InferenceEngine(try model.computing(computed))
        var recordings = [[Recording]](repeating: [], count: parts.count)
        for batch in images {
            var values = Dictionary(uniqueKeysWithValues: zip(computed, try engine.run([batch])))
            for name in given { values[name] = batch }
            for (index, part) in parts.enumerated() {
                guard let tap = values[part.graph.outputs[0]] else { continue }
                recordings[index].append(
                    Recording(
                        inputs: part.graph.inputs.compactMap { values[$0.name] }, tap: tap,
                        passing: part.downstream?.passing.compactMap { values[$0] } ?? []))
            }
        }
        return recordings
    }

    struct Recording {
        let inputs: [Tensor]
        let tap: Tensor
        /// What passes the layer by.
        let passing: [Tensor]
    }

    /// The tap, batch by batch, when `chain` at `ranks` stands in for the layer and each batch is normalised by its own
    /// statistics.
    func settledTaps(
        _ layer: DecomposableLayer, _ chain: LayerChain, ranks: [Int], on recordings: [Recording]
    ) throws -> [Tensor] {
        var estimator = try BatchNormRecalibration(ChainNodes.replacing(layer, by: chain, ranks: ranks, in: graph))
        return try recordings.map { try estimator.add($0.inputs)[0] }
    }
}
