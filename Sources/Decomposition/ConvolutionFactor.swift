public import Tensors

/// One ordinary convolution of the chain that replaces a layer. It has no bias: the layer's goes on the last one.
public struct ConvolutionFactor: Sendable {
    /// [o, c, kh, kw].
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
    ///   - weight: [O, C, Kh, Kw].
    ///   - ranks: one per bond; those above their bound are lowered and reported.
    /// - Throws: `groupedConvolution`, `notFinite`, `rankCount`, `rankNotPositive`.
    public func factors(
        of weight: Tensor, geometry: ConvolutionGeometry = ConvolutionGeometry(), ranks: [Int]
    ) throws -> (factors: [ConvolutionFactor], clamps: [RankClamp]) {
        let layer = try LayerDecomposition(convolution: weight, grouping: self, geometry: geometry)
        let (allowed, clamps) = try layer.clamped(ranks)
        return (try layer.convolutionFactors(ranks: allowed), clamps)
    }

    /// The weight [O, C, Kh, Kw] as the tensor [C, Kh, Kw, O] whose neighbouring modes are merged.
    static func tensorized(_ weight: Tensor) throws -> Tensor { try weight.permuted([1, 2, 3, 0]).contiguous() }

    /// A train under this grouping as convolutions: core k, seen as [c, kh, kw, o], becomes a weight [o, c, kh, kw].
    package func convolutions(
        of train: TensorTrain, weight: Shape, geometry: ConvolutionGeometry
    ) throws -> [ConvolutionFactor] {
        guard train.modes == (try modes(weight: weight)) else {
            throw DecompositionFailure.shapeMismatch(
                operation: "convolution chain",
                detail: "a train with modes \(train.modes) is none of a weight \(weight) grouped \(self)")
        }
        let last = stages.count - 1
        return try stages.enumerated().map { k, stage in
            let core = train.cores[k]
            let inputs = k == 0 ? weight[1] : core.shape[0]
            let outputs = k == last ? weight[0] : core.shape[2]
            let kernel = try core.reshaped([inputs, stage.hasRows ? weight[2] : 1, stage.hasColumns ? weight[3] : 1, outputs])
            return ConvolutionFactor(
                weight: try kernel.permuted([3, 0, 1, 2]).copy(), geometry: stage.geometry(of: geometry))
        }
    }
}
