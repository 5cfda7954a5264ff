import Execution
import Graphs
import Operations
import Tensors

/// What a change of one layer does to the model's own output.
struct WholeModelJudge {
    private let graph: Graph
    private let measure: RankCurves.Measure
    private let images: [Tensor]
    private let labels: [[Int]]
    /// For `output`, the logarithms of the dense model's probabilities; for `sensitivity`, its accuracy.
    private let expected: [Tensor]
    private let accuracy: Double

    init(_ graph: Graph, _ measure: RankCurves.Measure, _ images: [Tensor], _ labels: [[Int]]) throws {
        (self.graph, self.measure, self.images, self.labels) = (graph, measure, images, labels)
        let engine = InferenceEngine(graph)
        let outputs = try images.map { try engine.run([$0])[0] }
        expected = try measure == .output ? outputs.map { try $0.logSoftmax() } : []
        accuracy = measure == .sensitivity ? try Self.accuracy(outputs, labels) : 0
    }

    /// The loss of the graph that `change` makes of the dense one; for `sensitivity` its statistics are re-estimated.
    func loss(_ change: (Graph) throws -> Graph) throws -> Double {
        var changed = try change(graph)
        if measure == .sensitivity, changed.nodes.contains(where: { $0.operation is BatchNorm }) {
            var estimator = StatisticsEstimator(changed)
            for batch in images { try estimator.add([batch]) }
            changed.parameters = estimator.estimated
        }
        let engine = InferenceEngine(changed)
        let outputs = try images.map { try engine.run([$0])[0] }
        if measure == .sensitivity { return max(0, accuracy - (try Self.accuracy(outputs, labels))) }
        return try LogProbabilities.divergence(from: expected, to: outputs.map { try $0.logSoftmax() })
    }

    private static func accuracy(_ outputs: [Tensor], _ labels: [[Int]]) throws -> Double {
        var (correct, count) = (0, 0)
        for (batch, truth) in zip(outputs, labels) {
            correct += zip(try batch.argmax().array(of: Int64.self), truth).count { Int($0) == $1 }
            count += truth.count
        }
        return Double(correct) / Double(max(1, count))
    }
}

/// Batches of logarithms of probabilities [N, classes].
enum LogProbabilities {
    /// The mean over images of KL(exact ‖ changed) = Σ exp(exact) · (exact − changed).
    static func divergence(from exact: [Tensor], to changed: [Tensor]) throws -> Double {
        var (sum, count) = (0.0, 0)
        for (p, q) in zip(exact, changed) {
            let terms = try p.exponential().multiplying(p.subtracting(q))
            sum += try terms.array(of: Float.self).reduce(0) { $0 + Double($1) }
            count += p.shape[0]
        }
        return max(0, sum / Double(max(1, count)))
    }
}
