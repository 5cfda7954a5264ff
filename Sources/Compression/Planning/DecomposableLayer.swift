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
        let weights = try Self.weights(of: weighted, in: graph, grouping: grouping, includesClassifier: includesClassifier)
        // All at once, so that the layers share out the threads.
        var decompositions = try located(graph.name) {
            try LayerDecomposition.decompose(weights.compactMap(\.weight))[...]
        }
        layers = try zip(weighted, weights).map { layer, found in
            let decomposition = found.weight == nil ? nil : decompositions.removeFirst()
            return try located(graph.name + " › " + layer.name) {
                try Self.layer(layer, decomposition, found.denseReason, in: graph, grouping: grouping)
            }
        }
    }

    private static func layer(
        _ layer: WeightedLayer, _ decomposition: LayerDecomposition?, _ denseReason: String?, in graph: Graph,
        grouping: ConvolutionGrouping
    ) throws -> DecomposableLayer {
        let isConvolution = graph.nodes[layer.node].operation is Conv2D
        let macs = try decomposition.map {
            try $0.macCost(
                rows: isConvolution ? layer.inputShape[2] : layer.positionCount,
                columns: isConvolution ? layer.inputShape[3] : 1)
        }
        return DecomposableLayer(
            layer: layer, grouping: isConvolution ? grouping.rawValue : "I|O", decomposition: decomposition,
            denseReason: denseReason, denseParameterCount: layer.weightShape.elementCount,
            denseMacCount: layer.macCount, parameterCost: decomposition?.parameterCost, macCost: macs)
    }

    /// Why each weighted layer of `graph` stays dense, or `nil` where it can be decomposed; nothing is decomposed yet.
    public static func denseReasons(
        of graph: Graph, grouping: ConvolutionGrouping = .tensorTrain, includesClassifier: Bool = false
    ) throws -> [(layer: WeightedLayer, reason: String?)] {
        let layers = try WeightedLayers.layers(of: graph)
        let weights = try weights(of: layers, in: graph, grouping: grouping, includesClassifier: includesClassifier)
        return zip(layers, weights).map { ($0, $1.denseReason) }
    }

    private static func weights(
        of layers: [WeightedLayer], in graph: Graph, grouping: ConvolutionGrouping, includesClassifier: Bool
    ) throws -> [(weight: DecomposableWeight?, denseReason: String?)] {
        let uses = Dictionary(graph.nodes.flatMap(\.parameterInputs).map { ($0, 1) }, uniquingKeysWith: +)
        return try layers.map { layer in
            try located(graph.name + " › " + layer.name) {
                try weight(
                    of: layer, in: graph, grouping: grouping, includesClassifier: includesClassifier,
                    isShared: uses[layer.weight, default: 0] > 1)
            }
        }
    }

    /// The weight to decompose, or why the layer must stay dense.
    private static func weight(
        of layer: WeightedLayer, in graph: Graph, grouping: ConvolutionGrouping, includesClassifier: Bool,
        isShared: Bool
    ) throws -> (weight: DecomposableWeight?, denseReason: String?) {
        if graph.nodes[layer.node].origin != nil { return (nil, "already part of a decomposed chain") }
        guard let weight = graph.parameters[layer.weight]?.tensor else { return (nil, "has no weight") }
        if isShared { return (nil, "shares its weight with another layer") }
        let conv = graph.nodes[layer.node].operation as? Conv2D
        if conv?.addsResidual == true || conv?.hasReLU == true { return (nil, "is fused with what follows it") }
        if layer.isClassifier, !includesClassifier { return (nil, "classifier: left dense unless asked for") }
        guard let conv else { return (try DecomposableWeight(linear: weight), nil) }
        return (try DecomposableWeight(convolution: weight, grouping: grouping, geometry: conv.geometry), nil)
    }
}
