import Execution
import Graphs
import Tensors

/// What a change of one layer does to the probabilities that the model gives.
struct OutputDivergence {
    /// Logarithms of the dense model's probabilities.
    private let expected: [Tensor]

    init(_ graph: Graph, _ images: [Tensor]) throws {
        let engine = InferenceEngine(graph)
        expected = try images.map { try engine.run([$0])[0].logSoftmax() }
        for batch in expected where try !batch.isFinite() {
            throw CompressionFailure.notFinite(what: "the result of \(graph.name)")
        }
    }

    /// The mean over images of KL(dense ‖ changed) for the changed model's outputs, batch by batch.
    func divergence(_ outputs: [Tensor]) throws -> Double {
        try LogProbabilities.divergence(from: expected, to: outputs.map { try $0.logSoftmax() })
    }
}

/// Batches of logarithms of probabilities [N, classes].
enum LogProbabilities {
    /// The mean over images of KL(exact ‖ changed) = Σ exp(exact) · (exact − changed); no number where one of them is none.
    static func divergence(from exact: [Tensor], to changed: [Tensor]) throws -> Double {
        var (sum, count) = (0.0, 0)
        for (p, q) in zip(exact, changed) {
            let terms = try p.exponential().multiplying(p.subtracting(q))
            sum += try terms.array(of: Float.self).reduce(0) { $0 + Double($1) }
            count += p.shape[0]
        }
        return nonNegative(sum / Double(max(1, count)))
    }
}
