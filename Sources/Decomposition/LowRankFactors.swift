import Tensors

/// A matrix [n₁, n₂] as two factors of full rank, whose leading parts are those of lower ranks.
struct LowRankFactors: Sendable {
    /// Singular values; with a metric those of the whitened matrix.
    let spectrum: [Double]
    /// The share of the energy cut off at rank 0, 1, …, where the second factor was fitted.
    let fittedTails: [Double]?
    /// [n₁, R].
    private let left: Tensor
    /// [R, n₂], or coordinates [R·P, O] of what `projection` gives back.
    private let right: Tensor
    private let projection: DataAwareProjection?

    init(_ svd: TruncatedSVD, _ whitened: WhitenedWeight?) throws {
        spectrum = svd.spectrum.values
        left = try whitened?.unwhitened(svd.left) ?? svd.left
        projection = try whitened?.rooted.map { [left] in try DataAwareProjection($0, basis: left) }
        right = projection?.coordinates ?? svd.right
        fittedTails = try projection.map { try Self.tails($0.coordinates, ranks: svd.rank) }
    }

    /// The factors [n₁, r] and [r, n₂].
    func truncated(_ rank: Int) throws -> [Tensor] {
        let rows = right.shape[0] / left.shape[1]
        let leading = try right.sliced(dim: 0, from: 0, to: rank * rows)
        return [
            try left.sliced(dim: 1, from: 0, to: rank), try projection?.solved(leading).reshaped([rank, -1]) ?? leading,
        ]
    }

    private static func tails(_ coordinates: Tensor, ranks: Int) throws -> [Double] {
        var tails = [Double](repeating: 0, count: ranks + 1)
        let block = coordinates.elementCount / ranks
        try coordinates.contiguous().withElements(of: Float.self) { values in
            for rank in (0..<ranks).reversed() {
                let energy = values[rank * block..<(rank + 1) * block].reduce(0.0) { $0 + Double($1) * Double($1) }
                tails[rank] = tails[rank + 1] + energy
            }
        }
        let total = tails[0]
        return total > 0 ? tails.map { $0 / total } : tails
    }
}
