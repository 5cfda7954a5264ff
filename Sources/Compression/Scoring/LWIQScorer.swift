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
    /// first `InputStatistics.imageCount` images.
    public var collectsMoments = false
    /// What the network is computed in; means and classifications are float32 and double in any case.
    public var precision = Precision.float32

    public init() {}

    /// Scores every weighted layer but the classifier.
    /// - Parameters:
    ///   - imprint: images that make the class means; every class must occur.
    ///   - holdout: other images, whose classification is counted.
    ///   - imageCount: of both parts, for the progress bar.
    /// - Throws: `missingClasses`, `noImages`, `notFiniteImages`, `labelOutOfRange`, `noLayers`, `Interrupted`; `notFinite` for
    ///   a layer whose activation is not.
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
        var pass = try ScoringPass(
            graph, taps: taps, embeddingSize: embeddingSize, precision: precision,
            momentImages: collectsMoments ? InputStatistics.imageCount : 0)
        var classifiers = zip(taps, pass.dimensions).reduce(into: [String: ImprintedClassifier]()) {
            $0[$1.0] = ImprintedClassifier(head: head, classCount: classCount, dimension: $1.1)
        }
        // Taps are named after nodes behind a layer; people know the layer.
        let names = Dictionary(layers.map { ($0.tap, graph.name + " › " + $0.name) }, uniquingKeysWith: { first, _ in first })
        var progress = ProgressReport("scoring \(graph.name)", total: imageCount)

        var counts = [Int](repeating: 0, count: classCount)
        let imprintCount = try forEachBatch(imprint, &pass, &progress, classCount) { tap, embeddings, labels in
            try classifiers[tap]?.imprint(embeddings, labels)
        } onBatch: {
            for label in $0 { counts[label] += 1 }
        }
        guard imprintCount > 0 else { throw CompressionFailure.noImages(part: "imprint") }
        let missing = counts.indices.filter { counts[$0] == 0 }
        guard missing.isEmpty else { throw CompressionFailure.missingClasses(classes: missing, part: "imprint") }
        for tap in taps { try located(names[tap] ?? tap) { try classifiers[tap]?.seal() } }

        var kept: [String: [Tensor]] = [:]
        var holdoutLabels: [Int] = []
        let holdoutCount = try forEachBatch(holdout, &pass, &progress, classCount) { tap, embeddings, labels in
            try located(names[tap] ?? tap) { try classifiers[tap]?.classify(embeddings, labels) }
            if keepsEmbeddings { kept[tap, default: []].append(try embeddings.copy()) }
        } onBatch: {
            holdoutLabels += $0
        }
        guard holdoutCount > 0 else { throw CompressionFailure.noImages(part: "holdout") }
        var scores = LayerScores(
            rows: rows(layers, classifiers, holdoutLabels, classCount),
            head: head, imprintCount: imprintCount, holdoutCount: holdoutCount, classCount: classCount,
            elapsedSeconds: start.duration(to: .now) / .seconds(1))
        for layer in layers {
            if let own = kept[layer.tap] { scores.embeddings[layer.name] = try Tensor.concatenated(own, dim: 0) }
        }
        if keepsEmbeddings { scores.holdoutLabels = holdoutLabels }
        scores.moments = try pass.moments()
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
        _ source: BatchSource, _ pass: inout ScoringPass, _ progress: inout ProgressReport, _ classCount: Int,
        onTap: (String, Tensor, [Int]) throws -> Void, onBatch: ([Int]) -> Void
    ) throws -> Int {
        var count = 0
        var check = ImageCheck()
        while let (images, labels) = try source() {
            guard labels.count == images.shape.dims.first else {
                throw CompressionFailure.labelCount(labels: labels.count, images: images.shape.dims.first ?? 0)
            }
            if let bad = labels.first(where: { $0 < 0 || $0 >= classCount }) {
                throw CompressionFailure.labelOutOfRange(label: bad, classCount: classCount)
            }
            try check.add(images)
            for (tap, embeddings) in zip(pass.taps, try pass.embeddings(of: images)) { try onTap(tap, embeddings, labels) }
            onBatch(labels)
            count += labels.count
            try progress.advance(by: labels.count)
        }
        return count
    }
}
