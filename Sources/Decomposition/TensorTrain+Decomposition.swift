public import Tensors

/// A tensor train made by truncation, with what was given up.
public struct TruncatedTrain: Sendable {
    public let train: TensorTrain
    /// Requested ranks that were above their bound.
    public let clamps: [RankClamp]
    /// The singular values met at each bond, before the cut: those of the unfolding [n_1⋯n_k, n_{k+1}⋯n_d] where no
    /// earlier bond was cut, else those of what the earlier cuts left. A bond whose low rank was found by random
    /// projections knows its kept values only, and of the others their energy; see `routes`.
    public let bondSpectra: [SingularSpectrum]
    /// How each bond was cut.
    public let routes: [SVDMethod]
    /// ‖W − Ŵ‖ / ‖W‖: what was cut, exactly, because the parts cut at different bonds are orthogonal to each other, and a bound
    /// of what rounding the cores to float32 adds, 1e-7 or so, and at most 1e-6 a bond.
    public let relativeError: Double
}

extension TensorTrain {
    /// TT-SVD at given ranks: error at most √(d−1) times that of the best train of these ranks.
    ///
    /// - Parameter ranks: r_1 … r_{d−1}, each ≥ 1; those above their bound are lowered and reported as clamps.
    /// - Throws: `DecompositionFailure` on values that are not finite, empty dimensions or bad ranks.
    /// - Complexity: O(n_1⋯n_d · max r) per bond on top of the first bond's SVD.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, algorithm 1 and theorem 2.2.
    public static func decompose(_ tensor: Tensor, ranks: [Int]) throws -> TruncatedTrain {
        let bounds = maxRanks(modes: tensor.shape.dims)
        let (allowed, clamps) = try RankClamp.apply(ranks, bounds: bounds, "tensor train")
        return try decompose(tensor, .ranks(allowed), clamps)
    }

    /// TT-SVD to a relative error: ‖W − Ŵ‖ ≤ ε‖W‖, spent wholly.
    ///
    /// Each bond is first cut by at most δ = ε‖W‖/√(d−1), and a few more ranks than that are kept. Among the lower ranks of what
    /// is left, which is small, a search then finds those with the fewest parameters whose error stays below ε (`RankSearch`; `CornerEnergies` for two bonds).
    /// - Parameters:
    ///   - relativeError: ε in 0 ..< 1; below 2⁻²⁴, which is where float32 ends, it counts as that.
    ///   - maxRank: no bond gets more than this; the error may then be above ε and is reported in the result.
    /// - Throws: as for given ranks; `invalidError`, `rankNotPositive`.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, algorithm 1.
    public static func decompose(
        _ tensor: Tensor, relativeError: Double, maxRank: Int? = nil
    ) throws -> TruncatedTrain {
        let bondCount = max(0, tensor.rank - 1)
        return try decompose(tensor, Truncation.error(relativeError, maxRank: maxRank, bondCount: bondCount, "tensor train"), [])
    }

    private static func decompose(
        _ tensor: Tensor, _ truncation: Truncation, _ clamps: [RankClamp]
    ) throws -> TruncatedTrain {
        let modes = tensor.shape.dims
        let whole = try requireDecomposable(tensor, "tensor train")
        let exponent = modes.count > 1 ? PowerOfTwo.exponent(energy: whole) : 0
        var rest = try exponent == 0 ? tensor : tensor.multiplied(byPowerOfTwo: -exponent)
        let energy = try exponent == 0 ? whole : rest.energy()
        var sweep = TruncationSweep(truncation, energy: energy, exponent: exponent, bondCount: modes.count - 1, clamps: clamps)
        for mode in modes.dropLast() {
            rest = try sweep.cut(rest.reshaped([sweep.rank * mode, -1]), mode: mode)
        }
        return try sweep.finished(lastCore: rest.reshaped([sweep.rank, modes[modes.count - 1], 1]))
    }

    /// The energy ‖W‖² of a tensor that can be decomposed.
    /// - Throws: `shapeMismatch` for a scalar or an empty tensor, `notFinite` for infinities and not-a-numbers.
    @discardableResult
    package static func requireDecomposable(_ tensor: Tensor, _ operation: String) throws -> Double {
        guard tensor.rank >= 1, tensor.elementCount > 0, tensor.dtype == .float32 else {
            throw DecompositionFailure.shapeMismatch(
                operation: operation,
                detail: "needs a float32 tensor without empty dimensions, but got \(tensor.dtype) \(tensor.shape)")
        }
        // float32 squares cannot overflow float64, so the energy is finite exactly where every element is.
        let energy = try tensor.energy()
        guard energy.isFinite else { throw DecompositionFailure.notFinite(operation: operation, shape: tensor.shape) }
        return energy
    }
}

/// How the rank of a bond is chosen.
enum Truncation {
    case ranks([Int])
    case relativeError(Double, maxRank: Int)

    /// A rank of which a cut in float64 below this share would keep nothing but the rounding of the values themselves.
    private static let least = 0x1p-24

    static func error(_ relativeError: Double, maxRank: Int?, bondCount: Int, _ operation: String) throws -> Truncation {
        guard relativeError >= 0, relativeError < 1 else {
            throw DecompositionFailure.invalidError(operation: operation, got: relativeError)
        }
        if let maxRank, maxRank < 1 {
            throw DecompositionFailure.rankNotPositive(operation: operation, bond: 0, got: maxRank)
        }
        // What computing in float32 may add, kept free where that is little beside the error.
        let rounding = Double(bondCount + 1) * 0x1p-20
        let cut = relativeError > 8 * rounding ? relativeError - rounding : max(relativeError, least)
        return .relativeError(cut, maxRank: maxRank ?? .max)
    }
}
