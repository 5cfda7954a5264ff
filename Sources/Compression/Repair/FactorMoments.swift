import Graphs
import Operations
import Tensors

/// First and second moments of what one position of a factor's result is made of, h, and of what should come out, y.
///
/// A first mean is taken off both before anything is multiplied, and what is left is summed in double, so that covariances
/// keep their digits where means are thousands of deviations.
struct FactorMoments {
    /// Values that went through a few sums of 24 bits say nothing of variances below this share of their squares.
    private static let resolution = 0x1p-40
    /// Sums of products rounded to 24 bits are off by about this share of the variances.
    private static let productResolution = 0x1p-22

    /// E[h] [r] and E[y] [O].
    private let mean: [Double]
    private let outputMean: [Double]
    /// Cov(h, h) [r, r], Cov(y, h) [O, r] and Var(y) [O].
    private let covariance: PreciseMatrix
    private let mixed: PreciseMatrix
    private let outputVariance: [Double]

    /// - Parameters:
    ///   - node: a convolution in one group or a linear layer, with a weight of shape `weight`.
    ///   - received: what goes into `node`, batch by batch.
    ///   - wanted: what should come out of it, or of the pointwise factor behind it.
    /// - Throws: `notFinite`.
    init(of node: Node, weight: Shape, inputs received: [Tensor], outputs wanted: [Tensor]) throws {
        let patches = Im2col(node, weight: weight)
        let origin = try received.first.map { try patches.firstMean(of: $0) } ?? []
        let outputOrigin = try wanted.first.map { try patches.firstChannelMean(of: $0) } ?? []
        let moments = try ColumnMoments(width: origin.count, outputWidth: outputOrigin.count)
        for (input, output) in zip(received, wanted) {
            try patches.forEachPart(of: input, less: origin) { h, part in
                let y = try output.sliced(dim: 0, from: part.lowerBound, to: part.upperBound)
                try moments.add(h, patches.channelColumns(y, less: outputOrigin))
            }
        }
        let totals = moments.totals()
        let share = 1 / Double(max(1, totals.count))
        let (shift, outputShift) = (totals.sums.map { $0 * share }, totals.outputSums.map { $0 * share })
        mean = zip(origin, shift).map { Double($0) + $1 }
        outputMean = zip(outputOrigin, outputShift).map { Double($0) + $1 }
        covariance = try totals.gram.scaled(by: share, less: shift, shift)
        mixed = try totals.mixed.scaled(by: share, less: outputShift, shift)
        outputVariance = zip(totals.outputSquares, outputShift).map { nonNegative($0 * share - $1 * $1) }
        guard covariance.isFinite, mixed.isFinite, (mean + outputMean + outputVariance).allSatisfy(\.isFinite) else {
            throw CompressionFailure.notFinite(what: "what goes into the layer or should come out of it")
        }
    }

    private static let weightIsNotFinite = CompressionFailure.notFinite(what: "the layer's own weight")

    struct Fit {
        /// [O, r], or of a pair [O, rank]; `nil` where the present weight is kept.
        var weight: Tensor?
        /// Of a pair, the factor before it: [rank, r].
        var before: Tensor?
        /// [O]: what is missing on average.
        let bias: Tensor
        /// [O]: the variance of the result with these weights as a share of what it should be; `nil` for a channel that varies
        /// too little on these images to say.
        let varianceRatio: [Double?]
    }

    /// W = argmin E‖y − W h − b‖² + λ‖W − W₀‖² for the present W₀.
    ///
    /// So directions in which h does not vary keep what they had. λ is `ridge` · mean variance of h, and at least what the
    /// moments resolve. Where rounding makes the result worse than W₀ is, W₀ is kept.
    /// - Parameter present: W₀ [O, r].
    func fit(ridge: Double, present: Tensor) throws -> Fit {
        let present = try PreciseMatrix(present)
        guard present.isFinite else { throw Self.weightIsNotFinite }
        guard let solved = try regression(ridge: ridge, present: present)?.weight,
            try gain(of: solved, over: present, importance: [Double](repeating: 1, count: present.rows)) >= 0
        else { return try fit(product: present) }
        var fit = try fit(product: solved)
        fit.weight = try solved.tensor()
        return fit
    }

    /// The best W = B M of this rank, by errors that count `importance` times in each channel: with W₁ the unbound solution,
    /// ‖(W − W₁)(Cov(h, h) + λI)^½‖ is what W has more, so B spans the leading eigenvectors of W₁ (Cov(h, h) + λI) W₁ᵀ.
    /// - Parameters:
    ///   - present: B₀ [O, rank] and M₀ [rank, r].
    ///   - importance: [O], positive.
    /// - Reference: Izenman, *Reduced-Rank Regression for the Multivariate Linear Model*, Journal of Multivariate Analysis
    ///   5(2), 1975, doi:10.1016/0047-259X(75)90042-1, Theorem 1.
    func fit(ridge: Double, present: (last: Tensor, before: Tensor), importance: [Double]) throws -> Fit {
        let (rank, product) = try (present.before.shape[0], PreciseMatrix(present.last).product(PreciseMatrix(present.before)))
        guard product.isFinite else { throw Self.weightIsNotFinite }
        guard let (solved, lambda) = try regression(ridge: ridge, present: product) else { return try fit(product: product) }
        let weighed = try solved.scaledRows(by: importance)
        let spread = try weighed.product(covariance).product(weighed, transposingOther: true)
            .adding(weighed.product(weighed, transposingOther: true), times: lambda)
        let vectors = try spread.symmetricEigen().vectors.leadingColumns(rank).transposed()
        let before = try vectors.product(weighed)
        let leading = try vectors.scaledColumns(by: importance.map { 1 / $0 })
        // Rows of the one as long as columns of the other, so that training moves both alike.
        let lengths = (0..<rank).map { k in
            let (own, other) = (before.row(k).reduce(0) { $0 + $1 * $1 }, leading.row(k).reduce(0) { $0 + $1 * $1 })
            return own > 0 && other > 0 ? (own / other).squareRoot().squareRoot() : 1
        }
        // Rounded, as the model will have them.
        let rounded = try (
            last: leading.scaledRows(by: lengths).tensor().transposed().contiguous(),
            before: before.scaledRows(by: lengths.map { 1 / $0 }).tensor()
        )
        let made = try PreciseMatrix(rounded.last).product(PreciseMatrix(rounded.before))
        guard made.isFinite, try gain(of: made, over: product, importance: importance) >= 0 else { return try fit(product: product) }
        var fit = try fit(product: made)
        (fit.weight, fit.before) = rounded
        return fit
    }

    /// W₀ + Cov(y − W₀ h, h) (Cov(h, h) + λI)⁻¹ [O, r], and λ; `nil` where the images say nothing of it.
    private func regression(ridge: Double, present: PreciseMatrix) throws -> (weight: PreciseMatrix, lambda: Double)? {
        let missing = try mixed.adding(present.product(covariance), times: -1)
        let width = Double(max(1, mean.count))
        let squares = covariance.trace + mean.reduce(0) { $0 + $1 * $1 }
        var lambda = max(ridge, Self.productResolution) * covariance.trace / width + Self.resolution * squares / width
        guard lambda > 0, lambda.isFinite else { return nil }
        for _ in 0..<16 {
            if let step = try covariance.solving(rows: missing, ridge: lambda) {
                return (try step.adding(present), lambda)
            }
            lambda *= 8
        }
        return nil
    }

    /// By how much E‖y − W h − b‖² is smaller with `weight` than with `present`, channels counted by `importance`².
    private func gain(of weight: PreciseMatrix, over present: PreciseMatrix, importance: [Double]) throws -> Double {
        // −Σ Δ·(C (W + W₀)ᵀ − 2 Cov(h, y)): the difference at once, because both errors are almost the same number.
        let (step, sum) = try (weight.adding(present, times: -1), weight.adding(present))
        let spread = try sum.product(covariance)
        return withExtendedLifetime((step, spread)) {
            (0..<step.rows).reduce(0) { total, o in
                var own = 0.0
                for i in 0..<step.columns { own += step.row(o)[i] * (2 * mixed.row(o)[i] - spread.row(o)[i]) }
                return total + own * importance[o] * importance[o]
            }
        }
    }

    private func fit(product: PreciseMatrix) throws -> Fit {
        let spread = try product.product(covariance)
        // What rounding leaves of the variance of each element: of its products, and of the element itself.
        let noise = mean.indices.map { i in
            let variance = nonNegative(covariance.row(i)[i])
            return Self.productResolution * variance + Self.resolution * (variance + mean[i] * mean[i])
        }
        var (means, ratios) = ([Double](), [Double?]())
        withExtendedLifetime(spread) {
            for o in 0..<product.rows {
                let (row, own) = (product.row(o), spread.row(o))
                var (center, variance, least) = (0.0, 0.0, 0.0)
                for i in mean.indices {
                    center += row[i] * mean[i]
                    variance += row[i] * own[i]
                    least += row[i] * row[i] * noise[i]
                }
                means.append(center)
                let wanted = outputVariance[o]
                let leastWanted = Self.resolution * (wanted + outputMean[o] * outputMean[o])
                ratios.append(variance > least && wanted > leastWanted ? variance / wanted : nil)
            }
        }
        return Fit(
            bias: try Tensor(zip(outputMean, means).map { Float($0 - $1) }), varianceRatio: ratios)
    }
}
