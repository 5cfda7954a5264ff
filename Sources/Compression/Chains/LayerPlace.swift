import Basics
import Decomposition
import Graphs
import Operations
import Tensors

/// A weight and all nodes that use it.
struct LayerPlace {
    /// In the order of the model; at least one.
    let uses: [WeightedLayer]

    var name: String { uses[0].name }

    /// Every weight of the weighted layers, once.
    static func all(in graph: Graph) throws -> [LayerPlace] {
        let layers = try WeightedLayers.layers(of: graph)
        let byWeight = Dictionary(grouping: layers, by: \.weight)
        return layers.compactMap { layer in
            guard let uses = byWeight[layer.weight], uses[0].node == layer.node else { return nil }
            return LayerPlace(uses: uses)
        }
    }

    /// Why no family can take the weight, whatever its shape.
    func denseReason(in graph: Graph, includesClassifier: Bool) -> String? {
        let nodes = uses.map { graph.nodes[$0.node] }
        if nodes.contains(where: { $0.origin != nil }) { return "already part of a decomposed chain" }
        if nodes.contains(where: { $0.operation is ConvTranspose2D }) { return "transposed convolutions stay dense" }
        guard let weight = graph.parameters[uses[0].weight]?.tensor else { return "has no weight" }
        if weight.dtype != .float32 { return "has a weight of \(weight.dtype)" }
        if nodes.contains(where: { ($0.operation as? Conv2D).map { $0.addsResidual || $0.hasReLU } == true }) {
            return "is fused with what follows it"
        }
        let readers = graph.nodes.reduce(0) { $0 + $1.parameterInputs.count { $0 == uses[0].weight } }
        if readers > uses.count { return "shares its weight with a node that is no layer" }
        if uses.contains(where: { use in
            use.inputShape != uses[0].inputShape || geometry(use, graph) != geometry(uses[0], graph)
        }) {
            return "shares its weight with a layer of another input or geometry"
        }
        if uses.contains(where: \.isClassifier), !includesClassifier { return "classifier: left dense unless asked for" }
        return nil
    }

    private func geometry(_ use: WeightedLayer, _ graph: Graph) -> ConvolutionGeometry? {
        (graph.nodes[use.node].operation as? Conv2D)?.geometry
    }
}

/// The families that may take a layer.
struct FormatCandidates {
    let families: [any FactorizationFamily]
    /// Why the layer must stay dense, where no family takes it.
    let denseReason: String?
    /// What was left out of what was asked for.
    let note: String?
    private let plain: FactorizableLayer?
    private let metric: InputGram?

    /// - Throws: `unknownFormat`.
    init(
        _ place: LayerPlace, in graph: Graph, _ formats: FormatChoice, includesClassifier: Bool, _ moments: InputStatistics?
    ) throws {
        let wanted = try formats.families(for: place.name)
        let use = place.uses[0]
        guard let weight = graph.parameters[use.weight]?.tensor else {
            (families, denseReason, note, plain, metric) = ([], "has no weight", nil, nil, nil)
            return
        }
        if let reason = place.denseReason(in: graph, includesClassifier: includesClassifier) {
            (families, denseReason, note, plain, metric) = ([], reason, nil, nil, nil)
            return
        }
        let path = graph.name + " › " + place.name
        let layer = FactorizableLayer(
            path: path, weight: weight, geometry: (graph.nodes[use.node].operation as? Conv2D)?.geometry,
            inputShape: use.inputShape, outputShape: use.outputShape)
        metric = try located(path) { try Self.metric(place, moments) }
        let isWeighed = metric != nil
        // What adds a bias by itself takes that of a convolution only as a parameter, which it can turn into a column.
        let hasComputedBias =
            layer.geometry != nil
            && place.uses.contains { graph.nodes[$0.node].inputs.count > 2 && graph.nodes[$0.node].parameter(at: 2) == nil }
        let taking = wanted.filter { $0.refusal(of: layer) == nil && ($0.endsInLayer || !hasComputedBias) }
        let usable = taking.filter { !isWeighed || $0.takesInputGrams }
        let left = taking.filter { isWeighed && !$0.takesInputGrams }.map(\.name)
        note =
            left.isEmpty || formats.isAutomatic(for: place.name)
            ? nil : "\(place.name): \(left.joined(separator: ", ")) left out, whose errors cannot be those of the output"
        families = usable
        plain = layer
        if !usable.isEmpty {
            denseReason = nil
        } else if !left.isEmpty {
            denseReason = "\(left.joined(separator: ", ")) cannot be judged by the output's error; plan without whiten"
        } else {
            let reasons = wanted.compactMap { $0.refusal(of: layer) }
            denseReason = reasons.count == 1 ? reasons[0] : "is of no kind that \(wanted.map(\.name).joined(separator: ", ")) take"
        }
    }

    /// Of all uses together.
    private static func metric(_ place: LayerPlace, _ moments: InputStatistics?) throws -> InputGram? {
        var sum: Tensor?
        for own in place.uses.compactMap({ moments?.sums[$0.name] }) { sum = try sum?.adding(own) ?? own }
        return try sum.flatMap { try InputGram(moments: $0) }
    }

    /// The layer as `family` is to see it.
    func layer(for family: any FactorizationFamily) -> FactorizableLayer? {
        guard let plain else { return nil }
        guard family.takesInputGrams, let metric else { return plain }
        return FactorizableLayer(
            path: plain.path, weight: plain.weight, geometry: plain.geometry, inputShape: plain.inputShape,
            outputShape: plain.outputShape, inputGram: metric)
    }

    /// Multiply-adds of the Gram matrices of the weight's unfoldings.
    var work: Double {
        guard let shape = plain?.weight.shape else { return 0 }
        return Double(shape.elementCount) * Double(shape[0] + shape[1])
    }
}
