import Tensors

/// A weight in coordinates where errors are those of the layer's output, as far as the first mode of its train goes.
///
/// The weight is multiplied by the root of G over the modes that the first mode merges: C, C·Kh or C·Kh·Kw. Its left singular
/// vectors then are the best first factors if positions that the first mode leaves out are uncorrelated. What follows the
/// first factor is fitted to all of G (`DataAwareProjection`).
struct WhitenedWeight: Sendable {
    /// Of the shape of the weight.
    let weight: Tensor
    /// S·W [C · Kh · Kw, O] and S = G^{1/2} over whole patches, where the first mode leaves positions out and G has them.
    let rooted: (root: Tensor, weight: Tensor)?
    private let first: SymmetricRoot
    /// How many copies of the first mode's root lie on the diagonal: one, or one per kernel position merged with the channels.
    private let repeats: Int

    /// - Parameter grouping: of a convolution weight [O, C, Kh, Kw]; `nil` for a linear one [O, I].
    /// - Throws: `shapeMismatch` for moments of another layer.
    init(_ plain: Tensor, grouping: ConvolutionGrouping?, metric: InputGram) throws {
        let shape = plain.shape
        let width = shape.elementCount / max(1, shape[0])
        let order = metric.moments.shape[0]
        guard order == width || order == shape[1] else {
            throw DecompositionFailure.shapeMismatch(
                operation: "whitening", detail: "moments \(metric.moments.shape) are none of a weight \(shape)")
        }
        var merged = [1]
        if order == width, grouping?.stages.first?.hasRows == true { merged.append(2) }
        if order == width, grouping?.stages.first?.hasColumns == true { merged.append(3) }
        let isPartial = order == width && merged.count < shape.rank - 1 && width > shape[1]
        let found = try isPartial ? SymmetricRoot(metric.marginal(weight: shape, axes: merged)) : metric.root
        first = found ?? metric.root
        let axes = (0..<shape.rank).filter { !merged.contains($0) } + merged
        let permuted = try plain.permuted(axes).contiguous()
        let product = try permuted.reshaped([-1, first.root.shape[0]]).matrixProduct(first.root).reshaped(permuted.shape)
        weight = try product.permuted(axes.indices.map { axis in axes.firstIndex(of: axis) ?? axis }).contiguous()
        rooted =
            try isPartial
            ? (metric.root.root, metric.root.root.matrixProduct(plain.contiguous().reshaped([shape[0], width]).transposed()))
            : nil
        let mode = try grouping?.modes(weight: shape)[0] ?? shape[1]
        repeats = mode / first.root.shape[0]
    }

    /// The first factor [n₁, R] of the weight as it was.
    func unwhitened(_ basis: Tensor) throws -> Tensor {
        let rank = basis.shape[1]
        return try first.inverse.matrixProduct(basis.contiguous().reshaped([-1, repeats * rank])).reshaped([-1, rank])
    }
}
