import Basics
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
            bindingConstraint: binding, optimalityGap: nil, scalingFactor: nil, notes: model.notes + notes + Self.warnings(model, assignments),
            elapsedSeconds: 0)
    }

    /// What a plan says of layers that lose more than half of their energy where nothing leads around them.
    private static func warnings(_ model: DecomposedModel, _ assignments: [LayerChoice]) -> [String] {
        let lost = zip(model.layers, assignments).compactMap { layer, assignment -> (name: String, share: Double)? in
            guard layer.isInSeries, case .chain(let index, let ranks, _) = assignment else { return nil }
            let share = layer.chains[index].relativeSquaredError(ranks)
            return share > 0.5 ? (layer.name, share) : nil
        }
        guard let worst = lost.max(by: { $0.share < $1.share }) else { return [] }
        let others = lost.count > 1 ? " and \(lost.count - 1) other layer\(lost.count > 2 ? "s" : "")" : ""
        return [
            "warning: \(worst.name) (\(DecimalText.percent(worst.share)))\(others) lose more than half of their energy, and no shortcut "
                + "leads around them: expect the model to need its repairs"
        ]
    }
}

extension PlanRow {
    init(_ layer: DecomposableLayer, _ assignment: LayerChoice, gain: Double?) {
        var (format, ranks, maxRanks, squared) = (layer.format, [Int]?.none, layer.maxRanks, 0.0)
        let reason: String
        switch assignment {
        case .dense(let why): reason = why
        case .chain(let index, let chosen, let why):
            let chain = layer.chains[index]
            (format, ranks, maxRanks, reason) = (chain.format, chosen, chain.maxRanks, why)
            squared = chain.relativeSquaredError(chosen)
        }
        self.init(
            layer: layer.name, format: format, ranks: ranks, maxRanks: maxRanks, reason: reason, gain: gain,
            relativeError: squared.squareRoot(), denseParameterCount: layer.denseParameterCount,
            parameterCount: layer.cost(assignment, .parameters), denseMacCount: layer.denseMacCount,
            macCount: layer.cost(assignment, .macs))
    }
}
