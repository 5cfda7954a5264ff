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
    public let routes: [TruncationRoute]
    /// ‖W − Ŵ‖ / ‖W‖: exact up to rounding, because the parts cut at different bonds are orthogonal to each other.
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

    /// TT-SVD to a relative error: ‖W − Ŵ‖ ≤ ε‖W‖, by cutting at most δ = ε‖W‖/√(d−1) at every bond.
    ///
    /// - Parameters:
    ///   - relativeError: ε in 0 ..< 1; float32 arithmetic leaves about 1e-6 even at 0.
    ///   - maxRank: no bond gets more than this; the error may then be above ε and is reported in the result.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, algorithm 1.
    public static func decompose(
        _ tensor: Tensor, relativeError: Double, maxRank: Int? = nil
    ) throws -> TruncatedTrain {
        try decompose(tensor, Truncation.error(relativeError, maxRank: maxRank, "tensor train"), [])
    }

    private static func decompose(
        _ tensor: Tensor, _ truncation: Truncation, _ clamps: [RankClamp]
    ) throws -> TruncatedTrain {
        let modes = tensor.shape.dims
        let energy = try requireDecomposable(tensor, "tensor train")
        var sweep = TruncationSweep(truncation, energy: energy, bondCount: modes.count - 1, clamps: clamps)
        var rest = tensor
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

    static func error(_ relativeError: Double, maxRank: Int?, _ operation: String) throws -> Truncation {
        guard relativeError >= 0, relativeError < 1 else {
            throw DecompositionFailure.invalidError(operation: operation, got: relativeError)
        }
        if let maxRank, maxRank < 1 {
            throw DecompositionFailure.rankNotPositive(operation: operation, bond: 0, got: maxRank)
        }
        return .relativeError(relativeError, maxRank: maxRank ?? .max)
    }
}

/// The left-to-right sweep of truncated SVDs that TT-SVD and rounding share.
struct TruncationSweep {
    private let truncation: Truncation
    private let energy: Double
    private let cutPerBond: Double
    private var clamps: [RankClamp]
    private var cores: [Tensor] = []
    private var spectra: [SingularSpectrum] = []
    private var routes: [TruncationRoute] = []
    private var cutEnergy = 0.0
    /// The rank of the bond left of the next core.
    private(set) var rank = 1

    /// - Parameter energy: ‖W‖².
    init(_ truncation: Truncation, energy: Double, bondCount: Int, clamps: [RankClamp]) {
        self.truncation = truncation
        self.energy = energy
        self.clamps = clamps
        cutPerBond = if case .relativeError(let error, _) = truncation {
            error * error * energy / Double(max(1, bondCount))
        } else { 0 }
    }

    /// Splits the next core, U, off `matrix` [r_{k−1}·n_k, rest] and returns what is left, Σ·Vᵀ [r_k, rest].
    mutating func cut(_ matrix: Tensor, mode: Int) throws -> Tensor {
        let whole = try cores.isEmpty ? energy : matrix.energy()
        let svd = try matrix.truncatedSVD(allowed(in: matrix, bond: cores.count), energy: whole)
        cores.append(try svd.left.reshaped([rank, mode, svd.rank]))
        spectra.append(svd.spectrum)
        routes.append(svd.route)
        cutEnergy += svd.cutEnergy
        rank = svd.rank
        return svd.right
    }

    private mutating func allowed(in matrix: Tensor, bond: Int) -> SVDTruncation {
        switch truncation {
        case .ranks(let ranks):
            // A small rank to the left bounds the next one below what the modes alone would allow.
            let bound = min(matrix.shape[0], matrix.shape[1])
            if ranks[bond] > bound { clamps.append(RankClamp(bond: bond, requested: ranks[bond], bound: bound)) }
            return .rank(min(ranks[bond], bound))
        case .relativeError(_, let maxRank): return .energy(cutting: cutPerBond, maxRank: maxRank)
        }
    }

    func finished(lastCore: Tensor) throws -> TruncatedTrain {
        TruncatedTrain(
            train: try TensorTrain(cores: cores + [lastCore]), clamps: clamps, bondSpectra: spectra, routes: routes,
            relativeError: energy > 0 ? (cutEnergy / energy).squareRoot() : 0)
    }
}
