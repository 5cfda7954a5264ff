import Operations
import Tensors

/// The classifier imprinted on a layer's own activation, and what it makes of a changed one.
struct ProxyDivergence {
    private let weights: Tensor
    private let expected: [Tensor]
    private let sharpness: Double

    /// Imprints normalised class means of pooled, normalised embeddings of the dense taps.
    init(_ taps: [Tensor], _ labels: [[Int]], sharpness: Double) throws {
        self.sharpness = sharpness
        let embeddings = try taps.map(Self.embed)
        let dimension = embeddings[0].shape[1]
        let classCount = (labels.flatMap { $0 }.max() ?? 0) + 1
        var sums = [Double](repeating: 0, count: classCount * dimension)
        for (batch, own) in zip(embeddings, labels) {
            try batch.withElements(of: Float.self) { values in
                for (n, label) in own.enumerated() {
                    for d in 0..<dimension { sums[label * dimension + d] += Double(values[n * dimension + d]) }
                }
            }
        }
        let weights = try Self.normalized(Tensor(sums.map(Float.init), shape: [classCount, dimension])).transposed()
        self.weights = weights
        expected = try embeddings.map { try Self.logarithms($0, weights, sharpness) }
    }

    /// The mean over images of KL(dense ‖ changed).
    func divergence(_ taps: [Tensor]) throws -> Double {
        try LogProbabilities.divergence(
            from: expected, to: taps.map { try Self.logarithms(Self.embed($0), weights, sharpness) })
    }

    /// The logarithms of softmax(sharpness · cosine) for embeddings [N, D] of norm 1.
    private static func logarithms(_ embeddings: Tensor, _ weights: Tensor, _ sharpness: Double) throws -> Tensor {
        try embeddings.matrixProduct(weights).multiplying(sharpness).logSoftmax()
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
