import Tensors

/// What a rank costs and saves, as data.
public struct RankErrorPoint: Sendable, Hashable {
    public let rank: Int
    /// ‖W − Ŵ‖ / ‖W‖ with this bond alone cut to the rank: the least that any train of this rank can have.
    public let error: Double
    /// The singular value that the rank adds.
    public let singularValue: Double
}

extension TensorTrain {
    /// Per bond the relative error at rank 1, 2, …, were it the only bond cut. The error with all bonds cut lies between
    /// the largest and the root of the sum of squares of theirs.
    /// - Complexity: that of `bondSpectra`.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, theorem 2.2 and corollary 2.4.
    public func errorCurves() throws -> [[RankErrorPoint]] { try bondSpectra().map(Self.errorCurve) }

    static func errorCurve(_ spectrum: [Double]) -> [RankErrorPoint] {
        let tails = SpectrumTails.shares(spectrum)
        return spectrum.indices.map { RankErrorPoint(rank: $0 + 1, error: tails[$0 + 1].squareRoot(), singularValue: spectrum[$0]) }
    }
}

/// What lies behind each rank of a spectrum.
package enum SpectrumTails {
    /// The share of Σσ² in the values from each rank on: 1 at rank 0, 0 at the full rank; all 0 for values that are.
    package static func shares(_ spectrum: [Double]) -> [Double] {
        // Beside the largest, so that no square leaves float64.
        let largest = spectrum.max() ?? 0
        guard largest > 0 else { return [Double](repeating: 0, count: spectrum.count + 1) }
        var (tails, tail) = ([0.0], 0.0)
        for value in spectrum.reversed() {
            tail += (value / largest) * (value / largest)
            tails.append(tail)
        }
        return tails.reversed().map { $0 / tail }
    }
}
