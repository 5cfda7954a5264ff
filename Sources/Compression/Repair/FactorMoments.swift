import Graphs
import Operations
import Tensors

/// First and second moments of what one position of a factor's result is made of, h, and of what should come out, y.
struct FactorMoments {
    /// Σ h hᵀ [r, r], Σ h yᵀ [r, O], Σ h [r], Σ y [O].
    private var sums: [Tensor] = []
    private var count = 0

    /// - Parameters:
    ///   - node: a convolution in one group or a linear layer, with a weight of shape `weight`.
    ///   - received: what goes into `node`, batch by batch.
    ///   - wanted: what should come out of it, or of the pointwise factor behind it.
    init(of node: Node, weight: Shape, inputs received: [Tensor], outputs wanted: [Tensor]) throws {
        let patches = Patches(node, weight: weight)
        for (input, output) in zip(received, wanted) {
            try patches.forEachPart(of: input) { h, part in
                try add(h, patches.channelColumns(output.sliced(dim: 0, from: part.lowerBound, to: part.upperBound)))
            }
        }
    }

    private mutating func add(_ h: Tensor, _ y: Tensor) throws {
        let terms = try [h.gram(), h.matrixProduct(y.transposed()), h.sum(along: 1), y.sum(along: 1)]
        sums = try sums.isEmpty ? terms : zip(sums, terms).map { try $0.adding($1) }
        count += h.shape[1]
    }

    struct Fit {
        /// [O, r], or of a pair [O, rank].
        let weight: Tensor
        /// Of a pair, the factor before it: [rank, r].
        var before: Tensor?
        /// [O]: what is missing on average.
        let bias: Tensor
        /// [O]: of the fitted result without its bias.
        let mean: Tensor
        let variance: Tensor
    }

    /// W = Cov(y, h) (Cov(h, h) + λI)⁻¹ with λ = `ridge` · mean variance of h.
    func fit(ridge: Double) throws -> Fit {
        let (solved, covariance) = try regression(ridge: ridge)
        return try fit(solved, before: nil, product: solved, covariance)
    }

    /// The best W = B M of this rank, by errors that count `importance` times in each channel: B spans the leading
    /// eigenvectors of the covariance that the result of the unbound regression has.
    /// - Parameter importance: [O], positive.
    /// - Reference: Izenman, *Reduced-Rank Regression for the Multivariate Linear Model*, Journal of Multivariate Analysis
    ///   5(2), 1975, doi:10.1016/0047-259X(75)90042-1, Theorem 1.
    func fit(ridge: Double, rank: Int, importance: Tensor) throws -> Fit {
        let (solved, covariance) = try regression(ridge: ridge)
        let scale = try importance.reshaped([-1, 1])
        let weighed = try solved.multiplying(scale)
        let spread = try weighed.matrixProduct(covariance).matrixProduct(weighed.transposed())
        let vectors = try spread.symmetricEigen().vectors
        let leading = try vectors.sliced(dim: 1, from: vectors.shape[1] - rank, to: vectors.shape[1]).contiguous()
        var before = try leading.transposed().contiguous().matrixProduct(weighed)
        var last = try leading.dividing(scale)
        // Rows of the one as long as columns of the other, so that training moves both alike.
        let lengths = try zip(before.lengths(along: 1), last.lengths(along: 0)).map { rowLength, columnLength in
            rowLength > 0 && columnLength > 0 ? (rowLength / columnLength).squareRoot() : 1
        }
        before = try before.dividing(Tensor(lengths, shape: [rank, 1]))
        last = try last.multiplying(Tensor(lengths))
        return try fit(last, before: before, product: last.matrixProduct(before), covariance)
    }

    /// The unbound W [O, r], and Cov(h, h).
    private func regression(ridge: Double) throws -> (weight: Tensor, covariance: Tensor) {
        let share = 1 / Double(max(1, count))
        let (h, y) = try (sums[2].multiplying(share), sums[3].multiplying(share))
        let column = try h.reshaped([-1, 1])
        let covariance = try sums[0].multiplying(share).subtracting(column.matrixProduct(column.transposed()))
        let mixed = try sums[1].multiplying(share).subtracting(column.matrixProduct(y.reshaped([1, -1])))
        let (values, vectors) = try covariance.symmetricEigen()
        let lambda = max(Float(ridge) * values.reduce(0, +) / Float(max(1, values.count)), .leastNormalMagnitude)
        let inverses = values.map { 1 / (max(0, $0) + lambda) }
        let solved = try vectors.multiplying(Tensor(inverses)).matrixProduct(vectors.transposed()).matrixProduct(mixed)
        return (try solved.transposed().contiguous(), covariance)
    }

    private func fit(_ weight: Tensor, before: Tensor?, product: Tensor, _ covariance: Tensor) throws -> Fit {
        let share = 1 / Double(max(1, count))
        let mean = try product.matrixProduct(sums[2].multiplying(share).reshaped([-1, 1])).reshaped([-1])
        // diag(W C Wᵀ), which rounding may leave a little below 0.
        let variance = try product.matrixProduct(covariance).multiplying(product).sum(along: 1)
        return Fit(
            weight: weight, before: before, bias: try sums[3].multiplying(share).subtracting(mean), mean: mean,
            variance: try Tensor(variance.array(of: Float.self).map { max(0, $0) }))
    }
}

extension Tensor {
    /// The Euclidean norms of the rows or columns of a matrix.
    fileprivate func lengths(along dim: Int) throws -> [Float] {
        try multiplying(self).sum(along: dim).squareRoot().array(of: Float.self)
    }
}
