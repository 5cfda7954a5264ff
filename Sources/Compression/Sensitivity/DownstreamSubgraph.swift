import Execution
import Graphs
import Tensors

/// What follows a layer's tap, up to the model's output: the part of the model that a change of the layer runs through.
struct DownstreamSubgraph {
    /// Values that bypass the layer and are read after it, such as a residual.
    let passing: [String]
    private let engine: InferenceEngine?
    private let inputs: [String]
    private let tap: String

    /// - Throws: what shape inference throws on a graph that does not fit together.
    init(_ layer: WeightedLayer, in model: Graph, _ shapes: [String: Shape]) throws {
        tap = layer.tap
        var (changed, read): (Set<String>, Set<String>) = ([layer.tap], [])
        for node in model.nodes[layer.node...] where node.valueInputs.contains(where: changed.contains) {
            changed.formUnion(node.outputs)
            read.formUnion(node.valueInputs)
        }
        passing = read.subtracting(changed).sorted()
        let known = Dictionary(
            uniqueKeysWithValues: (passing + [tap]).map { name in
                (name, (shapes[name] ?? []).sample)
            })
        let graph = try model.computing([model.outputs[0]], from: known)
        inputs = graph.inputs.map(\.name)
        engine = graph.nodes.isEmpty ? nil : InferenceEngine(graph)
    }

    /// The model's outputs for activations `taps` in place of the dense ones, batch by batch.
    func outputs(_ taps: [Tensor], _ recordings: [LayerSubgraph.Recording]) throws -> [Tensor] {
        guard let engine else { return taps }
        return try zip(taps, recordings).map { own, recording in
            var values = Dictionary(uniqueKeysWithValues: zip(passing, recording.passing))
            values[tap] = own
            return try engine.run(inputs.compactMap { values[$0] })[0]
        }
    }
}
