import Basics
public import Decomposition
public import Graphs
import Operations
import Tensors

/// A model's layers decomposed once: every budget and policy afterwards plans on these.
public struct DecomposedModel: Sendable {
    public let graph: Graph
    public let cost: Cost
    public internal(set) var layers: [DecomposableLayer]
    /// The most bytes of activations alive at any node that no plan can change.
    let fixedActivationByteCount: Int
    /// Nanoseconds of the whole dense model; `nil` where nothing was timed.
    public internal(set) var denseLatency: Int?
    var cache = PlanningCache()

    /// Decomposes all layers of `graph` under one grouping.
    public init(_ graph: Graph, grouping: ConvolutionGrouping = .tensorTrain, includesClassifier: Bool = false) throws {
        try self.init(graph, groupings: [grouping], includesClassifier: includesClassifier)
    }

    /// Decomposes all layers of `graph` under each of several groupings, of which planning takes the best per layer.
    /// - Parameters:
    ///   - includesClassifier: whether the layer that makes the result may be decomposed too.
    ///   - moments: of the layers' inputs, for errors of the output in place of errors of the weight; layers that these
    ///     do not have, as grouped convolutions and those of more than 4,096 inputs, are decomposed as they are.
    /// - Throws: `noLayers`; failures of the decomposition with the layer's path.
    /// - Complexity: one or two SVDs per layer and grouping, and with moments an eigenproblem.
    public init(
        _ graph: Graph, groupings: [ConvolutionGrouping], includesClassifier: Bool = false, moments: InputStatistics? = nil
    ) throws {
        let weighted = try WeightedLayers.layers(of: graph)
        guard !weighted.isEmpty else { throw CompressionFailure.noLayers(model: graph.name) }
        self.graph = graph
        cost = try CostModel.cost(of: graph)
        let weights = try Self.weights(
            of: weighted, in: graph, groupings: groupings, includesClassifier: includesClassifier, moments)
        var decompositions = try located(graph.name) { try Self.decompose(weights.flatMap(\.weights), of: graph.name)[...] }
        let live = CostModel.activationBytes(of: graph, try ShapeInference.shapes(of: graph, batch: 1))
        let lastUses = Liveness.lastUses(of: graph)
        layers = try zip(weighted, weights).map { layer, found in
            let own = Array(decompositions.prefix(found.weights.count))
            decompositions.removeFirst(own.count)
            let isRead = graph.nodes[layer.node].value(at: 0).map { lastUses[$0] != layer.node } ?? true
            return try located(graph.name + " › " + layer.name) {
                try Self.layer(layer, own, found.denseReason, live: live[layer.node], keepsInput: isRead)
            }
        }
        let movable = Set(layers.filter { !$0.chains.isEmpty }.map(\.layer.node))
        fixedActivationByteCount = live.indices.filter { !movable.contains($0) }.map { live[$0] }.max() ?? 0
    }

    /// Decomposes weights a portion at a time: many at once, so that they share out the threads, but not so many that a
    /// large model shows nothing for long and cannot be stopped.
    /// - Parameter portionWork: multiply-adds of the Gram matrices of a portion, about a tenth of a second.
    package static func decompose(
        _ weights: [DecomposableWeight], of model: String, portionWork: Double = 4e9
    ) throws -> [LayerDecomposition] {
        var portions: [[DecomposableWeight]] = [[]]
        var work = 0.0
        for weight in weights {
            if work >= portionWork {
                portions.append([])
                work = 0
            }
            portions[portions.count - 1].append(weight)
            work += Double(weight.shape.elementCount) * Double(weight.shape[0] + weight.shape[1])
        }
        // What is over at once needs no bar, nor a line in a log.
        guard portions.count > 1 else { return try LayerDecomposition.decompose(weights) }
        var progress = ProgressReport("decomposing \(model)", total: weights.count)
        var decompositions: [LayerDecomposition] = []
        for portion in portions {
            decompositions += try LayerDecomposition.decompose(portion)
            try progress.advance(by: portion.count)
        }
        return decompositions
    }

    private static func layer(
        _ layer: WeightedLayer, _ decompositions: [LayerDecomposition], _ denseReason: String?, live: Int,
        keepsInput: Bool
    ) throws -> DecomposableLayer {
        let outputBytes = layer.outputShape.elementCount * DType.float32.byteCount
        let chains = try decompositions.map { decomposition in
            var (rows, columns, name) = (layer.positionCount, 1, "I|O")
            var elements = [layer.positionCount, layer.positionCount]
            if case .convolution(let grouping, let geometry) = decomposition.kind {
                (rows, columns, name) = (layer.inputShape[2], layer.inputShape[3], grouping.rawValue)
                elements = try grouping.positionCounts(
                    weight: layer.weightShape, geometry: geometry, rows: rows, columns: columns).map { $0 * geometry.groups }
            }
            return LayerChain(
                grouping: name, decomposition: decomposition, parameterCost: decomposition.parameterCost,
                macCost: try decomposition.macCost(rows: rows, columns: columns),
                activations: ChainActivations(
                    bytesBefore: live - outputBytes,
                    inputBytes: keepsInput ? 0 : layer.inputShape.elementCount * DType.float32.byteCount,
                    elementsPerRank: elements, outputBytes: outputBytes))
        }
        return DecomposableLayer(
            layer: layer, chains: chains, denseReason: denseReason, denseParameterCount: layer.weightShape.elementCount,
            denseMacCount: layer.macCount, densePeakActivationByteCount: live)
    }

    /// Why each weighted layer of `graph` stays dense, or `nil` where it can be decomposed; nothing is decomposed yet.
    public static func denseReasons(
        of graph: Graph, grouping: ConvolutionGrouping = .tensorTrain, includesClassifier: Bool = false
    ) throws -> [(layer: WeightedLayer, reason: String?)] {
        let layers = try WeightedLayers.layers(of: graph)
        let weights = try weights(of: layers, in: graph, groupings: [grouping], includesClassifier: includesClassifier, nil)
        return zip(layers, weights).map { ($0, $1.denseReason) }
    }

    private static func weights(
        of layers: [WeightedLayer], in graph: Graph, groupings: [ConvolutionGrouping], includesClassifier: Bool,
        _ moments: InputStatistics?
    ) throws -> [Candidates] {
        let uses = Dictionary(graph.nodes.flatMap(\.parameterInputs).map { ($0, 1) }, uniquingKeysWith: +)
        return try layers.map { layer in
            try located(graph.name + " › " + layer.name) {
                try weights(
                    of: layer, in: graph, groupings: groupings, includesClassifier: includesClassifier,
                    isShared: uses[layer.weight, default: 0] > 1, moments?.sums[layer.name])
            }
        }
    }

    /// A layer's weight to decompose, laid out for each grouping, or why the layer must stay dense.
    private typealias Candidates = (weights: [DecomposableWeight], denseReason: String?)

    private static func weights(
        of layer: WeightedLayer, in graph: Graph, groupings: [ConvolutionGrouping], includesClassifier: Bool,
        isShared: Bool, _ moments: Tensor?
    ) throws -> Candidates {
        if graph.nodes[layer.node].origin != nil { return ([], "already part of a decomposed chain") }
        if graph.nodes[layer.node].operation is ConvTranspose2D { return ([], "transposed convolutions stay dense") }
        guard let weight = graph.parameters[layer.weight]?.tensor else { return ([], "has no weight") }
        if isShared { return ([], "shares its weight with another layer") }
        let conv = graph.nodes[layer.node].operation as? Conv2D
        if conv?.addsResidual == true || conv?.hasReLU == true { return ([], "is fused with what follows it") }
        if layer.isClassifier, !includesClassifier { return ([], "classifier: left dense unless asked for") }
        let metric = try moments.flatMap { try InputGram(moments: $0) }
        guard let conv else { return ([try DecomposableWeight(linear: weight, metric: metric)], nil) }
        let weights = try groupings.map {
            try DecomposableWeight(convolution: weight, grouping: $0, geometry: conv.geometry, metric: metric)
        }
        return (weights, nil)
    }
}
