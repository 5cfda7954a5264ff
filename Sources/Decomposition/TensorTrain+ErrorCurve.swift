import Tensors

/// What a rank costs and saves, as data.
public struct RankErrorPoint: Sendable, Hashable {
    public let rank: Int
    /// ‖W − Ŵ‖ / ‖W‖ with this bond alone cut to the rank: the least that any train of this rank can have.
    public let error: Double
    /// The singular value that the rank adds.
    public let singularValue: Float
}

extension TensorTrain {
    /// Per bond the relative error at rank 1, 2, …, were it the only bond cut. The error with all bonds cut lies between
    /// the largest and the root of the sum of squares of theirs.
    /// - Complexity: that of `bondSpectra`.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, theorem 2.2 and corollary 2.4.
    public func errorCurves() throws -> [[RankErrorPoint]] { try bondSpectra().map(Self.errorCurve) }

    static func errorCurve(_ spectrum: [Float]) -> [RankErrorPoint] {
        var tails = [Double](repeating: 0, count: spectrum.count + 1)
        for i in spectrum.indices.reversed() { tails[i] = tails[i + 1] + Double(spectrum[i]) * Double(spectrum[i]) }
        let energy = tails[0]
        return spectrum.indices.map { i in
            RankErrorPoint(
                rank: i + 1, error: energy > 0 ? (tails[i + 1] / energy).squareRoot() : 0, singularValue: spectrum[i])
        }
    }
}
