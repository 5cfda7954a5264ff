public import Tensors

/// A tensor train made by truncation, with what was given up.
public struct TruncatedTrain: Sendable {
    public let train: TensorTrain
    /// Requested ranks that were above their bound.
    public let clamps: [RankClamp]
    /// The singular values met at each bond, before the cut: those of the unfolding [n_1⋯n_k, n_{k+1}⋯n_d] where no
    /// earlier bond was cut, else those of what the earlier cuts left.
    public let bondSpectra: [[Float]]
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
        try requireDecomposable(tensor, "tensor train")
        var sweep = TruncationSweep(truncation, norm: try tensor.norm(), bondCount: modes.count - 1, clamps: clamps)
        var rest = tensor
        for mode in modes.dropLast() {
            rest = try sweep.cut(rest.reshaped([sweep.rank * mode, -1]), mode: mode)
        }
        return try sweep.finished(lastCore: rest.reshaped([sweep.rank, modes[modes.count - 1], 1]))
    }

    /// - Throws: `shapeMismatch` for a scalar or an empty tensor, `notFinite` for infinities and not-a-numbers.
    package static func requireDecomposable(_ tensor: Tensor, _ operation: String) throws {
        guard tensor.rank >= 1, tensor.elementCount > 0, tensor.dtype == .float32 else {
            throw DecompositionFailure.shapeMismatch(
                operation: operation,
                detail: "needs a float32 tensor without empty dimensions, but got \(tensor.dtype) \(tensor.shape)")
        }
        let isFinite = try tensor.withElements(of: Float.self) { $0.allSatisfy(\.isFinite) }
        guard isFinite else { throw DecompositionFailure.notFinite(operation: operation, shape: tensor.shape) }
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
    private let norm: Double
    private let cutPerBond: Double
    private var clamps: [RankClamp]
    private var cores: [Tensor] = []
    private var spectra: [[Float]] = []
    private var cutEnergy = 0.0
    /// The rank of the bond left of the next core.
    private(set) var rank = 1

    init(_ truncation: Truncation, norm: Double, bondCount: Int, clamps: [RankClamp]) {
        self.truncation = truncation
        self.norm = norm
        self.clamps = clamps
        cutPerBond = if case .relativeError(let error, _) = truncation {
            error * norm / Double(max(1, bondCount)).squareRoot()
        } else { 0 }
    }

    /// Splits the next core, U, off `matrix` [r_{k−1}·n_k, rest] and returns what is left, Σ·Vᵀ [r_k, rest].
    mutating func cut(_ matrix: Tensor, mode: Int) throws -> Tensor {
        let svd = try matrix.singularValueDecomposition()
        let bond = cores.count
        let kept = chosenRank(svd.values, bond: bond)
        let u = try svd.u.sliced(dim: 1, from: 0, to: kept)
        cores.append(try u.reshaped([rank, mode, kept]))
        spectra.append(svd.values)
        cutEnergy += tailEnergy(svd.values, from: kept)
        rank = kept
        let scale = try Tensor(Array(svd.values[..<kept]), shape: [kept, 1])
        return try svd.vt.sliced(dim: 0, from: 0, to: kept).multiplying(scale)
    }

    private mutating func chosenRank(_ values: [Float], bond: Int) -> Int {
        switch truncation {
        case .ranks(let ranks):
            // A small rank to the left bounds the next one below what the modes alone would allow.
            guard ranks[bond] > values.count else { return ranks[bond] }
            clamps.append(RankClamp(bond: bond, requested: ranks[bond], bound: values.count))
            return values.count
        case .relativeError(_, let maxRank):
            return min(maxRank, smallestRank(values, cutting: cutPerBond * cutPerBond))
        }
    }

    func finished(lastCore: Tensor) throws -> TruncatedTrain {
        TruncatedTrain(
            train: try TensorTrain(cores: cores + [lastCore]), clamps: clamps, bondSpectra: spectra,
            relativeError: norm > 0 ? cutEnergy.squareRoot() / norm : 0)
    }
}

/// Σ_{i ≥ rank} σ_i², in double precision.
func tailEnergy(_ values: [Float], from rank: Int) -> Double {
    values[rank...].reversed().reduce(0) { $0 + Double($1) * Double($1) }
}

/// The smallest rank ≥ 1 whose tail energy is at most `energy`.
func smallestRank(_ values: [Float], cutting energy: Double) -> Int {
    var tail = 0.0
    var rank = values.count
    while rank > 1 {
        tail += Double(values[rank - 1]) * Double(values[rank - 1])
        if tail > energy { break }
        rank -= 1
    }
    return rank
}
