import Tensors

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
    private var routes: [SVDMethod] = []
    /// The ranks at an equal cut of every bond; those of `cores` may be higher.
    private var safe: [Int] = []
    private var cutEnergy = 0.0
    /// The part of `cutEnergy` that was cut behind the first bond.
    private var laterCut = 0.0
    /// What each bond but the last left, Σ·Vᵀ [r_k, n_{k+1}⋯n_d], where an error is to be spent.
    private var rests: [Tensor] = []
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
        if routes.count > 1 { laterCut += svd.cutEnergy }
        if case .relativeError = truncation, bondCount > 2, routes.count < bondCount { rests.append(svd.right) }
        rounding += svd.rounding
        let shorter = Double(min(matrix.shape[0], matrix.shape[1]))
        work +=
            svd.route == .randomized
            ? 8 * Double(matrix.elementCount * svd.rank) : Double(matrix.elementCount) * shorter + 10 * shorter * shorter * shorter
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
        guard case .relativeError(let error, _) = truncation, bondCount > 1, energy > 0 else { return nil }
        // The best corner of a large middle core is near enough to the best ranks, and costs much less than trying others.
        guard bondCount > 2 || (cores + [lastCore]).allSatisfy({ $0.elementCount <= Self.fewElements }) else { return nil }
        var budget = error * error * energy - cutEnergy
        let train = OrthonormalTrain(cores: try (cores + [lastCore]).map { try PreciseCore($0) }, exponent: exponent)
        let energies = zip(spectra, cores).map { spectrum, core in spectrum.values[..<core.shape[2]].map { $0 * $0 } }
        let upper = cores.map { $0.shape[2] }
        // What the cut and the sweep lose together may come out above their sum: then less is to be spent.
        for _ in 0..<3 where budget > 0 {
            let found = try Threads.forWork(train.cutWork) {
                // Trains that the sweep cut behind the first bond are not turned round, so that what is lost can be told.
                try ErrorBudget(
                    train, energies: energies, safe: safe, upper: upper, budget: budget, work: work / 32,
                    isReversible: laterCut <= Self.unseen * cutEnergy
                ).spent()
            }
            let lost = try lostEnergy(train, found.cut)
            guard lost > error * error * energy else {
                return try train.truncated(
                    found.cut, isMirrored: found.isMirrored, [], before: (lost - found.cut.cutEnergy, rounding), whole: energy)
            }
            budget -= 1.01 * (lost - error * error * energy)
        }
        return nil
    }

    /// Of a core so small that cuts of the train take no time.
    private static let fewElements = 4096

    /// A share of the lost energy that nobody misses.
    private static let unseen = 1e-6

    /// ‖W − Ŵ‖² of a cut of the train W_R that the sweep left.
    ///
    /// What the sweep cut at the first bond is orthogonal to all that is made of the rest. What it cut behind that need not be
    /// once an earlier bond is cut again: with vectors Z_k of bond k left out, ⟨W − W_R, Ŵ⟩ is −Σ_k ⟨Z_kᵀ(rest_k − train_k), A_k⟩,
    /// where A_k is what the other cuts would have made of Z_kᵀ·train_k. Few vectors are left out, and all of this is small, so
    /// that float32 tells it apart.
    private func lostEnergy(_ train: OrthonormalTrain, _ cut: OrthonormalTrain.Cut) throws -> Double {
        let apart = cutEnergy + cut.cutEnergy
        guard laterCut > Self.unseen * apart else { return apart + 2 * (laterCut * cut.cutEnergy).squareRoot() }
        let cores = try cut.cores()
        var shared = 0.0
        for (k, rest) in rests.enumerated() {
            guard let leftOut = try cut.leftOut(bond: k) else { continue }
            let others = try [cut.core(k + 1, behind: leftOut)] + cores[(k + 2)...]
            let own = try [train.cores[k + 1].multiplied(fromLeft: leftOut)] + train.cores[(k + 2)...]
            shared += try inner(leftOut.narrowed([leftOut.rows, leftOut.columns]).tensor.matrixProduct(rest), others) - inner(own, others)
        }
        return max(0, apart + 2 * shared)
    }

    /// The product of two trains whose first bond is open.
    private func inner(_ a: [PreciseCore], _ b: [PreciseCore]) throws -> Double {
        var carried: PreciseMatrix?
        for (own, other) in zip(a, b) {
            let right = try carried.map { try other.multiplied(fromLeft: $0) } ?? other
            carried = try own.tall.product(right.tall, transposingSelf: true)
        }
        return carried?.withElements { $0[0] } ?? 0
    }

    /// The product of a tensor [r, n_{k+1}⋯n_d] with a train whose first bond is open.
    private func inner(_ rest: Tensor, _ cores: [PreciseCore]) throws -> Double {
        var open = rest
        for core in cores.dropLast() {
            let factor = try core.narrowed().core.reshaped([core.left * core.mode, core.right])
            open = try factor.transposed().matrixProduct(open.reshaped([core.left * core.mode, -1]))
        }
        let last = try cores[cores.count - 1].narrowed().core
        return try open.withElements(of: Float.self) { a in try last.withElements(of: Float.self) { Vectors.dot(a, $0) } }
    }
}
