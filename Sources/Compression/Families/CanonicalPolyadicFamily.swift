import Basics
import Decomposition
import Operations
import Tensors

/// CP: 1×1 C→R, Kh×1 and 1×Kw depthwise on R channels, 1×1 R→O, for a weight as a sum of R products of vectors.
///
/// Its ranks are not parts of each other, so each is fitted anew. Planning is offered some of them, with the errors after a
/// few sweeps, which bound those of the chain; between two the error of the lower one does.
/// - Reference: Lebedev, Ganin, Rakhuba, Oseledets, Lempitsky, *Speeding-up Convolutional Neural Networks Using Fine-tuned
///   CP-Decomposition*, ICLR 2015, arXiv:1412.6553; the fit: see `CanonicalPolyadic`.
public struct CanonicalPolyadicFamily: FactorizationFamily {
    /// Weights with more elements take minutes a layer to fit.
    private static let mostElements = 1 << 20

    public init() {}

    public var name: String { "CP" }

    public func refusal(of layer: FactorizableLayer) -> String? {
        guard let geometry = layer.geometry else { return "is no convolution, which CP is for" }
        let shape = layer.weight.shape
        guard geometry.groups == 1 else { return "is a convolution in groups, which CP does not take" }
        guard shape[2] > 1, shape[3] > 1 else { return "has a kernel of \(shape[2])×\(shape[3]), of which CP makes no more than a low-rank pair does" }
        guard shape.elementCount <= Self.mostElements else {
            return "has a weight of \(shape.elementCount) elements; CP takes at most \(Self.mostElements), because every rank is fitted anew"
        }
        guard Self.cost(shape) < shape.elementCount else { return "has too few channels for CP to pay" }
        return nil
    }

    /// Parameters of one term.
    fileprivate static func cost(_ weight: Shape) -> Int { weight.dims.reduce(0, +) }

    public func factorize(_ layers: [FactorizableLayer]) throws -> [any Factorization] {
        var progress = ProgressReport("fitting CP", total: layers.count)
        return try layers.map { layer in
            let made = try located(layer.path) { try CanonicalPolyadicFactorization(layer, layer.geometry ?? ConvolutionGeometry()) }
            try progress.advance()
            return made
        }
    }
}

private struct CanonicalPolyadicFactorization: Factorization {
    private static let planningSweeps = 12

    private let fit: CanonicalPolyadicFit
    /// Ascending by rank, with errors that do not rise.
    private let fitted: [CanonicalPolyadic]
    private let geometry: ConvolutionGeometry
    private let shape: Shape
    let maxRanks: [Int]
    let parameterCost: RankPolynomial
    let macCost: RankPolynomial
    let activationCosts: [RankPolynomial]

    init(_ layer: FactorizableLayer, _ geometry: ConvolutionGeometry) throws {
        fit = try CanonicalPolyadicFit(layer.weight)
        (self.geometry, shape) = (geometry, layer.weight.shape)
        // Beyond the rank at which it costs what the layer does, no chain is of use.
        let bound = max(1, min(fit.rankBound, (shape.elementCount - 1) / CanonicalPolyadicFamily.cost(shape)))
        maxRanks = [bound]
        var fitted: [CanonicalPolyadic] = []
        for rank in Self.ranks(upTo: bound) {
            try Cancellation.check()
            var next = try fit.factors(rank: rank, from: fitted.last, sweepLimit: Self.planningSweeps)
            // A fit that ended in a worse place than the one before is not what a planner should count on.
            if let last = fitted.last, next.relativeSquaredError > last.relativeSquaredError {
                next = try fit.factors(rank: rank, from: nil, sweepLimit: Self.planningSweeps)
                if next.relativeSquaredError > last.relativeSquaredError { continue }
            }
            fitted.append(next)
        }
        self.fitted = fitted
        let image = (layer.inputShape[2], layer.inputShape[3], layer.outputShape[2], layer.outputShape[3])
        let (before, between, after) = (image.0 * image.1, image.2 * image.1, image.2 * image.3)
        parameterCost = RankPolynomial(linear: [CanonicalPolyadicFamily.cost(shape)], bilinear: [])
        macCost = RankPolynomial(
            linear: [shape[1] * before + shape[2] * between + shape[3] * after + shape[0] * after], bilinear: [])
        activationCosts =
            [before, between, after].map { .multiple(of: 0, bonds: 1, $0) }
            + [.constant(layer.outputShape.elementCount, bonds: 1)]
    }

    /// Higher ranks take long to fit, because a step solves for all terms at once.
    private static let mostRank = 256

    /// Ranks that grow by a fifth or so, multiples of 4 as kernels like them. Near the bound, where the chain costs what the
    /// layer does, the layer itself is the better choice.
    private static func ranks(upTo bound: Int) -> [Int] {
        var (ranks, next) = ([Int](), 4)
        while next <= min(mostRank, bound * 3 / 4) {
            ranks.append(next)
            next += max(4, next / 20 * 4)
        }
        return ranks.isEmpty ? [bound] : ranks
    }

    var errorKind: FactorizationError { .upperBound }
    /// The factors of every rank that was fitted.
    var byteCount: Int { fitted.reduce(0) { $0 + parameterCost([$1.rank]) } * DType.float32.byteCount }
    var offeredRanks: [[Int]]? { fitted.map { [$0.rank] } }

    func relativeSquaredError(ranks: [Int]) -> Double { fitted.last { $0.rank <= ranks[0] }?.relativeSquaredError ?? 1 }

    func steps(ranks: [Int]) throws -> [FactorStep] {
        let start = fitted.last { $0.rank <= ranks[0] }
        // Planning made do with few sweeps; what is used is fitted to the end, and kept where it is better.
        var factors = try fit.factors(rank: ranks[0], from: start)
        if let start, start.rank == ranks[0], start.relativeSquaredError < factors.relativeSquaredError { factors = start }
        let rank = factors.rank
        /// A factor [n, R] as a weight of R rows.
        func convolution(_ factor: Tensor, _ dims: Shape, _ own: ConvolutionGeometry) throws -> FactorStep {
            FactorStep(Conv2D(own, hasBias: false), weight: try factor.transposed().contiguous().reshaped(dims))
        }
        let padding = geometry.padding
        var (down, across) = (ConvolutionGeometry(groups: rank), ConvolutionGeometry(groups: rank))
        down.stride[0] = geometry.stride[0]
        down.dilation[0] = geometry.dilation[0]
        (down.padding[0], down.padding[2]) = (padding[0], padding[2])
        across.stride[1] = geometry.stride[1]
        across.dilation[1] = geometry.dilation[1]
        (across.padding[1], across.padding[3]) = (padding[1], padding[3])
        return [
            try convolution(factors.input, [rank, shape[1], 1, 1], ConvolutionGeometry()),
            try convolution(factors.rows, [rank, 1, shape[2], 1], down),
            try convolution(factors.columns, [rank, 1, 1, shape[3]], across),
            FactorStep(
                Conv2D(ConvolutionGeometry(), hasBias: false), weight: try factors.output.reshaped([shape[0], rank, 1, 1])),
        ]
    }
}
