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

/// The left-to-right sweep of truncated SVDs of TT-SVD.
struct TruncationSweep {
    private let truncation: Truncation
    private let energy: Double
    /// The tensor is 2ᵉ times the one that is decomposed.
    private let exponent: Int
    private let bondCount: Int
    private var clamps: [RankClamp]
    private var cores: [Tensor] = []
    private var spectra: [SingularSpectrum] = []
    private var routes: [TruncationRoute] = []
    /// The ranks at an equal cut of every bond; those of `cores` may be higher.
    private var safe: [Int] = []
    private var cutEnergy = 0.0
    /// The part of `cutEnergy` that was cut behind the first bond.
    private var laterCut = 0.0
    /// What the first bond left, Σ·Vᵀ [r_1, n_2⋯n_d].
    private var firstRest: Tensor?
    private var rounding = 0.0
    /// Multiply-adds so far.
    private var work = 0.0
    /// The rank of the bond left of the next core.
    private(set) var rank = 1

    /// - Parameter energy: ‖W‖².
    init(_ truncation: Truncation, energy: Double, exponent: Int, bondCount: Int, clamps: [RankClamp]) {
        self.truncation = truncation
        self.energy = energy
        self.exponent = exponent
        self.bondCount = bondCount
        self.clamps = clamps
    }

    /// Splits the next core, U, off `matrix` [r_{k−1}·n_k, rest] and returns what is left, Σ·Vᵀ [r_k, rest].
    mutating func cut(_ matrix: Tensor, mode: Int) throws -> Tensor {
        let whole = try cores.isEmpty ? energy : matrix.energy()
        let svd = try matrix.truncatedSVD(
            allowed(in: matrix, bond: cores.count), energy: whole, sparing: bondCount > 1 && energy > 0)
        cores.append(try svd.left.reshaped([rank, mode, svd.rank]))
        spectra.append(svd.spectrum)
        routes.append(svd.route)
        safe.append(svd.sufficientRank)
        cutEnergy += svd.cutEnergy
        if routes.count > 1 { laterCut += svd.cutEnergy } else if case .relativeError = truncation, bondCount > 2 { firstRest = svd.right }
        rounding += svd.rounding
        let shorter = Double(min(matrix.shape[0], matrix.shape[1]))
        work += Double(matrix.elementCount) * shorter + 10 * shorter * shorter * shorter
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
        case .relativeError(let error, let maxRank):
            return .energy(cutting: error * error * energy / Double(max(1, bondCount)), maxRank: maxRank)
        }
    }

    func finished(lastCore: Tensor) throws -> TruncatedTrain {
        let scaled = spectra.map { $0.multiplied(byPowerOfTwo: exponent) }
        if let spent = try spent(lastCore: lastCore) {
            return TruncatedTrain(
                train: spent.train, clamps: clamps, bondSpectra: scaled, routes: routes, relativeError: spent.relativeError)
        }
        let (cores, lost) = try corner(lastCore: lastCore) ?? (cores + [lastCore], cutEnergy)
        return TruncatedTrain(
            train: try .scaled(cores, byPowerOfTwo: exponent, "tensor train"), clamps: clamps, bondSpectra: scaled,
            routes: routes, relativeError: energy > 0 ? (lost.squareRoot() + rounding) / energy.squareRoot() : 0)
    }

    /// With two bonds, the corner of the middle core with the fewest parameters that stays within the error, and all that is
    /// lost; `nil` where no error was given or not even the sweep stayed within it.
    ///
    /// The bases of both bonds are orthonormal, so that a corner is a projection of the tensor itself.
    private func corner(lastCore: Tensor) throws -> (cores: [Tensor], lost: Double)? {
        guard case .relativeError(let error, _) = truncation, bondCount == 2, energy > 0 else { return nil }
        let (left, right) = (cores[0].shape[1], lastCore.shape[1])
        // What the sweep measured, not the eigenvalues, which in float32 are rounding where they are small.
        let weights = try (0..<rank).map { try lastCore.sliced(dim: 0, from: $0, to: $0 + 1).energy() }
        let corners = try CornerEnergies(cores[1], weights: weights)
        guard let found = corners.ranks(losing: error * error * energy - cutEnergy, outer: (left, right)) else { return nil }
        let (a, b) = (found.ranks[0], found.ranks[1])
        let chosen = try [
            cores[0].sliced(dim: 2, from: 0, to: a), cores[1].sliced(dim: 0, from: 0, to: a).sliced(dim: 2, from: 0, to: b),
            lastCore.sliced(dim: 0, from: 0, to: b),
        ]
        return (try chosen.map { try $0.contiguous() }, cutEnergy + found.lost)
    }

    /// The train at the ranks with the fewest parameters; `nil` where no error was given or all of it is spent.
    private func spent(lastCore: Tensor) throws -> TruncatedTrain? {
        guard case .relativeError(let error, _) = truncation, bondCount > 2, energy > 0 else { return nil }
        let budget = error * error * energy - cutEnergy
        guard budget > 0 else { return nil }
        let train = OrthonormalTrain(cores: try (cores + [lastCore]).map { try PreciseCore($0) }, exponent: exponent)
        let energies = zip(spectra, cores).map { spectrum, core in spectrum.values[..<core.shape[2]].map { $0 * $0 } }
        let upper = cores.map { $0.shape[2] }
        let found = try Threads.forWork(train.cutWork) {
            // An eighth of what the sweep took goes unnoticed.
            try ErrorBudget(train, energies: energies, safe: safe, upper: upper, budget: budget, work: work / 8).spent()
        }
        let lost = try lostEnergy(train, found.cut, isMirrored: found.isMirrored)
        guard lost <= error * error * energy else { return nil }
        return try train.truncated(
            found.cut, isMirrored: found.isMirrored, [], before: (lost - found.cut.cutEnergy, rounding), whole: energy)
    }

    /// ‖W − Ŵ‖² of a cut of the train that the sweep left.
    ///
    /// What the sweep cut at the first bond is orthogonal to all that is made of the rest. What it cut behind that need not be
    /// once the first bond is cut again, so that the product of both tensors has to be taken then.
    private func lostEnergy(_ train: OrthonormalTrain, _ cut: OrthonormalTrain.Cut, isMirrored: Bool) throws -> Double {
        let apart = cutEnergy + cut.cutEnergy
        guard let firstRest, laterCut > 1e-6 * apart else { return apart + 2 * (laterCut * cut.cutEnergy).squareRoot() }
        let cores = try isMirrored ? cut.cores().reversed().map { try $0.mirrored() } : cut.cores()
        let first = try train.cores[0].tall.product(cores[0].tall, transposingSelf: true)
        guard apart > 4e-4 * energy else {
            // ⟨W − W_R, W_R − Ŵ⟩ with W_R of the sweep, whose small differences rounding of W leaves alone.
            let whole = try train.cores[0].tall.product(train.cores[0].tall, transposingSelf: true)
            let before = try preciseInner(firstRest, whole, train.cores) - preciseInner(firstRest, first, cores)
            let after = try inner((whole, train.cores), (whole, train.cores)) - inner((whole, train.cores), (first, cores))
            return max(0, apart + 2 * (before - after))
        }
        let made = try OrthonormalTrain(orthonormalizing: cores)
        return max(
            0, try energy - 2 * roughInner(firstRest, first, cores) + PowerOfTwo.scaled(made.energy, by: 2 * made.exponent))
    }

    /// The product of two trains, of whose first cores only the coordinates in the first bond's basis are given.
    private func inner(_ a: (first: PreciseMatrix, cores: [PreciseCore]), _ b: (first: PreciseMatrix, cores: [PreciseCore])) throws -> Double {
        var carried = try a.first.product(b.first, transposingSelf: true)
        for (own, other) in zip(a.cores, b.cores).dropFirst() {
            carried = try own.tall.product(other.multiplied(fromLeft: carried).tall, transposingSelf: true)
        }
        return carried.withElements { $0[0] }
    }

    /// The product with W in float32, which tells errors from 2e-2 on to a ten-thousandth.
    private func roughInner(_ rest: Tensor, _ first: PreciseMatrix, _ cores: [PreciseCore]) throws -> Double {
        var open = try first.narrowed([first.rows, first.columns]).tensor.transposed().matrixProduct(rest)
        for core in cores.dropFirst().dropLast() {
            let factor = try core.narrowed().core.reshaped([core.left * core.mode, core.right])
            open = try factor.transposed().matrixProduct(open.reshaped([core.left * core.mode, -1]))
        }
        let last = try cores[cores.count - 1].narrowed().core
        return try open.withElements(of: Float.self) { a in try last.withElements(of: Float.self) { Vectors.dot(a, $0) } }
    }

    private func preciseInner(_ rest: Tensor, _ first: PreciseMatrix, _ cores: [PreciseCore]) throws -> Double {
        var open = try first.product(PreciseMatrix(rest, rows: rest.shape[0], columns: rest.shape[1]), transposingSelf: true)
        for core in cores.dropFirst() {
            let rows = core.left * core.mode
            open = try core.tall.product(open.reshaped(rows: rows, columns: open.count / rows), transposingSelf: true)
        }
        return open.withElements { $0[0] }
    }
}
