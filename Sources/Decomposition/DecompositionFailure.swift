public import Basics
public import Tensors

/// Why a weight cannot be decomposed as asked.
public enum DecompositionFailure: Failure {
    /// The tensor holds infinities or values that are not numbers.
    case notFinite(operation: String, shape: Shape)
    /// The tensor has too few dimensions or an empty one, or cores do not fit each other.
    case shapeMismatch(operation: String, detail: String)
    /// The result would not fit into memory; `elementCount` saturates.
    case tooLarge(operation: String, elementCount: Int)
    /// The result times 2ᵉ is beyond what cores, or elements, of float32 can hold.
    case outOfRange(operation: String, exponent: Int)
    /// A number or a count of factors that is not searched.
    case invalidFactorCount(number: Int, count: Int)
    /// The list of ranks has another length than the train has bonds.
    case rankCount(operation: String, expected: Int, got: [Int])
    /// A rank below 1, at `bond` (0-based).
    case rankNotPositive(operation: String, bond: Int, got: Int)
    /// A rank that tensors of these modes, or with these neighbouring ranks, cannot have.
    case rankAboveBound(operation: String, clamp: RankClamp)
    /// A relative error outside 0 ..< 1, or not a number.
    case invalidError(operation: String, got: Double)
    /// A share of parameters outside 0 < share ≤ 1, or one that even ranks of 1 do not keep.
    case invalidShare(operation: String, got: Double, least: Double)
    /// A factor that is not finite.
    case invalidFactor(operation: String, got: Double)
    /// An index, from 0, that has another length than the train has modes, or lies outside one.
    case invalidIndex(index: [Int], modes: [Int])
    /// There is no core at this position, from 0.
    case invalidCore(position: Int, count: Int)
    /// Factors of a matrix's rows or columns that do not multiply to their number.
    case factorMismatch(operation: String, side: String, extent: Int, factors: [Int])
    /// No grouping is called so; `nearest` is the closest one that exists.
    case unknownGrouping(name: String, nearest: String)
    /// The output channels do not divide into the groups.
    case unevenGroups(groups: Int, weight: Shape)
    /// Convolution factors were asked of a linear layer, or the other way round.
    case wrongLayerKind(expected: String, got: String)

    public var code: String {
        switch self {
        case .notFinite: "decomposition.notFinite"
        case .shapeMismatch: "decomposition.shapeMismatch"
        case .tooLarge: "decomposition.tooLarge"
        case .outOfRange: "decomposition.outOfRange"
        case .invalidFactorCount: "decomposition.invalidFactorCount"
        case .rankCount: "decomposition.rankCount"
        case .rankNotPositive: "decomposition.rankNotPositive"
        case .rankAboveBound: "decomposition.rankAboveBound"
        case .invalidError: "decomposition.invalidError"
        case .invalidShare: "decomposition.invalidShare"
        case .invalidFactor: "decomposition.invalidFactor"
        case .invalidIndex: "decomposition.invalidIndex"
        case .invalidCore: "decomposition.invalidCore"
        case .factorMismatch: "decomposition.factorMismatch"
        case .unknownGrouping: "decomposition.unknownGrouping"
        case .unevenGroups: "decomposition.unevenGroups"
        case .wrongLayerKind: "decomposition.wrongLayerKind"
        }
    }

    public var description: String {
        switch self {
        case .notFinite(let operation, let shape):
            "\(operation): the tensor of shape \(shape) holds values that are not finite"
        case .shapeMismatch(let operation, let detail): "\(operation): \(detail)"
        case .tooLarge(let operation, let count):
            "\(operation): the result of \(count == .max ? "more than 2⁶³" : DecimalText.grouped(count)) elements does not fit into memory"
        case .outOfRange(let operation, let exponent):
            "\(operation): the result has a scale of about 2^\(exponent), which float32 does not hold here; scale it towards 1 first"
        case .invalidFactorCount(let number, let count):
            "balanced factors: the number must lie between 1 and \(1 << 24) and the count between 1 and 32, but got \(number) and \(count)"
        case .rankCount(let operation, let expected, let got):
            "\(operation): needs \(expected) rank(s), one per bond, but got \(got)"
        case .rankNotPositive(let operation, let bond, let got):
            "\(operation): the rank of bond \(bond + 1) must be at least 1, but got \(got)"
        case .rankAboveBound(let operation, let clamp):
            "\(operation): the rank of bond \(clamp.bond + 1) can be at most \(clamp.bound), but got \(clamp.requested)"
        case .invalidError(let operation, let got):
            "\(operation): the relative error must be at least 0 and below 1, but got \(got)"
        case .invalidShare(let operation, let got, let least):
            "\(operation): the share of parameters kept must be at most 1 and at least \(Float(least)), which ranks of 1 "
                + "take, but got \(got)"
        case .invalidFactor(let operation, let got): "\(operation): needs a finite factor, but got \(got)"
        case .invalidIndex(let index, let modes):
            "element of a train: needs \(modes.count) index(es) below the modes \(modes), counted from 0, but got \(index)"
        case .invalidCore(let position, let count):
            "orthogonalisation: the train has the cores 0..<\(count), but got \(position)"
        case .factorMismatch(let operation, let side, let extent, let factors):
            "\(operation): the factors of the \(side) must be positive and multiply to \(extent), but got \(factors)"
        case .unknownGrouping(let name, let nearest):
            "there is no mode grouping \"\(name)\"; did you mean \"\(nearest)\"? Groupings: "
                + ConvolutionGrouping.allCases.map(\.rawValue).joined(separator: ", ")
        case .unevenGroups(let groups, let weight):
            "convolution grouping: the \(weight[0]) output channels do not divide into \(groups) groups (weight \(weight))"
        case .wrongLayerKind(let expected, let got): "asked for \(expected) factors of a \(got) layer"
        }
    }
}
