import Execution
import Graphs
import Operations
import Tensors

/// One layer and what finishes it, up to its tap: a small graph of its own, with the inputs it had in the model.
struct LayerNeighbourhood {
    /// From the layer's input, and what a residual add takes from elsewhere, to the tap.
    let graph: Graph
    /// The dense layer inside `graph`.
    let layerName: String

    /// - Throws: what shape inference throws on a graph that does not fit together.
    init(_ layer: WeightedLayer, in model: Graph) throws {
        let shapes = try ShapeInference.shapes(of: model, batch: 1)
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
        part.inputs = outside.map { GraphInput(name: $0, sampleShape: Shape(Array((shapes[$0] ?? []).dims.dropFirst()))) }
        part.nodes = nodes
        part.outputs = [layer.tap]
        part.parameters.keep(only: Set(nodes.flatMap(\.parameterInputs)))
        graph = part
        layerName = layer.name
    }

    /// What goes into this part of `model`, and the dense layer's activation at the tap, batch by batch.
    func recorded(_ model: Graph, _ images: [Tensor]) throws -> [(inputs: [Tensor], tap: Tensor)] {
        let names = graph.inputs.map(\.name)
        let isImage = Set(model.inputs.map(\.name))
        let computed = names.filter { !isImage.contains($0) } + graph.outputs
        let engine = InferenceEngine(try model.computing(computed))
        return try images.map { batch in
            var results = try engine.run([batch])
            let tap = results.removeLast()
            return (names.map { isImage.contains($0) ? batch : results.removeFirst() }, tap)
        }
    }

    /// The tap when `chain` at `ranks` stands in for the layer and its statistics are re-estimated on the same inputs.
    func taps(
        _ layer: DecomposableLayer, _ chain: LayerChain, ranks: [Int], on inputs: [[Tensor]]
    ) throws -> [Tensor] {
        let replaced = try Compressor.replacing(layer, by: chain, ranks: ranks, in: graph)
        let settled = try Self.reestimated(replaced, on: inputs)
        let engine = InferenceEngine(settled)
        return try inputs.map { try engine.run($0)[0] }
    }

    /// `graph` with its statistics re-estimated; as it is where it has none.
    static func reestimated(_ graph: Graph, on inputs: [[Tensor]]) throws -> Graph {
        guard graph.nodes.contains(where: { $0.operation is BatchNorm }) else { return graph }
        var estimator = StatisticsEstimator(graph)
        for batch in inputs { try estimator.add(batch) }
        var settled = graph
        settled.parameters = estimator.estimated
        return settled
    }
}
