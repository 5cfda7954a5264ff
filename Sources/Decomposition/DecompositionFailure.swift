public import Basics
public import Tensors

/// Why a weight cannot be decomposed as asked.
public enum DecompositionFailure: Failure {
    /// The tensor holds infinities or values that are not numbers.
    case notFinite(operation: String, shape: Shape)
    /// The tensor has too few dimensions or an empty one, or cores do not fit each other.
    case shapeMismatch(operation: String, detail: String)
    /// The list of ranks has another length than the train has bonds.
    case rankCount(operation: String, expected: Int, got: [Int])
    /// A rank below 1, at `bond` (0-based).
    case rankNotPositive(operation: String, bond: Int, got: Int)
    /// A rank that tensors of these modes, or with these neighbouring ranks, cannot have.
    case rankAboveBound(operation: String, clamp: RankClamp)
    /// A relative error outside 0 ..< 1, or not a number.
    case invalidError(operation: String, got: Double)
    /// No grouping is called so; `nearest` is the closest one that exists.
    case unknownGrouping(name: String, nearest: String)
    /// Convolutions with groups (depthwise ones among them) are not decomposed.
    case groupedConvolution(groups: Int, weight: Shape)
    /// Convolution factors were asked of a linear layer, or the other way round.
    case wrongLayerKind(expected: String, got: String)

    public var code: String {
        switch self {
        case .notFinite: "decomposition.notFinite"
        case .shapeMismatch: "decomposition.shapeMismatch"
        case .rankCount: "decomposition.rankCount"
        case .rankNotPositive: "decomposition.rankNotPositive"
        case .rankAboveBound: "decomposition.rankAboveBound"
        case .invalidError: "decomposition.invalidError"
        case .unknownGrouping: "decomposition.unknownGrouping"
        case .groupedConvolution: "decomposition.groupedConvolution"
        case .wrongLayerKind: "decomposition.wrongLayerKind"
        }
    }

    public var description: String {
        switch self {
        case .notFinite(let operation, let shape):
            "\(operation): the tensor of shape \(shape) holds values that are not finite"
        case .shapeMismatch(let operation, let detail): "\(operation): \(detail)"
        case .rankCount(let operation, let expected, let got):
            "\(operation): needs \(expected) rank(s), one per bond, but got \(got)"
        case .rankNotPositive(let operation, let bond, let got):
            "\(operation): the rank of bond \(bond) must be at least 1, but got \(got)"
        case .rankAboveBound(let operation, let clamp):
            "\(operation): the rank of bond \(clamp.bond) can be at most \(clamp.bound), but got \(clamp.requested)"
        case .invalidError(let operation, let got):
            "\(operation): the relative error must be at least 0 and below 1, but got \(got)"
        case .unknownGrouping(let name, let nearest):
            "there is no mode grouping \"\(name)\"; did you mean \"\(nearest)\"? Groupings: "
                + ConvolutionGrouping.allCases.map(\.rawValue).joined(separator: ", ")
        case .groupedConvolution(let groups, let weight):
            "a convolution of weight \(weight) with \(groups) groups is not decomposed: its channels do not mix"
        case .wrongLayerKind(let expected, let got): "asked for \(expected) factors of a \(got) layer"
        }
    }
}
