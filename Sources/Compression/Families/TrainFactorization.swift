package import Decomposition
import Operations
import Tensors

/// A layer's weight as a train whose cores are ordinary layers one after another: what the groupings of a convolution, Tucker-2
/// and the low-rank pair of a linear layer have in common.
package struct TrainFactorization: Factorization {
    package let decomposition: LayerDecomposition
    package let macCost: RankPolynomial
    package let activationCosts: [RankPolynomial]
    /// How often the two outer bases are improved for each other.
    private let sweepLimit: Int

    init(_ decomposition: LayerDecomposition, of layer: FactorizableLayer, sweepLimit: Int = 1) throws {
        self.decomposition = decomposition
        self.sweepLimit = sweepLimit
        var (rows, columns, positions) = (layer.positionCount, 1, [layer.positionCount, layer.positionCount])
        if case .convolution(let grouping, let geometry) = decomposition.kind {
            (rows, columns) = (layer.inputShape[2], layer.inputShape[3])
            positions = try grouping.positionCounts(
                weight: decomposition.weightShape, geometry: geometry, rows: rows, columns: columns
            ).map { $0 * geometry.groups }
        }
        macCost = try decomposition.macCost(rows: rows, columns: columns)
        let bonds = decomposition.bondCount
        activationCosts = positions.enumerated().map { step, count in
            step < bonds
                ? .multiple(of: step, bonds: bonds, count) : .constant(layer.outputShape.elementCount, bonds: bonds)
        }
    }

    package var maxRanks: [Int] { decomposition.maxRanks }
    package var parameterCost: RankPolynomial { decomposition.parameterCost }
    package var errorKind: FactorizationError { decomposition.bondCount == 1 ? .exact : .upperBound }

    package func relativeSquaredError(ranks: [Int]) -> Double { decomposition.relativeSquaredError(ranks: ranks) }

    package func steps(ranks: [Int]) throws -> [FactorStep] {
        switch decomposition.kind {
        case .convolution:
            return try decomposition.convolutionFactors(ranks: ranks, sweepLimit: sweepLimit).map {
                FactorStep(Conv2D($0.geometry, hasBias: false), weight: $0.weight)
            }
        case .linear:
            let pair = try decomposition.linearFactors(rank: ranks[0])
            return [pair.first, pair.second].map { FactorStep(Linear(hasBias: false), weight: $0) }
        }
    }

    package func lowered(_ ranks: [Int]) -> [Int] { RankClamp.neighbourly(ranks, modes: decomposition.modes) }

    package func largestCut(ranks: [Int]) -> Double { SpectralCut.largest(decomposition.bondSpectra, ranks: ranks) }

    package func retainedEnergy(bond: Int) -> [Double] { decomposition.retainedEnergy(bond: bond) }

    /// Groups count with the mean of their energies.
    package func ranksAboveNoise() -> [Int] {
        var groups = 1.0
        if case .convolution(_, let geometry) = decomposition.kind { groups = Double(geometry.groups) }
        return VariationalRank.ranks(
            spectra: decomposition.bondSpectra.map { $0.map { $0 / groups.squareRoot() } }, modes: decomposition.modes,
            bounds: maxRanks)
    }
}

/// What is cut off spectra.
enum SpectralCut {
    /// The largest σ_{r+1} / σ₁ over all bonds.
    static func largest(_ spectra: [[Double]], ranks: [Int]) -> Double {
        zip(spectra, ranks).reduce(0) { worst, bond in
            let (spectrum, rank) = bond
            guard rank < spectrum.count, spectrum[0] > 0 else { return worst }
            return max(worst, spectrum[rank] / spectrum[0])
        }
    }
}

extension RankPolynomial {
    /// `count` times the rank of one bond.
    static func multiple(of bond: Int, bonds: Int, _ count: Int) -> RankPolynomial {
        var linear = [Int](repeating: 0, count: bonds)
        linear[bond] = count
        return RankPolynomial(linear: linear, bilinear: [Int](repeating: 0, count: bonds - 1))
    }

    /// The same at all ranks.
    static func constant(_ count: Int, bonds: Int) -> RankPolynomial {
        RankPolynomial(
            constant: count, linear: [Int](repeating: 0, count: bonds), bilinear: [Int](repeating: 0, count: bonds - 1))
    }
}
