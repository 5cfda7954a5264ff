import Basics
public import Tensors

/// How the modes C, Kh, Kw, O of a convolution weight [O, C, Kh, Kw] are merged into the modes of a tensor train, and
/// so the chain of ordinary convolutions that replaces the layer.
///
/// - Reference: Garipov, Podoprikhin, Novikov, Vetrov, *Ultimate Tensorization*, 2016, arXiv:1611.03214; for two
///   modes Zhang et al., *Accelerating Very Deep Convolutional Networks*, 2015, arXiv:1505.06798, and Jaderberg et
///   al., *Speeding up Convolutional Neural Networks with Low Rank Expansions*, 2014, arXiv:1405.3866.
public enum ConvolutionGrouping: String, CaseIterable, Sendable, CustomStringConvertible {
    /// 1×1 C→r1, Kh×Kw r1→r2, 1×1 r2→O.
    case tensorTrain = "C|Kh·Kw|O"
    /// Kh×1 C→r, 1×Kw r→O.
    case spatial = "C·Kh|Kw·O"
    /// Kh×Kw C→r, 1×1 r→O.
    case outputChannels = "C·Kh·Kw|O"
    /// 1×1 C→r1, Kh×1 r1→r2, 1×Kw r2→r3, 1×1 r3→O.
    case separable = "C|Kh|Kw|O"

    public var description: String { rawValue }
    /// The notation without the dots: `C|KhKw|O`.
    public var asciiName: String { rawValue.filter { $0 != "·" } }

    /// Reads the notation, with or without dots or spaces and in any case.
    /// - Throws: `unknownGrouping` naming the nearest.
    public init(parsing name: String) throws {
        let wanted = Self.plainName(name)
        if let found = Self.allCases.first(where: { Self.plainName($0.rawValue) == wanted }) {
            self = found
            return
        }
        let near = nearestName(to: wanted, among: Self.allCases.map { Self.plainName($0.rawValue) })
        let suggestion = Self.allCases.first { Self.plainName($0.rawValue) == near } ?? .tensorTrain
        throw DecompositionFailure.unknownGrouping(name: name, nearest: suggestion.rawValue)
    }

    private static func plainName(_ name: String) -> String { name.lowercased().filter { !"·*. ".contains($0) } }

    /// One convolution of the chain: which axes of the kernel it takes over, with their stride, padding and dilation.
    package struct Stage {
        package let hasRows: Bool
        package let hasColumns: Bool
    }

    package var stages: [Stage] {
        let point = Stage(hasRows: false, hasColumns: false)
        let rows = Stage(hasRows: true, hasColumns: false)
        let columns = Stage(hasRows: false, hasColumns: true)
        let whole = Stage(hasRows: true, hasColumns: true)
        return switch self {
        case .tensorTrain: [point, whole, point]
        case .spatial: [rows, columns]
        case .outputChannels: [whole, point]
        case .separable: [point, rows, columns, point]
        }
    }

    public var bondCount: Int { stages.count - 1 }

    /// The modes of the train for a weight [O, C, Kh, Kw] (of one group, where there are several).
    public func modes(weight: Shape) throws -> [Int] {
        try Self.requireWeight(weight)
        let last = stages.count - 1
        return stages.enumerated().map { k, stage in
            (k == 0 ? weight[1] : 1) * (stage.hasRows ? weight[2] : 1) * (stage.hasColumns ? weight[3] : 1)
                * (k == last ? weight[0] : 1)
        }
    }

    /// The largest rank of each bond for a weight [O, C, Kh, Kw].
    public func maxRanks(weight: Shape) throws -> [Int] { TensorTrain.maxRanks(modes: try modes(weight: weight)) }

    static func requireWeight(_ weight: Shape) throws {
        guard weight.rank == 4, weight.elementCount > 0 else {
            throw DecompositionFailure.shapeMismatch(
                operation: "convolution grouping", detail: "needs a weight [O, C, Kh, Kw], but got \(weight)")
        }
    }
}

extension ConvolutionGrouping.Stage {
    /// The part of a layer's geometry that this convolution carries. Zero padding may move to a later convolution
    /// because those before it have no bias: zeros stay zeros.
    package func geometry(of layer: ConvolutionGeometry) -> ConvolutionGeometry {
        let (top, left, bottom, right) = (layer.padding[0], layer.padding[1], layer.padding[2], layer.padding[3])
        return ConvolutionGeometry(
            stride: [hasRows ? layer.stride[0] : 1, hasColumns ? layer.stride[1] : 1],
            padding: [hasRows ? top : 0, hasColumns ? left : 0, hasRows ? bottom : 0, hasColumns ? right : 0],
            dilation: [hasRows ? layer.dilation[0] : 1, hasColumns ? layer.dilation[1] : 1], groups: layer.groups)
    }
}
