public import Tensors

/// One ordinary convolution of the chain that replaces a layer. It has no bias: the layer's goes on the last one.
public struct ConvolutionFactor: Sendable {
    /// [o, c / groups, kh, kw].
    public let weight: Tensor
    public let geometry: ConvolutionGeometry

    public init(weight: Tensor, geometry: ConvolutionGeometry) {
        self.weight = weight
        self.geometry = geometry
    }

    public var parameterCount: Int { weight.elementCount }
}

/// The pair of linear layers that replaces one: y = second · (first · x).
public struct LinearFactors: Sendable {
    /// [r, I].
    public let first: Tensor
    /// [O, r].
    public let second: Tensor

    public var parameterCount: Int { first.elementCount + second.elementCount }

    /// The dense weight [O, I] this pair stands for.
    public func composed() throws -> Tensor { try second.matrixProduct(first) }
}

extension ConvolutionGrouping {
    /// The chain of convolutions of at most these ranks that stands for `weight`, norms balanced between them.
    ///
    /// Prepare a `LayerDecomposition` instead where several ranks of one layer are wanted.
    /// - Parameters:
    ///   - weight: [O, C / groups, Kh, Kw].
    ///   - ranks: one per bond, in every group; those above their bound are lowered and reported.
    /// - Throws: `unevenGroups`, `notFinite`, `rankCount`, `rankNotPositive`.
    public func factors(
        of weight: Tensor, geometry: ConvolutionGeometry = ConvolutionGeometry(), ranks: [Int]
    ) throws -> (factors: [ConvolutionFactor], clamps: [RankClamp]) {
        let layer = try LayerDecomposition(convolution: weight, grouping: self, geometry: geometry)
        let (allowed, clamps) = try layer.clamped(ranks)
        return (try layer.convolutionFactors(ranks: allowed), clamps)
    }

    /// The weight [O, C, Kh, Kw] as the tensor [C, Kh, Kw, O] whose neighbouring modes are merged.
    static func tensorized(_ weight: Tensor) throws -> Tensor { try weight.permuted([1, 2, 3, 0]).contiguous() }

    /// Trains under this grouping, one per group, as convolutions: core k of each, seen as [c, kh, kw, o], becomes rows
    /// of a weight [o · groups, c, kh, kw].
    package func convolutions(
        of trains: [TensorTrain], weight: Shape, geometry: ConvolutionGeometry
    ) throws -> [ConvolutionFactor] {
        let part = try Self.groupShape(weight, groups: geometry.groups)
        let expected = try modes(weight: part)
        if let odd = trains.first(where: { $0.modes != expected }) {
            throw DecompositionFailure.shapeMismatch(
                operation: "convolution chain",
                detail: "a train with modes \(odd.modes) is none of a weight \(part) grouped \(self)")
        }
        let last = stages.count - 1
        return try stages.enumerated().map { k, stage in
            let kernels = try trains.map { train in
                let core = train.cores[k]
                let inputs = k == 0 ? part[1] : core.shape[0]
                let outputs = k == last ? part[0] : core.shape[2]
                return try core.reshaped([inputs, stage.hasRows ? part[2] : 1, stage.hasColumns ? part[3] : 1, outputs])
                    .permuted([3, 0, 1, 2])
            }
            return ConvolutionFactor(
                weight: try kernels.count == 1 ? kernels[0].copy() : .concatenated(kernels, dim: 0),
                geometry: stage.geometry(of: geometry))
        }
    }
}
