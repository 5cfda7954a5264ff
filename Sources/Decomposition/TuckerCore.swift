import Tensors

/// A tensor [C, K, O] seen in the bases of its two outer unfoldings: W = L ×₁ T ×₃ Rᵀ.
///
/// With a metric, T holds coordinates whose energy is that of the output, and `projection` gives the core back for leading ones.
struct TuckerCore: Sendable {
    /// L [C, R₁] with columns that are orthonormal, in the metric where there is one, the most energetic first.
    let left: Tensor
    /// T [R₁, K, R₂].
    let core: Tensor
    /// Rᵀ [R₂, O] with orthonormal rows.
    let right: Tensor
    /// Singular values per bond: two, or three when K = Kh·Kw is split.
    let spectra: [[Double]]
    /// Kh when the core itself is split into two cores.
    let splitRows: Int?
    private let corners: CornerEnergies
    private let projection: DataAwareProjection?

    var leftRank: Int { core.shape[0] }
    var rightRank: Int { core.shape[2] }
    var energy: Double { corners.whole }

    /// - Parameter left, right: the left singular vectors, as rows, and the singular values of the unfoldings by C and
    ///   by O.
    init(
        _ tensor: Tensor, left byInput: (rows: Tensor, values: [Double]), right byOutput: (rows: Tensor, values: [Double]),
        splitRows: Int?, _ whitened: WhitenedWeight? = nil
    ) throws {
        let (c, k, o) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
        let basis = try byInput.rows.transposed().copy()
        left = try whitened?.unwhitened(basis) ?? basis
        right = byOutput.rows
        let shape = Shape([byInput.values.count, k, byOutput.values.count])
        let projected = try byInput.rows.matrixProduct(tensor.reshaped([c, k * o])).reshaped([-1, o])
        let plain = try projected.matrixProduct(byOutput.rows.transposed()).reshaped(shape)
        projection = try whitened?.rooted.map { [left] in try DataAwareProjection($0, basis: left) }
        core = try projection?.coordinates.matrixProduct(byOutput.rows.transposed()).reshaped(shape) ?? plain
        self.splitRows = splitRows
        if let splitRows {
            let middle = try plain.reshaped([shape[0] * splitRows, -1]).truncatedSVD(.none)
            spectra = [byInput.values, middle.spectrum.values, byOutput.values]
        } else {
            spectra = [byInput.values, byOutput.values]
        }
        corners = try CornerEnergies(core)
    }

    /// The energy of the corner T[:a, :, :b].
    func energy(_ a: Int, _ b: Int) -> Double { corners.energy(a, b) }

    /// The cores at ranks (r₁, r₂): of the corner, improved by alternating sweeps over the two bases (HOOI).
    ///
    /// The leading directions of each unfolding are the best for one bond alone. Given that the other bond is cut
    /// too, the best ones are the leading eigenvectors of the Gram matrix of what that cut leaves; exchanging each
    /// basis for these never raises the error.
    /// In a metric only the right basis is, for the left one has no such product form there.
    /// - Parameter sweepLimit: sweeps end before that where one gains next to nothing.
    /// - Complexity: O(R₁ K R₂ · max(R₁, R₂) + R₁³ + R₂³) a sweep.
    /// - Reference: De Lathauwer, De Moor, Vandewalle, *On the Best Rank-1 and Rank-(R1, …, RN) Approximation*, SIAM J.
    ///   Matrix Anal. Appl. 21(4), 2000, doi:10.1137/S0895479898346995, algorithm 4.2.
    func truncated(_ r1: Int, _ r2: Int, sweepLimit: Int = 1) throws -> (left: Tensor, core: Tensor, right: Tensor) {
        var factors = try improved(r1, r2, sweepLimit)
        if let projection {
            let k = core.shape[1]
            factors.core = try projection.solved(factors.core.reshaped([r1 * k, r2])).reshaped([r1, k, r2])
        }
        return factors
    }

    /// The share of the energy still lost that a further sweep must gain.
    private static let leastGain = 1e-3

    private func improved(_ r1: Int, _ r2: Int, _ sweepLimit: Int) throws -> (left: Tensor, core: Tensor, right: Tensor) {
        let corner = try core.sliced(dim: 0, from: 0, to: r1).sliced(dim: 2, from: 0, to: r2).contiguous()
        var best = (
            left: try left.sliced(dim: 1, from: 0, to: r1), core: corner, right: try right.sliced(dim: 0, from: 0, to: r2)
        )
        guard r1 < leftRank, r2 < rightRank else { return best }
        let k = core.shape[1]
        // The core with the left basis turned into the first vectors found so far, as [r₁·K, R₂].
        var rows = try core.sliced(dim: 0, from: 0, to: r1).reshaped([r1 * k, rightRank])
        var kept = energy(r1, r2)
        for _ in 0..<sweepLimit {
            let q2 = try rows.transposed().matrixProduct(rows).leadingEigenvectors(r2)
            let found: (left: Tensor, core: Tensor, right: Tensor)
            if projection != nil {
                found = (best.left, try rows.matrixProduct(q2).reshaped([r1, k, r2]), try q2.transposed().matrixProduct(right))
            } else {
                let cut = try core.reshaped([leftRank * k, rightRank]).matrixProduct(q2).reshaped([leftRank, k * r2])
                let q1 = try cut.matrixProduct(cut.transposed()).leadingEigenvectors(r1)
                rows = try q1.transposed().matrixProduct(core.reshaped([leftRank, k * rightRank])).reshaped([r1 * k, rightRank])
                let refined = try q1.transposed().matrixProduct(cut).reshaped([r1, k, r2])
                found = (try left.matrixProduct(q1), refined, try q2.transposed().matrixProduct(right))
            }
            // The Gram matrix squares rounding errors: what was there is kept where it is ahead.
            let norm = Double(try found.core.norm())
            let gained = norm * norm - kept
            if gained > 0 { (best, kept) = (found, norm * norm) }
            guard projection == nil, gained > Self.leastGain * (energy - kept) else { break }
        }
        return best
    }
}

extension Tensor {
    /// The eigenvectors of the `count` largest eigenvalues of a symmetric matrix, as columns.
    fileprivate func leadingEigenvectors(_ count: Int) throws -> Tensor {
        let vectors = try symmetricEigen().vectors
        return try vectors.sliced(dim: 1, from: shape[0] - count, to: shape[0])
    }
}
