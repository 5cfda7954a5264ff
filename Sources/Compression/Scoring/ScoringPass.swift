package import Execution
package import Graphs
import Operations
package import Tensors

/// Runs a model for the embeddings of its taps, and for the inputs of its layers while their moments are collected.
package struct ScoringPass {
    let taps: [String]
    /// Elements of the embedding of each tap.
    let dimensions: [Int]
    private let embedding: InferenceEngine
    /// Computes what the moments are taken of as well; `nil` once they have their images.
    private var full: InferenceEngine?
    private var collector: MomentCollector?

    /// How many results the next batch is computed for.
    package var resultCount: Int { taps.count + (full == nil ? 0 : collector?.values.count ?? 0) }

    /// - Parameter momentImages: how many images moments are taken of; 0 for none.
    package init(_ graph: Graph, taps: [String], embeddingSize: Int, precision: Precision, momentImages: Int) throws {
        self.taps = taps
        let embedded = try EmbeddingGraph.make(graph, taps, size: embeddingSize)
        let shapes = try ShapeInference.shapes(of: embedded, batch: 1)
        let names = taps.map(EmbeddingGraph.embedding)
        dimensions = names.map { shapes[$0]?[1] ?? 0 }
        embedding = InferenceEngine(try embedded.computing(names), precision: precision)
        guard momentImages > 0 else { return }
        let collector = try MomentCollector(graph, imageLimit: momentImages)
        full = InferenceEngine(try embedded.computing(names + collector.values), precision: precision)
        self.collector = collector
    }

    /// The embeddings [N, D] of a batch, in the order of `taps`.
    package mutating func embeddings(of images: Tensor) throws -> [Tensor] {
        guard let full else { return try embedding.run([images]) }
        let results = try full.run([images])
        try collector?.add(Array(results[taps.count...]), images: images)
        if collector?.isFull == true { self.full = nil }
        return Array(results[..<taps.count])
    }

    /// The moments collected so far; `nil` where none were asked for.
    func moments() throws -> InputStatistics? { try collector?.moments() }
}

/// A model with pooling behind its taps.
enum EmbeddingGraph {
    static func embedding(of tap: String) -> String { "embedding:" + tap }

    /// The graph that can compute the embeddings [N, D] of `taps`, maps pooled to about `size` values and vectors as they are.
    ///
    /// So the pooling runs where the map was just made, and no map is kept for it.
    static func make(_ graph: Graph, _ taps: [String], size: Int) throws -> Graph {
        let shapes = try ShapeInference.shapes(of: graph, batch: 1)
        let tapped = Set(taps)
        var result = graph
        result.nodes = graph.nodes.flatMap { node in
            [node] + node.outputs.filter(tapped.contains).flatMap { nodes(for: $0, shapes[$0] ?? [], size) }
        }
        return result
    }

    private static func nodes(for tap: String, _ shape: Shape, _ size: Int) -> [Node] {
        guard shape.rank == 4 else { return [Node(embedding(of: tap), Flatten(), [.value(tap)])] }
        let wanted = Int((Double(size) / Double(max(1, shape[1]))).squareRoot().rounded())
        let side = max(1, min(wanted, shape[2], shape[3]))
        let pooled = "pooled:" + tap
        return [
            Node(pooled, AdaptiveAveragePool2D(rows: side, columns: side), [.value(tap)]),
            Node(embedding(of: tap), Flatten(), [.value(pooled)]),
        ]
    }
}
