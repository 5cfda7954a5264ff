import Graphs
import Operations
import Tensors

/// First and second moments of what goes into a factor, h, and of what should come out, y.
struct FactorMoments {
    /// Σ h hᵀ [r, r], Σ h yᵀ [r, O], Σ h [r], Σ y [O].
    private var inner: Tensor
    private var cross: Tensor
    private var inputs: Tensor
    private var outputs: Tensor
    private var count = 0

    /// - Parameters:
    ///   - received: what goes into `node`, batch by batch.
    ///   - wanted: what should come out.
    init(of node: Node, inputs received: [Tensor], outputs wanted: [Tensor]) throws {
        let isLinear = node.operation is Linear
        var sums: [Tensor] = []
        for (input, output) in zip(received, wanted) {
            let h = try Self.columns(input, channelsAreLast: isLinear)
            let y = try Self.columns(output, channelsAreLast: isLinear)
            guard h.shape[1] == y.shape[1] else {
                throw CompressionFailure.invalidRanks(
                    layer: node.name, detail: "cannot be fitted: the dense model has another layer of this name")
            }
            let terms = try [
                h.matrixProduct(h.transposed()), h.matrixProduct(y.transposed()), h.sum(along: 1), y.sum(along: 1),
            ]
            sums = try sums.isEmpty ? terms : zip(sums, terms).map { try $0.adding($1) }
            count += h.shape[1]
        }
        (inner, cross, inputs, outputs) = (sums[0], sums[1], sums[2], sums[3])
    }

    /// [channels, images · positions].
    private static func columns(_ value: Tensor, channelsAreLast: Bool) throws -> Tensor {
        if channelsAreLast { return try value.reshaped([-1, value.shape[value.rank - 1]]).transposed().contiguous() }
        let order = [1, 0] + Array(2..<value.rank)
        return try value.permuted(order).contiguous().reshaped([value.shape[1], -1])
    }

    struct Fit {
        /// [O, r].
        let weight: Tensor
        /// [O]: what is missing on average.
        let bias: Tensor
        /// [O]: of the fitted result without its bias.
        let mean: Tensor
        let variance: Tensor
    }

    /// W = Cov(y, h) (Cov(h, h) + λI)⁻¹ with λ = `ridge` · mean variance of h.
    func fit(ridge: Double) throws -> Fit {
        let share = 1 / Double(max(1, count))
        let (h, y) = try (inputs.multiplying(share), outputs.multiplying(share))
        let column = try h.reshaped([-1, 1])
        let covariance = try inner.multiplying(share).subtracting(column.matrixProduct(column.transposed()))
        let mixed = try cross.multiplying(share).subtracting(column.matrixProduct(y.reshaped([1, -1])))
        let (values, vectors) = try covariance.symmetricEigen()
        let lambda = max(Float(ridge) * values.reduce(0, +) / Float(max(1, values.count)), .leastNormalMagnitude)
        let inverses = values.map { 1 / (max(0, $0) + lambda) }
        let solved = try vectors.multiplying(Tensor(inverses)).matrixProduct(vectors.transposed()).matrixProduct(mixed)
        let weight = try solved.transposed().contiguous()
        let mean = try weight.matrixProduct(column).reshaped([-1])
        // diag(W C Wᵀ), which rounding may leave a little below 0.
        let variance = try weight.matrixProduct(covariance).multiplying(weight).sum(along: 1)
        return Fit(
            weight: weight, bias: try y.subtracting(mean), mean: mean,
            variance: try Tensor(variance.array(of: Float.self).map { max(0, $0) }))
    }
}
