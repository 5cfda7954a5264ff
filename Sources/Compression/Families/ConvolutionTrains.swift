import Basics
public import Decomposition
import Tensors

/// Convolutions one after another, under one grouping of the kernel's modes: a family for each grouping.
///
/// A convolution in groups, a depthwise one too, is decomposed group by group.
/// - Reference: see `ConvolutionGrouping`.
public struct ConvolutionTrain: FactorizationFamily {
    public let grouping: ConvolutionGrouping

    public init(_ grouping: ConvolutionGrouping) { self.grouping = grouping }

    public var name: String { grouping.rawValue }
    public var takesInputGrams: Bool { true }

    public func refusal(of layer: FactorizableLayer) -> String? {
        layer.geometry == nil ? "is no convolution, which the format \(name) is for" : nil
    }

    public func factorize(_ layers: [FactorizableLayer]) throws -> [any Factorization] {
        try Self.factorize(layers, grouping, sweepLimit: 1)
    }

    static func factorize(
        _ layers: [FactorizableLayer], _ grouping: ConvolutionGrouping, sweepLimit: Int
    ) throws -> [any Factorization] {
        let weights = try layers.map { layer in
            try located(layer.path) {
                try DecomposableWeight(
                    convolution: layer.weight, grouping: grouping, geometry: layer.geometry ?? ConvolutionGeometry(),
                    metric: layer.inputGram)
            }
        }
        return try zip(LayerDecomposition.decompose(weights), layers).map { decomposition, layer in
            try located(layer.path) { try TrainFactorization(decomposition, of: layer, sweepLimit: sweepLimit) }
        }
    }
}

/// Tucker-2: 1×1 C→r₁, Kh×Kw r₁→r₂, 1×1 r₂→O, with the two factor matrices of a truncated HOSVD that HOOI sweeps improve for each
/// other until they gain no more.
///
/// The chain is that of the grouping `C|Kh·Kw|O`, whose bases are improved once. With input Gram matrices the left basis is
/// fixed and one step is all there is.
/// - Reference: Kim, Park, Yoo, Choi, Yang, Shin, *Compression of Deep Convolutional Neural Networks for Fast and Low Power
///   Mobile Applications*, ICLR 2016, arXiv:1511.06530; De Lathauwer, De Moor, Vandewalle 2000, doi:10.1137/S0895479898346995.
public struct Tucker2: FactorizationFamily {
    private static let sweepLimit = 20

    public init() {}

    public var name: String { "Tucker-2" }
    public var takesInputGrams: Bool { true }

    public func refusal(of layer: FactorizableLayer) -> String? {
        layer.geometry == nil ? "is no convolution, which Tucker-2 is for" : nil
    }

    public func factorize(_ layers: [FactorizableLayer]) throws -> [any Factorization] {
        try ConvolutionTrain.factorize(layers, .tensorTrain, sweepLimit: Self.sweepLimit)
    }
}

/// Two linear layers in place of one: y = B (A x), by a truncated SVD.
public struct LinearPair: FactorizationFamily {
    public init() {}

    public var name: String { "I|O" }
    public var takesInputGrams: Bool { true }

    public func refusal(of layer: FactorizableLayer) -> String? {
        layer.geometry == nil ? nil : "is no linear layer, which the format \(name) is for"
    }

    public func factorize(_ layers: [FactorizableLayer]) throws -> [any Factorization] {
        let weights = try layers.map { layer in
            try located(layer.path) { try DecomposableWeight(linear: layer.weight, metric: layer.inputGram) }
        }
        return try zip(LayerDecomposition.decompose(weights), layers).map { try TrainFactorization($0, of: $1) }
    }
}
