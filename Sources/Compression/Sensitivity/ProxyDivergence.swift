import Operations
import Tensors

/// The classifier imprinted on a layer's own activation, and what it makes of a changed one.
struct ProxyDivergence {
    private let classifier: ImprintedClassifier
    private let expected: [Tensor]
    private let sharpness: Double

    /// Imprints normalised class means of pooled, normalised embeddings of the dense taps.
    /// - Throws: `notFinite` for taps that are not.
    init(_ taps: [Tensor], _ labels: [[Int]], sharpness: Double) throws {
        let embeddings = try taps.map(Self.embed)
        let classCount = (labels.flatMap { $0 }.max() ?? 0) + 1
        var classifier = ImprintedClassifier(head: .imprint, classCount: classCount, dimension: embeddings[0].shape[1])
        for (batch, own) in zip(embeddings, labels) { try classifier.imprint(batch, own) }
        try classifier.seal()
        (self.classifier, self.sharpness) = (classifier, sharpness)
        expected = try embeddings.map { try Self.logarithms($0, classifier, sharpness) }
    }

    /// The mean over images of KL(dense ‖ changed).
    func divergence(_ taps: [Tensor]) throws -> Double {
        try LogProbabilities.divergence(
            from: expected, to: taps.map { try Self.logarithms(Self.embed($0), classifier, sharpness) })
    }

    /// The logarithms of softmax(sharpness · cosine) for embeddings [N, D] of norm 1.
    private static func logarithms(_ embeddings: Tensor, _ classifier: ImprintedClassifier, _ sharpness: Double) throws -> Tensor {
        try classifier.logits(embeddings).multiplying(sharpness).logSoftmax()
    }

    /// Rows of norm 1.
    private static func normalized(_ rows: Tensor) throws -> Tensor {
        let squares = try rows.multiplying(rows).sum(along: 1, keeping: true)
        return try rows.dividing(squares.adding(Tensor.full([], 1e-24)).squareRoot())
    }

    private static func embed(_ tap: Tensor) throws -> Tensor {
        guard tap.rank == 4 else { return try normalized(tap.reshaped([tap.shape[0], -1])) }
        let wanted = Int((512 / Double(max(1, tap.shape[1]))).squareRoot().rounded())
        let size = max(1, min(wanted, tap.shape[2], tap.shape[3]))
        let pooled = try AdaptiveAveragePool2D(rows: size, columns: size).evaluate([tap], .inference).outputs[0]
        return try normalized(pooled.contiguous().reshaped([tap.shape[0], -1]))
    }
}
