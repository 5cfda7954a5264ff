import Basics
public import Execution
public import Graphs
import Operations
public import Tensors

/// Layer-Wise Imprinting Quantitation: the significance of every layer from one pass over labelled images.
///
/// A proxy classifier is imprinted from class means on each layer's activation; the accuracy gained from a layer to
/// the next is the later one's significance. The paper's equations are not public to us beyond its abstract: what
/// is computed here is our reconstruction from it and from the works it builds on.
/// - Reference: Luo, Liu, Yu, Ren, Bai, *An Adaptive Tensor-Train Decomposition Approach for Efficient Deep Neural
///   Network Compression*, 2024, arXiv:2408.01534. Imprinting on every layer: Elkerdawy et al., *One-Shot Layer-Wise
///   Accuracy Approximation for Layer Pruning*, ICIP 2020, doi:10.1109/ICIP40778.2020.9191238.
public struct LWIQScorer {
    /// A source of labelled batches; `nil` at its end.
    public typealias BatchSource = () throws -> (images: Tensor, labels: [Int])?

    public var head: ProxyHead = .imprint
    /// Embeddings have about this many elements: maps are pooled to d×d with d = round(√(D/C)).
    public var embeddingSize = 512
    public var isMonotone = false
    /// The least gain allocation sees; one standard error when `nil`.
    public var floor: Double?
    /// Whether the holdout images' embeddings are kept with the scores: 4·D bytes an image and layer.
    public var keepsEmbeddings = false
    /// Whether the moments of what goes into each layer are collected in the same pass, for whitened decompositions: of the
    /// first `InputMoments.imageCount` images.
    public var collectsMoments = false
    /// What the network is computed in; means and classifications are float32 and double in any case.
    public var precision = Precision.float32

    public init() {}

    /// Scores every weighted layer but the classifier.
    /// - Parameters:
    ///   - imprint: images that make the class means; every class must occur.
    ///   - holdout: other images, whose classification is counted.
    ///   - imageCount: of both parts, for the progress bar.
    /// - Throws: `missingClasses`, `noImages`, `labelOutOfRange`, `noLayers`, `Interrupted`.
    /// - Complexity: one inference pass over the images; memory does not grow with their number.
    public func score(
        _ graph: Graph, imprint: BatchSource, holdout: BatchSource, classCount: Int, imageCount: Int
    ) throws -> LayerScores {
        guard classCount >= 1, classCount < 1 << 24 else {
            throw CompressionFailure.invalidOption(name: "classes", detail: "must be at least 1, but is \(classCount)")
        }
        guard embeddingSize >= 1 else {
            throw CompressionFailure.invalidOption(name: "embedding", detail: "must be at least 1, but is \(embeddingSize)")
        }
        let start = ContinuousClock.now
        let layers = try WeightedLayers.layers(of: graph).filter { !$0.isClassifier }
        guard !layers.isEmpty else { throw CompressionFailure.noLayers(model: graph.name) }
        let taps = Array(Set(layers.map(\.tap))).sorted()
        var collector = try collectsMoments ? MomentCollector(graph, imageLimit: InputMoments.imageCount) : nil
        let embedding = try embeddingGraph(graph, taps, besides: collector?.values ?? [])
        let shapes = try ShapeInference.shapes(of: embedding, batch: 1)
        var classifiers = zip(taps, embedding.outputs).reduce(into: [String: ImprintedClassifier]()) {
            $0[$1.0] = ImprintedClassifier(head: head, classCount: classCount, dimension: shapes[$1.1]?[1] ?? 0)
        }
        let engine = InferenceEngine(embedding, precision: precision)
        var progress = Progress("scoring \(graph.name)", total: imageCount)

        var counts = [Int](repeating: 0, count: classCount)
        let imprintCount = try forEachBatch(imprint, engine, taps, &collector, &progress, classCount) { tap, embeddings, labels in
            try classifiers[tap]?.imprint(embeddings, labels)
        } onBatch: { for label in $0 { counts[label] += 1 } }
        guard imprintCount > 0 else { throw CompressionFailure.noImages(part: "imprint") }
        let missing = counts.indices.filter { counts[$0] == 0 }
        guard missing.isEmpty else { throw CompressionFailure.missingClasses(classes: missing, part: "imprint") }
        for tap in classifiers.keys { try classifiers[tap]?.seal() }

        var kept: [String: [Tensor]] = [:]
        var holdoutLabels: [Int] = []
        let holdoutCount = try forEachBatch(holdout, engine, taps, &collector, &progress, classCount) { tap, embeddings, labels in
            try classifiers[tap]?.classify(embeddings, labels)
            if keepsEmbeddings { kept[tap, default: []].append(try embeddings.copy()) }
        } onBatch: { holdoutLabels += $0 }
        guard holdoutCount > 0 else { throw CompressionFailure.noImages(part: "holdout") }
        let elapsed = start.duration(to: .now)
        var scores = LayerScores(
            rows: rows(layers, classifiers, holdoutLabels, classCount),
            head: head, imprintCount: imprintCount, holdoutCount: holdoutCount, classCount: classCount,
            elapsedSeconds: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18)
        for layer in layers {
            if let own = kept[layer.tap] { scores.embeddings[layer.name] = try Tensor.concatenated(own, dim: 0) }
        }
        if keepsEmbeddings { scores.holdoutLabels = holdoutLabels }
        scores.moments = collector?.moments
        return scores
    }

    private func rows(
        _ layers: [WeightedLayer], _ classifiers: [String: ImprintedClassifier], _ labels: [Int], _ classCount: Int
    ) -> [LayerScore] {
        let correct = layers.map { classifiers[$0.tap]?.correctCounts ?? [] }
        let accuracies = zip(layers, correct).map { layer, counts in
            (layer.name, layer.parent, Double(counts.reduce(0, +)) / Double(labels.count))
        }
        var rows = LayerScores.gains(
            accuracies, holdoutCount: labels.count, classCount: classCount, isMonotone: isMonotone, floor: floor)
        let totals = labels.reduce(into: [Int](repeating: 0, count: classCount)) { $0[$1] += 1 }
        for (index, counts) in correct.enumerated() {
            rows[index].classAccuracies = zip(counts, totals).map { $1 > 0 ? Double($0) / Double($1) : .nan }
        }
        return rows
    }

    private func forEachBatch(
        _ source: BatchSource, _ engine: InferenceEngine, _ taps: [String], _ collector: inout MomentCollector?,
        _ progress: inout Progress, _ classCount: Int,
        onTap: (String, Tensor, [Int]) throws -> Void, onBatch: ([Int]) -> Void
    ) throws -> Int {
        var count = 0
        while let (images, labels) = try source() {
            guard labels.count == images.shape.dims.first else {
                throw CompressionFailure.labelCount(labels: labels.count, images: images.shape.dims.first ?? 0)
            }
            if let bad = labels.first(where: { $0 < 0 || $0 >= classCount }) {
                throw CompressionFailure.labelOutOfRange(label: bad, classCount: classCount)
            }
            let results = try engine.run([images])
            for (tap, embeddings) in zip(taps, results) { try onTap(tap, embeddings, labels) }
            try collector?.add(Array(results[taps.count...]), images: images)
            onBatch(labels)
            count += labels.count
            try progress.advance(by: labels.count)
        }
        return count
    }

    /// The graph whose results are the embeddings [N, D] of `taps`, maps pooled to about D values and vectors as they are,
    /// and `values` after them.
    ///
    /// So the pooling runs where the map was just made, and no map is kept for it.
    private func embeddingGraph(_ graph: Graph, _ taps: [String], besides values: [String]) throws -> Graph {
        let shapes = try ShapeInference.shapes(of: graph, batch: 1)
        let tapped = Set(taps)
        var result = graph
        result.nodes = graph.nodes.flatMap { node in
            [node] + node.outputs.filter(tapped.contains).flatMap { embeddingNodes(of: $0, shapes[$0] ?? []) }
        }
        return try result.computing(taps.map(Self.embedding) + values)
    }

    private static func embedding(of tap: String) -> String { "embedding:" + tap }

    private func embeddingNodes(of tap: String, _ shape: Shape) -> [Node] {
        guard shape.rank == 4 else { return [Node(Self.embedding(of: tap), Flatten(), [.value(tap)])] }
        let wanted = Int((Double(embeddingSize) / Double(max(1, shape[1]))).squareRoot().rounded())
        let size = max(1, min(wanted, shape[2], shape[3]))
        let pooled = "pooled:" + tap
        return [
            Node(pooled, AdaptiveAveragePool2D(rows: size, columns: size), [.value(tap)]),
            Node(Self.embedding(of: tap), Flatten(), [.value(pooled)]),
        ]
    }
}
