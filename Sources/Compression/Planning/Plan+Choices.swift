import Decomposition
import Graphs

extension Plan {
    /// The plan in which the layers of `model` become `assignments`, with what that costs.
    init(
        _ model: DecomposedModel, _ assignments: [LayerChoice], policy: String, scores: LayerScores?, notes: [String],
        binding: String?
    ) {
        let gains = Dictionary((scores?.rows ?? []).map { ($0.layer, $0.gain) }, uniquingKeysWith: { $1 })
        self.init(
            policy: policy,
            rows: zip(model.layers, assignments).map { PlanRow($0, $1, gain: gains[$0.name]) },
            denseCost: model.cost, parameterCount: model.cost(assignments, .parameters),
            macCount: model.cost(assignments, .macs), byteCount: model.cost(assignments, .bytes),
            peakActivationByteCount: model.cost(assignments, .activations),
            latency: model.denseLatency.map { _ in model.cost(assignments, .latency) }, denseLatency: model.denseLatency,
            bindingConstraint: binding,
            scalingFactor: nil, notes: notes, elapsedSeconds: 0)
    }
}

extension PlanRow {
    init(_ layer: DecomposableLayer, _ assignment: LayerChoice, gain: Double?) {
        var (grouping, ranks, maxRanks, squared) = (layer.grouping, [Int]?.none, layer.maxRanks, 0.0)
        let reason: String
        switch assignment {
        case .dense(let why): reason = why
        case .chain(let index, let chosen, let why):
            let chain = layer.chains[index]
            (grouping, ranks, maxRanks, reason) = (chain.grouping, chosen, chain.maxRanks, why)
            squared = chain.decomposition.relativeSquaredError(ranks: chosen)
        }
        self.init(
            layer: layer.name, grouping: grouping, ranks: ranks, maxRanks: maxRanks, reason: reason, gain: gain,
            relativeError: squared.squareRoot(), denseParameterCount: layer.denseParameterCount,
            parameterCount: layer.cost(assignment, .parameters), denseMacCount: layer.denseMacCount,
            macCount: layer.cost(assignment, .macs))
    }
}
