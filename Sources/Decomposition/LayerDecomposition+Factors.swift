import Tensors

/// The layers that replace the decomposed one.
extension LayerDecomposition {
    /// The trains at `ranks`, one per group, with norms balanced between their cores.
    ///
    /// - Parameters:
    ///   - ranks: one per bond, as `clamped` leaves them.
    ///   - sweepLimit: how often at most the two outer bases are improved for each other.
    /// - Throws: `rankAboveBound` where `clamped` would lower one: nothing is lowered silently; `outOfRange`
    ///   where no factors of float32 can carry the weight's scale.
    /// - Complexity: slicing and scaling for one bond; see `TuckerCore.truncated` for more.
    public func trains(ranks: [Int], sweepLimit: Int = 1) throws -> [TensorTrain] {
        if let clamp = try clamped(ranks).clamps.first {
            throw DecompositionFailure.rankAboveBound(operation: operationName, clamp: clamp)
        }
        let shapes = zip([1] + ranks, zip(modes, ranks + [1])).map { Shape([$0, $1.0, $1.1]) }
        return try forms.map { form in
            let cores =
                switch form {
                case .matrix(let matrix): try matrix.truncated(ranks[0])
                case .projected(let core): try cores(of: core, ranks: ranks, sweepLimit)
                }
            return try TensorTrain.scaled(
                zip(cores, shapes).map { try $0.reshaped($1) }, byPowerOfTwo: exponent, operationName
            ).balanced()
        }
    }

    private func cores(of projected: TuckerCore, ranks: [Int], _ sweepLimit: Int) throws -> [Tensor] {
        let (left, core, right) = try projected.truncated(ranks[0], ranks[ranks.count - 1], sweepLimit: sweepLimit)
        guard let rows = projected.splitRows else { return [left, core, right] }
        let svd = try core.reshaped([ranks[0] * rows, -1]).truncatedSVD(.rank(ranks[1]))
        return [left, svd.left, svd.right, right]
    }

    /// The chain of convolutions of these ranks, in order; the layer's bias belongs on the last one.
    /// - Throws: `wrongLayerKind` for a linear layer, `rankAboveBound`.
    public func convolutionFactors(ranks: [Int], sweepLimit: Int = 1) throws -> [ConvolutionFactor] {
        guard case .convolution(let grouping, let geometry) = kind else {
            throw DecompositionFailure.wrongLayerKind(expected: "convolution", got: "linear")
        }
        return try grouping.convolutions(of: trains(ranks: ranks, sweepLimit: sweepLimit), weight: weightShape, geometry: geometry)
    }

    /// The low-rank pair of this rank; the layer's bias belongs on the second.
    /// - Throws: `wrongLayerKind` for a convolution, `rankAboveBound`.
    public func linearFactors(rank: Int) throws -> LinearFactors {
        guard case .linear = kind else {
            throw DecompositionFailure.wrongLayerKind(expected: "linear", got: "convolution")
        }
        let cores = try trains(ranks: [rank])[0].cores
        return LinearFactors(
            first: try cores[0].reshaped([modes[0], rank]).transposed().copy(),
            second: try cores[1].reshaped([rank, modes[1]]).transposed().copy())
    }
}
