/// Where a singular value decomposition may be cut.
public enum SVDTruncation: Sendable {
    /// Nowhere: all min(m, n) triples.
    case none
    /// After this many triples, or all where there are fewer.
    case rank(Int)
    /// After the fewest triples (at least 1, at most `maxRank`) that leave out an energy ‖A − Â‖² of at most this.
    case energy(cutting: Double, maxRank: Int)
}

/// The ways to a truncated SVD, and which is taken when. Each is the cheapest where it is safe:
///
/// | route | cost for [m, n], s = min(m, n) | resolves errors of |
/// |---|---|---|
/// | `randomized` | O(m·n·(r + p)) a pass, four passes and more | 1e-2 ‖A‖ |
/// | `gramSingle` | m·n·s + O(s³) in float32 | 1e-2 ‖A‖ |
/// | `gramDouble` | the same in float64 | 1e-6 ‖A‖ |
/// | `full` | LAPACK's `dgesdd`, which begins with QR where the matrix is tall or wide: 5 to 10 times as much | those of float32 itself |
///
/// The last two work in float64 throughout and know what rounding their factors to float32 costs.
/// A route that finds it cannot keep what was asked for gives up, and the next one in this order is taken.
public enum SVDMethod: String, Sendable, CaseIterable {
    case randomized, gramSingle, gramDouble, full

    /// The smallest cut ‖A − Â‖/‖A‖ that a Gram matrix in float32, or a projection in it, can still tell apart.
    static let singleLimit = 1e-2
    /// The same in float64; below it, nothing but the SVD of A itself will do.
    static let doubleLimit = 1e-6
    /// What products in float32, and eigenvectors that are orthogonal to float32 only, leave at most of a matrix's norm. With
    /// OpenBLAS's kernels for AVX-512 it is more than 2⁻²⁰ at order 330.
    static let singleRounding = 0x1p-18
    /// Up to this order float64 costs hardly more than float32.
    private static let smallOrder = 40

    /// The route for a matrix [m, n] of this energy ‖A‖².
    package static func choice(rows m: Int, columns n: Int, energy: Double, truncation: SVDTruncation) -> SVDMethod {
        switch truncation {
        case .none: return .gramDouble
        case .rank(let rank):
            // No error was named, so all digits count, unless little of the matrix is wanted.
            let width = RangeFinder.width(rank: rank)
            return isSketchCheaper(m, n, width) ? .randomized : .gramDouble
        case .energy(let limit, _):
            let relative = energy > 0 ? (limit / energy).squareRoot() : 0
            if relative < doubleLimit { return .full }
            let isSmall = min(m, n) <= smallOrder && max(m, n) < 1 << 16
            if relative < singleLimit || isSmall { return .gramDouble }
            return isSketchCheaper(m, n, RangeFinder.firstWidth(min(m, n))) && min(m, n) >= 768 ? .randomized : .gramSingle
        }
    }

    /// Whether four passes with `width` vectors cost well under a Gram matrix and its eigenproblem, which takes as long
    /// as about 10·s³ multiply-adds of a matrix product (measured: OpenBLAS 0.3.21, s = 512 and 1024).
    private static func isSketchCheaper(_ m: Int, _ n: Int, _ width: Int) -> Bool {
        let s = min(m, n)
        guard s >= 256, width <= s / 4 else { return false }
        let sketch = 8 * Double(m) * Double(n) * Double(width)
        return 1.5 * sketch < Double(s) * Double(m) * Double(n) + 10 * Double(s) * Double(s) * Double(s)
    }

    /// The route to take when this one gave up.
    var fallback: SVDMethod {
        switch self {
        case .randomized, .gramSingle: .gramDouble
        case .gramDouble, .full: .full
        }
    }
}
