import Decomposition
import Tensors

/// A weight as a tensor train over modes that are no kernel's own: what TT-matrix and tensorised channels have in common.
struct TensorTrainCut: Sendable {
    /// At full rank.
    let train: TensorTrain
    let maxRanks: [Int]
    let spectra: [[Double]]
    private let tails: [[Double]]

    /// - Parameter tensor: the weight, one dimension per mode.
    /// - Complexity: that of TT-SVD at full rank.
    init(_ tensor: Tensor) throws {
        let bounds = TensorTrain.maxRanks(modes: tensor.shape.dims)
        train = try TensorTrain.decompose(tensor, ranks: bounds).train
        maxRanks = train.ranks
        spectra = try train.bondSpectra()
        tails = spectra.map(SpectrumTails.shares)
    }

    /// At most what all bonds lose, each cut alone.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, corollary 2.4.
    func relativeSquaredError(ranks: [Int]) -> Double {
        min(1, zip(tails, ranks).reduce(0) { $0 + $1.0[min($1.1, $1.0.count - 1)] })
    }

    func retainedEnergy(bond: Int) -> [Double] { tails[bond].map { 1 - $0 } }

    /// The cores at these ranks, with norms balanced between them.
    func cores(ranks: [Int]) throws -> [Tensor] { try train.rounded(ranks: ranks).train.balanced().cores }
}

/// A factorisation whose ranks are those of one such train.
protocol TensorTrainFactorization: Factorization {
    var cut: TensorTrainCut { get }
}

extension TensorTrainFactorization {
    var maxRanks: [Int] { cut.maxRanks }
    var errorKind: FactorizationError { cut.maxRanks.count == 1 ? .exact : .upperBound }
    func relativeSquaredError(ranks: [Int]) -> Double { cut.relativeSquaredError(ranks: ranks) }
    func retainedEnergy(bond: Int) -> [Double] { cut.retainedEnergy(bond: bond) }
    func lowered(_ ranks: [Int]) -> [Int] { RankClamp.neighbourly(ranks, modes: cut.train.modes) }
    func largestCut(ranks: [Int]) -> Double { SpectralCut.largest(cut.spectra, ranks: ranks) }
    func ranksAboveNoise() -> [Int] {
        VariationalRank.ranks(spectra: cut.spectra, modes: cut.train.modes, bounds: maxRanks)
    }
}
