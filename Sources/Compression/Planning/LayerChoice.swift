import Decomposition
import Graphs

/// Whether a layer stays dense, or which chain it becomes.
enum LayerChoice {
    case dense(reason: String)
    /// The chain at `index` of the layer's, at `ranks`.
    case chain(index: Int, ranks: [Int], reason: String)
}

extension DecomposableLayer {
    func cost(_ assignment: LayerChoice, _ quantity: Budget.Quantity) -> Int {
        switch assignment {
        case .dense: denseCost(quantity)
        case .chain(let index, let ranks, _): chains[index].cost(ranks, quantity)
        }
    }
}

extension DecomposedModel {
    /// What the model costs when its layers become `assignments`.
    func cost(_ assignments: [LayerChoice], _ quantity: Budget.Quantity) -> Int {
        let costs = zip(layers, assignments).map { $0.cost($1, quantity) }
        guard quantity.isSum else { return costs.reduce(fixedActivationByteCount, max) }
        return zip(layers, costs).reduce(quantity.value(of: cost, latency: denseLatency)) { $0 - $1.0.denseCost(quantity) + $1.1 }
    }

    /// The failure that reports a limit which `planner` cannot meet.
    func unreachable(_ limit: Budget.Limit, smallest: Int, _ planner: Planner) -> CompressionFailure {
        .unreachable(
            constraint: limit.quantity.rawValue, limit: limit.value, smallest: smallest,
            dense: limit.quantity.value(of: cost, latency: denseLatency),
            // These policies fix the format of a layer before its ranks, so another policy may reach a smaller model.
            policy: planner.policy.weighing == nil ? planner.policy.name : nil,
            options: (planner.align > 1 ? ["align = \(planner.align)"] : [])
                + (planner.minRank > 1 || !planner.minRanks.isEmpty ? ["min_rank"] : []))
    }
}

/// What names and patterns settle before any policy is asked: frozen layers, fixed ranks, layers without a chain.
struct FixedChoices {
    /// `nil` where the policy decides.
    private(set) var assignments: [LayerChoice?] = []
    private(set) var notes: [String] = []

    /// - Parameter chosen: the ranks by layer that were chosen for those without a rule; the others of them stay dense.
    init(_ model: DecomposedModel, _ planner: Planner, chosen: [String: [Int]]? = nil) throws {
        try planner.checkPatterns(model.layers.map(\.name))
        for layer in model.layers {
            let rule = planner.rule(for: layer.name)
            if rule.isFrozen {
                assignments.append(.dense(reason: "frozen"))
            } else if let ranks = rule.ranks {
                assignments.append(try given(layer, ranks, as: "fixed"))
            } else if let ranks = chosen?[layer.name] {
                assignments.append(try given(layer, ranks, as: "chosen"))
            } else if chosen != nil, !layer.chains.isEmpty {
                assignments.append(.dense(reason: "was given no ranks"))
            } else {
                assignments.append(layer.chains.isEmpty ? .dense(reason: layer.denseReason ?? "stays dense") : nil)
            }
        }
    }

    /// A single rank applies to every bond of the first format, which custom policies see. Several ranks select the first
    /// format with that many bonds. Where the planner names a layer's format, it is the only one.
    private static func chainIndex(of layer: DecomposableLayer, for ranks: [Int]) -> Int {
        guard ranks.count > 1 else { return 0 }
        return layer.chains.firstIndex { $0.bondCount == ranks.count } ?? 0
    }

    private mutating func given(_ layer: DecomposableLayer, _ wanted: [Int], as reason: String) throws -> LayerChoice {
        guard !layer.chains.isEmpty else {
            throw CompressionFailure.invalidRanks(
                layer: layer.name, detail: "cannot be given ranks: \(layer.denseReason ?? "it stays dense")")
        }
        let index = Self.chainIndex(of: layer, for: wanted)
        let chain = layer.chains[index]
        let bonds = chain.bondCount
        guard wanted.count == bonds || wanted.count == 1, wanted.allSatisfy({ $0 >= 1 }) else {
            throw CompressionFailure.invalidRanks(
                layer: layer.name, detail: "needs \(bonds) rank(s) of at least 1 for \(chain.format), but got \(wanted)")
        }
        let full = wanted.count == bonds ? wanted : [Int](repeating: wanted[0], count: bonds)
        let (allowed, clamps) = try chain.factorization.clamped(full)
        for clamp in clamps { notes.append("\(layer.name): \(clamp)") }
        let lowered = clamps.isEmpty ? "" : ", lowered to its bound"
        let isDearer = chain.cost(allowed, .parameters) > layer.denseParameterCount
        return .chain(index: index, ranks: allowed, reason: reason + lowered + (isDearer ? ", above the dense layer's params" : ""))
    }
}
