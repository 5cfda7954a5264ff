public import Tensors

/// A layer's weight decomposed once at full rank, from which any lower ranks follow cheaply.
///
/// - With one bond the weight M is kept as its SVD, U Σ Vᵀ; ranks r keep the leading r triples, which is optimal.
/// - With more bonds it is kept as W = L ×₁ T ×₃ Rᵀ, where L [C, R₁] and R [O, R₂] are the left singular vectors of
///   the unfoldings by C and by O, and T [R₁, Kh·Kw, R₂] = Lᵀ W R. Ranks (r₁, r₂) keep the corner T[:r₁, :, :r₂],
///   whose error, ‖T‖² − ‖corner‖², is exact and stands in a table: planning costs a look-up, and the error is
///   at most that of TT-SVD's guarantee, the sum of the tails of both spectra.
///
/// A convolution with groups is decomposed group by group, at the same ranks in each: its groups share no weights.
///
/// With a `InputGram` errors are those of the layer's output: L is the best first factor for inputs whose positions are
/// uncorrelated, and what follows is the best for L (`DataAwareProjection`). Ranks keep leading parts again, errors stand in the
/// same tables, and `trains` are of the weight itself.
///
/// - Reference: Oseledets 2011, doi:10.1137/090752286; De Lathauwer, De Moor, Vandewalle, *A Multilinear Singular
///   Value Decomposition*, SIAM J. Matrix Anal. Appl. 21(4), 2000, doi:10.1137/S0895479896305696, property 10.
public struct LayerDecomposition: Sendable {
    public enum Kind: Hashable, Sendable {
        case convolution(ConvolutionGrouping, ConvolutionGeometry)
        case linear
    }

    enum Form {
        case matrix(LowRankFactors)
        case projected(TuckerCore)

        var spectra: [[Double]] {
            switch self {
            case .matrix(let matrix): [matrix.spectrum]
            case .projected(let core): core.spectra
            }
        }

        /// What a matrix whose second factor was fitted loses at each rank, which its singular values do not say.
        var fittedTails: [Double]? {
            if case .matrix(let matrix) = self { return matrix.fittedTails }
            return nil
        }
    }

    public let kind: Kind
    /// [O, C / groups, Kh, Kw] or [O, I].
    public let weightShape: Shape
    /// The modes of the train, or of each group's: merged from C, Kh, Kw, O, or I and O.
    public let modes: [Int]
    /// The largest rank of each bond.
    public let maxRanks: [Int]
    /// The singular values of the unfolding at each bond, descending; over several groups the root of the sum of squares
    /// of their i-th ones, so that a tail is the energy that a rank cuts off in all of them.
    public let bondSpectra: [[Double]]
    /// Parameters of the chain's weights at given ranks.
    public let parameterCost: RankPolynomial
    /// Per bond, the share of ‖W‖² cut off at rank 0, 1, …, maxRank.
    let tailShares: [[Double]]
    /// One per group.
    let forms: [Form]
    /// The weight is 2ᵉ times what the forms stand for.
    let exponent: Int

    public var bondCount: Int { maxRanks.count }
    public var denseParameterCount: Int { weightShape.elementCount }

    /// Decomposes a convolution weight [O, C / groups, Kh, Kw].
    /// - Throws: `unevenGroups`, `shapeMismatch`, `notFinite`.
    /// - Complexity: one eigenproblem per bond: O(n · m · min(n, m)) for unfoldings [n, m]; with a metric O(w³) for patches of
    ///   w elements.
    public init(
        convolution weight: Tensor, grouping: ConvolutionGrouping, geometry: ConvolutionGeometry = ConvolutionGeometry(),
        metric: InputGram? = nil
    ) throws {
        let prepared = try DecomposableWeight(convolution: weight, grouping: grouping, geometry: geometry, metric: metric)
        self = try Self.decompose([prepared])[0]
    }

    /// Decomposes a linear weight [O, I] into a low-rank pair.
    /// - Throws: `shapeMismatch`, `notFinite`.
    public init(linear weight: Tensor) throws { self = try Self.decompose([DecomposableWeight(linear: weight)])[0] }

    /// Decomposes several weights; their eigenproblems, which take most of the time, run on all threads at once.
    public static func decompose(_ weights: [DecomposableWeight]) throws -> [LayerDecomposition] {
        let matrices = weights.filter { $0.modes.count == 2 }
        var pairs = try Tensor.fullSVDs(of: matrices.flatMap { try $0.unfoldings })[...]
        let chains = weights.filter { $0.modes.count > 2 }
        var bases = try Tensor.leadingBases(of: chains.flatMap { try $0.unfoldings })[...]
        return try weights.map { weight in
            let forms = try weight.parts.map { part in
                if weight.modes.count == 2 { return Form.matrix(try LowRankFactors(pairs.removeFirst(), weight.whitened)) }
                return .projected(
                    try TuckerCore(
                        part, left: bases.removeFirst(), right: bases.removeFirst(), splitRows: weight.splitRows,
                        weight.whitened))
            }
            return LayerDecomposition(weight, forms)
        }
    }

    private init(_ weight: DecomposableWeight, _ forms: [Form]) {
        kind = weight.kind
        weightShape = weight.shape
        modes = weight.modes
        maxRanks = TensorTrain.maxRanks(modes: modes)
        parameterCost = weight.parameterCost
        exponent = weight.exponent
        let spectra = Self.commonSpectra(forms.map(\.spectra))
        bondSpectra = spectra.map { $0.map { PowerOfTwo.scaled($0, by: weight.exponent) } }
        tailShares = forms.compactMap(\.fittedTails).first.map { [$0] } ?? spectra.map(SpectrumTails.shares)
        self.forms = forms
    }

    private static func commonSpectra(_ spectra: [[[Double]]]) -> [[Double]] {
        guard spectra.count > 1 else { return spectra[0] }
        return spectra[0].indices.map { bond in
            spectra[0][bond].indices.map { i in
                spectra.reduce(0.0) { $0 + $1[bond][i] * $1[bond][i] }.squareRoot()
            }
        }
    }
}
