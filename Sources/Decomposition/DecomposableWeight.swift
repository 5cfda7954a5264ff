public import Tensors

/// A layer's weight, checked and laid out for decomposition.
public struct DecomposableWeight: Sendable {
    public let kind: LayerDecomposition.Kind
    /// [O, C / groups, Kh, Kw] or [O, I].
    public let shape: Shape
    /// The modes of the train, or of each group's: merged from C, Kh, Kw, O, or I and O.
    public let modes: [Int]
    let parameterCost: RankPolynomial
    /// Per group [C, Kh·Kw, O] where the train has more than two modes, else the matrix of its two.
    let parts: [Tensor]
    /// Kh where the middle core is split once more.
    let splitRows: Int?
    /// The layer's weight is 2ᵉ times what is decomposed.
    let exponent: Int
    /// The whitened weight that the parts were made of, where a Gram matrix weights the error.
    let whitened: WhitenedWeight?

    /// A convolution weight [O, C / groups, Kh, Kw].
    /// - Parameter metric: the Gram matrix that weights the error, for convolutions in one group; `nil` means the Frobenius norm.
    /// - Throws: `unevenGroups`, `shapeMismatch`, `notFinite`.
    public init(
        convolution plain: Tensor, grouping: ConvolutionGrouping, geometry: ConvolutionGeometry = ConvolutionGeometry(),
        metric: InputGram? = nil
    ) throws {
        shape = plain.shape
        try ConvolutionGrouping.requireSupported(geometry, weight: shape)
        let part = try ConvolutionGrouping.groupShape(shape, groups: geometry.groups)
        let modes = try grouping.modes(weight: part)
        self.modes = modes
        let (plain, exponent) = try Self.ordinary(plain, "convolution grouping")
        self.exponent = exponent
        guard metric == nil || geometry.groups == 1 else {
            throw DecompositionFailure.shapeMismatch(
                operation: "whitening", detail: "moments are of one group, but the weight \(shape) is of \(geometry.groups)")
        }
        whitened = try metric.map { try WhitenedWeight(plain, grouping: grouping, metric: $0) }
        let weight = whitened?.weight ?? plain
        parts = try (0..<geometry.groups).map { group in
            let own = try weight.sliced(dim: 0, from: group * part[0], to: (group + 1) * part[0])
            return try ConvolutionGrouping.tensorized(own)
                .reshaped(modes.count == 2 ? Shape(modes) : [part[1], -1, part[0]])
        }
        splitRows = grouping == .separable ? shape[2] : nil
        kind = .convolution(grouping, geometry)
        parameterCost = try grouping.parameterCost(weight: shape, groups: geometry.groups)
    }

    /// A linear weight [O, I].
    /// - Throws: `shapeMismatch`, `notFinite`.
    public init(linear weight: Tensor, metric: InputGram? = nil) throws {
        guard weight.rank == 2 else {
            throw DecompositionFailure.shapeMismatch(
                operation: "linear decomposition", detail: "needs a weight [O, I], but got \(weight.shape)")
        }
        let (weight, exponent) = try Self.ordinary(weight, "linear decomposition")
        self.exponent = exponent
        shape = weight.shape
        modes = [shape[1], shape[0]]
        whitened = try metric.map { try WhitenedWeight(weight, grouping: nil, metric: $0) }
        parts = [try (whitened?.weight ?? weight).transposed()]
        splitRows = nil
        kind = .linear
        parameterCost = RankPolynomial(linear: [shape[0] + shape[1]], bilinear: [])
    }

    /// A weight whose squares are in float32's range, and the power of two that it was divided by.
    private static func ordinary(_ weight: Tensor, _ operation: String) throws -> (Tensor, Int) {
        let exponent = PowerOfTwo.exponent(energy: try TensorTrain.requireDecomposable(weight, operation))
        return (try exponent == 0 ? weight : weight.multiplied(byPowerOfTwo: -exponent), exponent)
    }

    /// The matrices whose leading left singular vectors the decomposition needs, group by group: the one of two modes, or
    /// those by C and by O.
    var unfoldings: [Tensor] {
        get throws {
            try parts.flatMap { tensor in
                guard tensor.rank == 3 else { return [tensor] }
                let (c, k, o) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
                return [
                    try tensor.reshaped([c, k * o]), try (whitened?.rooted?.weight ?? tensor.reshaped([c * k, o])).transposed(),
                ]
            }
        }
    }
}
