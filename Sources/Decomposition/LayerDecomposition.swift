public import Tensors

/// A layer's weight decomposed once at full rank, from which any lower ranks follow cheaply.
///
/// - With one bond the weight M is kept as its SVD, U Σ Vᵀ; ranks r keep the leading r triples, which is optimal.
/// - With more bonds it is kept as W = L ×₁ T ×₃ Rᵀ, where L [C, R₁] and R [O, R₂] are the left singular vectors of
///   the unfoldings by C and by O, and T [R₁, Kh·Kw, R₂] = Lᵀ W R. Ranks (r₁, r₂) keep the corner T[:r₁, :, :r₂],
///   whose error, ‖T‖² − ‖corner‖², is exact and stands in a table: planning costs a look-up, and the error is
///   at most that of TT-SVD's guarantee, the sum of the tails of both spectra.
///
/// - Reference: Oseledets 2011, doi:10.1137/090752286; De Lathauwer, De Moor, Vandewalle, *A Multilinear Singular
///   Value Decomposition*, SIAM J. Matrix Anal. Appl. 21(4), 2000, doi:10.1137/S0895479896305696, property 10.
public struct LayerDecomposition: Sendable {
    public enum Kind: Hashable, Sendable {
        case convolution(ConvolutionGrouping, ConvolutionGeometry)
        case linear
    }

    enum Form {
        case matrix(SingularValueDecomposition)
        case projected(ProjectedCore)
    }

    public let kind: Kind
    /// [O, C, Kh, Kw] or [O, I].
    public let weightShape: Shape
    /// The modes of the train: merged from C, Kh, Kw, O, or I and O.
    public let modes: [Int]
    /// The largest rank of each bond.
    public let maxRanks: [Int]
    /// The singular values of the unfolding at each bond, descending.
    public let bondSpectra: [[Float]]
    /// Parameters of the chain's weights at given ranks.
    public let parameterCost: RankPolynomial
    /// Per bond, the share of ‖W‖² cut off at rank 0, 1, …, maxRank.
    let tailShares: [[Double]]
    let form: Form

    public var bondCount: Int { maxRanks.count }
    public var denseParameterCount: Int { weightShape.elementCount }

    /// Decomposes a convolution weight [O, C, Kh, Kw].
    /// - Throws: `groupedConvolution`, `shapeMismatch`, `notFinite`.
    /// - Complexity: one SVD per bond: O(n · m · min(n, m)) for unfoldings [n, m].
    public init(
        convolution weight: Tensor, grouping: ConvolutionGrouping, geometry: ConvolutionGeometry = ConvolutionGeometry()
    ) throws {
        let shape = weight.shape
        try ConvolutionGrouping.requireSupported(geometry, weight: shape)
        let modes = try grouping.modes(weight: shape)
        try TensorTrain.requireDecomposable(weight, "convolution grouping")
        let tensor = try ConvolutionGrouping.tensorized(weight)
        switch modes.count {
        case 2:
            let svd = try tensor.reshaped(Shape(modes)).singularValueDecomposition()
            (form, bondSpectra) = (.matrix(svd), [svd.values])
        default:
            let splitRows = grouping == .separable ? shape[2] : nil
            let core = try ProjectedCore(tensor.reshaped([shape[1], -1, shape[0]]), splitRows: splitRows)
            (form, bondSpectra) = (.projected(core), core.spectra)
        }
        kind = .convolution(grouping, geometry)
        weightShape = shape
        self.modes = modes
        maxRanks = TensorTrain.maxRanks(modes: modes)
        parameterCost = try grouping.parameterCost(weight: shape)
        tailShares = Self.tailShares(bondSpectra)
    }

    /// Decomposes a linear weight [O, I] into a low-rank pair.
    /// - Throws: `shapeMismatch`, `notFinite`.
    public init(linear weight: Tensor) throws {
        guard weight.rank == 2 else {
            throw DecompositionFailure.shapeMismatch(
                operation: "linear decomposition", detail: "needs a weight [O, I], but got \(weight.shape)")
        }
        try TensorTrain.requireDecomposable(weight, "linear decomposition")
        let svd = try weight.transposed().singularValueDecomposition()
        kind = .linear
        weightShape = weight.shape
        modes = [weight.shape[1], weight.shape[0]]
        maxRanks = TensorTrain.maxRanks(modes: modes)
        bondSpectra = [svd.values]
        parameterCost = RankPolynomial(linear: [weight.shape[0] + weight.shape[1]], bilinear: [])
        tailShares = Self.tailShares(bondSpectra)
        form = .matrix(svd)
    }
}
