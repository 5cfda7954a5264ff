import Basics
import Execution
public import Graphs
public import Tensors

/// Measures models on the same images, against the labels and against the model that they were made of.
public struct QualityJudge {
    private let images: [Tensor]
    private let labels: [[Int]]?
    /// The results of the dense model, batch by batch; `nil` without one.
    private let wanted: [[Tensor]]?
    /// Whether the dense model's rows are probabilities already, as behind a softmax in the file.
    private let givesProbabilities: Bool

    /// - Parameters:
    ///   - dense: what models are compared with; may be left out where there are labels.
    ///   - images: batches as the model takes them: [N, …]. They should be others than those that models are fitted to.
    ///   - labels: the classes of each batch, counted from 0; `nil` where they are unknown.
    /// - Throws: `noImages`; `labelCount` where labels do not fit the batches; `invalidOption` without labels and dense model.
    public init(dense: Graph?, images: [Tensor], labels: [[Int]]?) throws {
        guard !images.isEmpty else { throw CompressionFailure.noImages(part: "judging") }
        if let labels, labels.map(\.count) != images.map({ $0.shape[0] }) {
            throw CompressionFailure.labelCount(
                labels: labels.reduce(0) { $0 + $1.count }, images: images.reduce(0) { $0 + $1.shape[0] })
        }
        guard dense != nil || labels != nil else {
            throw CompressionFailure.invalidOption(name: "dense", detail: "must be given where there are no labels to judge by")
        }
        (self.images, self.labels) = (images, labels)
        wanted = try dense.map { try Self.results(of: $0, images) }
        givesProbabilities =
            try wanted.map { batches in
                try batches.allSatisfy { try Self.isClassRows($0) && ClassRows($0[0]).areProbabilities }
            } ?? false
    }

    /// The number of images that models are judged on.
    public var imageCount: Int { images.reduce(0) { $0 + $1.shape[0] } }

    /// - Throws: what running the graph throws; `invalidOption` for labels of a model whose results are no rows of classes.
    /// - Complexity: a pass of the model over the images.
    public func quality(of graph: Graph) throws -> ModelQuality {
        let results = try Self.results(of: graph, images)
        guard results.allSatisfy(Self.isClassRows) else {
            guard let wanted, labels == nil else {
                throw CompressionFailure.invalidOption(
                    name: "labels", detail: "do not fit \(graph.name), whose results are no row of classes for each image")
            }
            var quality = ModelQuality(imageCount: imageCount)
            quality.likeness = try Self.likeness(results, wanted)
            return quality
        }
        return try classQuality(results)
    }

    private static func results(of graph: Graph, _ images: [Tensor]) throws -> [[Tensor]] {
        let engine = InferenceEngine(graph)
        return try images.map { batch in
            try Cancellation.check()
            return try engine.run([batch])
        }
    }

    /// One result [N, classes] with at least two classes; a single number has no classes to choose among.
    private static func isClassRows(_ results: [Tensor]) -> Bool {
        results.count == 1 && results[0].rank == 2 && results[0].shape[1] > 1
    }

    private func classQuality(_ results: [[Tensor]]) throws -> ModelQuality {
        var quality = ModelQuality(imageCount: imageCount)
        var (hits, divergence, agreed) = ([Bool](), 0.0, 0)
        for (index, batch) in results.enumerated() {
            let rows = try ClassRows(batch[0])
            let (classes, dense) = (rows.classes, try wanted.map { try ClassRows($0[index][0]) })
            if let truth = labels?[index] { hits += zip(classes, truth).map { $0 == $1 } }
            if let dense {
                divergence += rows.divergence(from: dense, areProbabilities: givesProbabilities)
                agreed += zip(classes, dense.classes).count { $0 != nil && $0 == $1 }
            } else if let truth = labels?[index] {
                divergence += rows.crossEntropy(of: truth, areProbabilities: false)
            }
        }
        quality.hits = labels == nil ? nil : hits
        quality.divergence = divergence / Double(max(1, imageCount))
        quality.agreement = wanted == nil ? nil : Double(agreed) / Double(max(1, imageCount))
        return quality
    }

    private static func likeness(_ results: [[Tensor]], _ wanted: [[Tensor]]) throws -> Double {
        var (apart, whole) = (0.0, 0.0)
        for (result, expected) in zip(results.joined(), wanted.joined()) {
            guard result.shape == expected.shape else { return -.infinity }
            apart += try square(result.subtracting(expected).norm())
            whole += try square(expected.norm())
        }
        return apart == 0 ? 1 : 1 - (apart / whole).squareRoot()
    }

    private static func square(_ value: Double) -> Double { value * value }
}
