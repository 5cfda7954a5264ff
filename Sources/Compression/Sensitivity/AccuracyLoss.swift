import Execution
import Graphs
import Operations
import Tensors

/// The accuracy that the whole model loses by a change of one layer, with all statistics re-estimated.
struct AccuracyLoss {
    private let images: [Tensor]
    private let labels: [[Int]]
    /// Of the dense model.
    private let accuracy: Double

    init(_ graph: Graph, _ images: [Tensor], _ labels: [[Int]]) throws {
        (self.images, self.labels) = (images, labels)
        accuracy = try Self.accuracy(of: graph, images, labels)
    }

    /// The dense accuracy less that of `changed`; 0 where it is better.
    func loss(of changed: Graph) throws -> Double {
        var changed = changed
        if changed.nodes.contains(where: { $0.operation is BatchNorm }) {
            var estimator = try BatchNormRecalibration(changed)
            for batch in images { try estimator.add([batch]) }
            changed.parameters = estimator.estimated
        }
        return max(0, accuracy - (try Self.accuracy(of: changed, images, labels)))
    }

    private static func accuracy(of graph: Graph, _ images: [Tensor], _ labels: [[Int]]) throws -> Double {
        let engine = InferenceEngine(graph)
        var (correct, count) = (0, 0)
        for (batch, truth) in zip(images, labels) {
            let result = try engine.run([batch])[0]
            guard try result.isFinite() else { throw CompressionFailure.notFinite(what: "the result of \(graph.name)") }
            correct += zip(try result.predictedClasses(), truth).count { $0 == $1 }
            count += truth.count
        }
        return Double(correct) / Double(max(1, count))
    }
}
