public import Decomposition
public import Operations
public import Tensors

/// A family of factorisations: one way to write the weight of a layer as a chain of smaller, ordinary layers.
///
/// Planning, compression, repair, timing, reports and files see what a family makes, `Factorization`, and nothing else of it.
/// So a new family is a type of its own, given to `DecomposedModel` or entered in the `FactorizationCatalog`.
public protocol FactorizationFamily: Sendable {
    /// The name in options, tables and files, such as `Tucker-2`.
    var name: String { get }

    /// Whether errors can be those of the layer's output, where the Gram matrix of its inputs is known.
    var takesInputGrams: Bool { get }

    /// Whether the last step is a layer, which can take the bias; else a node of its own adds that.
    var endsInLayer: Bool { get }

    /// Why the family does not take a layer, as the end of a sentence about the layer; `nil` where it does.
    func refusal(of layer: FactorizableLayer) -> String?

    /// The layers, none of which was refused, each factorised once for all ranks.
    ///
    /// They come together, so that small problems can share out the threads.
    /// - Throws: failures of the decomposition, with the layer's path.
    func factorize(_ layers: [FactorizableLayer]) throws -> [any Factorization]
}

extension FactorizationFamily {
    public var takesInputGrams: Bool { false }
    public var endsInLayer: Bool { true }
}

/// What a family sees of a layer.
public struct FactorizableLayer: Sendable {
    /// Where the layer is, for errors: `resnet20 › stage2.block1.conv2`.
    public let path: String
    /// [O, C / groups, Kh, Kw] of a convolution, [O, I] of a linear layer.
    public let weight: Tensor
    /// Of a convolution; `nil` for a linear layer.
    public let geometry: ConvolutionGeometry?
    /// Of one sample, with a batch of one before it: [1, C, H, W] or [1, …, I].
    public let inputShape: Shape
    /// [1, O, P, Q] or [1, …, O].
    public let outputShape: Shape
    /// What weighs errors, where it is known and the family takes it.
    public let inputGram: InputGram?

    public init(
        path: String, weight: Tensor, geometry: ConvolutionGeometry?, inputShape: Shape, outputShape: Shape,
        inputGram: InputGram? = nil
    ) {
        self.path = path
        self.weight = weight
        self.geometry = geometry
        self.inputShape = inputShape
        self.outputShape = outputShape
        self.inputGram = inputGram
    }

    /// How many positions of a sample a linear layer is applied to.
    public var positionCount: Int { inputShape.dims.dropFirst().dropLast().reduce(1, *) }
}

/// How far the error that a factorisation states is from that of the chain it makes.
public enum FactorizationError: Sendable {
    /// It is the error, but for rounding.
    case exact
    /// The chain's error is at most this.
    case upperBound
    /// It is near the chain's error, on either side.
    case estimate
}

/// One layer's weight in a family: what any ranks cost, what they lose, and the chain that they make.
public protocol Factorization: Sendable {
    /// The largest useful rank of each bond; there is at least one.
    var maxRanks: [Int] { get }
    /// Parameters of the chain's weights, without the layer's bias.
    var parameterCost: RankPolynomial { get }
    /// Multiply-accumulates of the chain for one sample.
    var macCost: RankPolynomial { get }
    /// Elements of what each step makes for one sample, in order; the last makes the layer's result.
    var activationCosts: [RankPolynomial] { get }
    var errorKind: FactorizationError { get }

    /// ‖W − Ŵ‖² / ‖W‖² at ranks that are one per bond, each from 1 to its bound. It does not grow with any rank.
    func relativeSquaredError(ranks: [Int]) -> Double

    /// The chain at these ranks. No step has a bias.
    /// - Throws: failures of the decomposition.
    func steps(ranks: [Int]) throws -> [FactorStep]

    /// `ranks`, none of which is above its bound, lowered to what can be used of them beside each other.
    func lowered(_ ranks: [Int]) -> [Int]

    /// The ranks worth considering, where not every rank can be had at once; `nil` where all can.
    var offeredRanks: [[Int]]? { get }

    /// The largest part that is cut off, beside the largest that is kept: of a train the largest σ_{r+1} / σ₁ of its bonds.
    func largestCut(ranks: [Int]) -> Double

    /// The share of ‖W‖² that is kept at rank 0, 1, …, where only this bond is cut.
    func retainedEnergy(bond: Int) -> [Double]

    /// The ranks that stand above noise in the weight.
    func ranksAboveNoise() -> [Int]

    /// What it keeps in memory.
    var byteCount: Int { get }
}

extension Factorization {
    public func lowered(_ ranks: [Int]) -> [Int] { ranks }
    public var offeredRanks: [[Int]]? { nil }
    public func largestCut(ranks: [Int]) -> Double { relativeSquaredError(ranks: ranks).squareRoot() }

    public func retainedEnergy(bond: Int) -> [Double] {
        [0]
            + (1...maxRanks[bond]).map { rank in
                var ranks = maxRanks
                ranks[bond] = rank
                return 1 - relativeSquaredError(ranks: ranks)
            }
    }

    public func ranksAboveNoise() -> [Int] { maxRanks }
    public var byteCount: Int { parameterCost(maxRanks) * DType.float32.byteCount }

    public var bondCount: Int { maxRanks.count }

    /// `ranks` lowered to their bounds and to what can be used of them, with a clamp for each that was.
    /// - Throws: `rankCount` unless there is one per bond, `rankNotPositive`.
    public func clamped(_ ranks: [Int]) throws -> (ranks: [Int], clamps: [RankClamp]) {
        let (allowed, _) = try RankClamp.apply(ranks, bounds: maxRanks, "factorisation")
        return try RankClamp.apply(ranks, bounds: lowered(allowed), "factorisation")
    }

    /// The largest ranks, in the proportion of `maxRanks`, at which the chain has fewer parameters than `count`.
    public func maxUsefulRanks(below count: Int) -> [Int]? { parameterCost.largestRanks(below: count, bounds: maxRanks) }
}

/// One node of a chain.
public struct FactorStep: Sendable {
    /// A convolution or a linear layer without bias; or what only moves values, such as a reshape.
    public let operation: any GraphOperation
    /// Of a convolution or a linear layer; `nil` for what has none.
    public let weight: Tensor?

    public init(_ operation: any GraphOperation, weight: Tensor? = nil) {
        self.operation = operation
        self.weight = weight
    }
}
