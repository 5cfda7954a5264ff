import Execution
import Graphs
import Tensors

/// Values inside a graph, batch by batch, from which later ones are computed without starting again at the images.
struct ActivationCache {
    private var batches: [[String: Tensor]]

    /// At the graph's input.
    init(_ graph: Graph, images: [Tensor]) {
        batches = images.map { [graph.inputs.first?.name ?? "": $0] }
    }

    /// The values called `names`, batch by batch.
    func values(_ names: [String], of graph: Graph) throws -> [[Tensor]] {
        guard let first = batches.first else { return [] }
        let missing = names.filter { first[$0] == nil }
        let part = try graph.computing(missing, from: first.mapValues { $0.shape.sample })
        let engine = InferenceEngine(part)
        return try batches.map { known in
            var computed = try missing.isEmpty ? [] : engine.run(part.inputs.compactMap { known[$0.name] })[...]
            return names.compactMap { known[$0] ?? computed.popFirst() }
        }
    }

    /// Moves on to what the nodes from `index` on read of the nodes before it.
    mutating func advance(to index: Int, of graph: Graph) throws {
        let later = Set(graph.nodes[index...].flatMap(\.valueInputs) + graph.outputs)
        let made = Set(graph.inputs.map(\.name) + graph.nodes[..<index].flatMap(\.outputs))
        let names = later.intersection(made).sorted()
        batches = try values(names, of: graph).map { Dictionary(uniqueKeysWithValues: zip(names, $0)) }
    }
}
