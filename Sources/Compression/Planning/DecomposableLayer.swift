import Basics
public import Decomposition
public import Graphs
import Operations
import Tensors

/// What a planner knows of one weighted layer.
public struct DecomposableLayer: Sendable {
    public let layer: WeightedLayer
    /// The grouping its train uses: `C|Kh·Kw|O`, or `I|O` for a linear layer.
    public let grouping: String
    /// The full-rank decomposition; `nil` where the layer must stay dense.
    public let decomposition: LayerDecomposition?
    /// Why it must stay dense.
    public let denseReason: String?
    /// Parameters of the dense weight, without bias.
    public let denseParameterCount: Int
    /// Multiply-accumulates per image of the dense layer.
    public let denseMacCount: Int
    /// The chain's costs as functions of its ranks; `nil` without a decomposition.
    public let parameterCost: RankPolynomial?
    public let macCost: RankPolynomial?

    public var name: String { layer.name }
    public var maxRanks: [Int] { decomposition?.maxRanks ?? [] }

    func denseCost(_ quantity: Budget.Quantity) -> Int {
        quantity == .parameters ? denseParameterCount : denseMacCount
    }

    /// The cost of the chain at `ranks`; the dense cost where there is no chain.
    func chainCost(_ ranks: [Int], _ quantity: Budget.Quantity) -> Int {
        (quantity == .parameters ? parameterCost : macCost)?(ranks) ?? denseCost(quantity)
    }
}

/// A model's layers decomposed once: every budget and policy afterwards plans on these.
public struct DecomposedModel: Sendable {
    public let graph: Graph
    public let cost: Cost
    public let layers: [DecomposableLayer]

    /// Decomposes all layers of `graph` under one grouping.
    /// - Parameter includesClassifier: whether the layer that makes the result may be decomposed too.
    /// - Throws: `noLayers`; failures of the decomposition with the layer's path.
    /// - Complexity: one or two SVDs per layer.
    public init(_ graph: Graph, grouping: ConvolutionGrouping = .tensorTrain, includesClassifier: Bool = false) throws {
        let weighted = try WeightedLayers.layers(of: graph)
        guard !weighted.isEmpty else { throw CompressionFailure.noLayers(model: graph.name) }
        self.graph = graph
        cost = try CostModel.cost(of: graph)
        let uses = Dictionary(graph.nodes.flatMap(\.parameterInputs).map { ($0, 1) }, uniquingKeysWith: +)
        layers = try weighted.map { layer in
            try located(graph.name + " › " + layer.name) {
                try Self.decompose(
                    layer, in: graph, grouping: grouping, includesClassifier: includesClassifier,
                    isShared: uses[layer.weight, default: 0] > 1)
            }
        }
    }

    private static func decompose(
        _ layer: WeightedLayer, in graph: Graph, grouping: ConvolutionGrouping, includesClassifier: Bool,
        isShared: Bool
    ) throws -> DecomposableLayer {
        let conv = graph.nodes[layer.node].operation as? Conv2D
        func make(_ decomposition: LayerDecomposition?, _ reason: String?) throws -> DecomposableLayer {
            let macs = try decomposition.map {
                try $0.macCost(rows: conv == nil ? 1 : layer.inputShape[2], columns: conv == nil ? 1 : layer.inputShape[3])
            }
            return DecomposableLayer(
                layer: layer, grouping: conv == nil ? "I|O" : grouping.rawValue, decomposition: decomposition,
                denseReason: reason, denseParameterCount: layer.weightShape.elementCount, denseMacCount: layer.macCount,
                parameterCost: decomposition?.parameterCost, macCost: macs)
        }
        if layer.isClassifier, !includesClassifier { return try make(nil, "classifier: left dense unless asked for") }
        if graph.nodes[layer.node].origin != nil { return try make(nil, "already part of a decomposed chain") }
        guard let weight = graph.parameters[layer.weight]?.tensor else { return try make(nil, "has no weight") }
        if isShared { return try make(nil, "shares its weight with another layer") }
        if let conv {
            if conv.addsResidual || conv.hasReLU { return try make(nil, "is fused with what follows it") }
            if conv.geometry.groups > 1 { return try make(nil, "grouped convolution: not decomposed") }
            let decomposition = try LayerDecomposition(convolution: weight, grouping: grouping, geometry: conv.geometry)
            return try make(decomposition, nil)
        }
        return try make(try LayerDecomposition(linear: weight), nil)
    }
}
