import Decomposition
import Graphs
import Operations
import Tensors

/// Chains as nodes: from what a factorisation makes at some ranks to what stands in the graph.
enum ChainNodes {
    /// `graph` with a chain in place of every use of `layer`. The last node of a chain keeps the layer's name, and with it every
    /// reader; the others are called `layer.tt1`, `layer.tt2`, …. A bias stays at the end. All uses share the factors.
    /// - Throws: `invalidRanks`; failures of the decomposition.
    static func replace(
        _ layer: DecomposableLayer, by chain: LayerChain, ranks: [Int], in graph: inout Graph
    ) throws -> [String: [Node]] {
        guard ranks.count == chain.bondCount else {
            throw CompressionFailure.invalidRanks(
                layer: layer.name, detail: "needs \(chain.bondCount) rank(s), but the plan has \(ranks)")
        }
        let steps = try chain.factorization.steps(ranks: ranks)
        // What was frozen stays so.
        let isTrainable = graph.parameters[layer.layer.weight]?.isTrainable ?? true
        for (position, step) in steps.enumerated() {
            guard let weight = step.weight else { continue }
            graph.parameters[parameter(layer, position)] = .init(tensor: weight, isTrainable: isTrainable)
        }
        var chains: [String: [Node]] = [:]
        for use in layer.uses {
            guard let index = graph.index(ofNode: use.name) else { continue }
            chains[use.name] = try nodes(layer, chain.format, steps, at: graph.nodes[index], use, &graph)
        }
        return chains
    }

    private static func parameter(_ layer: DecomposableLayer, _ position: Int) -> String { "\(layer.name).tt\(position + 1).weight" }

    private static func nodes(
        _ layer: DecomposableLayer, _ format: String, _ steps: [FactorStep], at node: Node, _ use: WeightedLayer, _ graph: inout Graph
    ) throws -> [Node] {
        let bias = node.inputs.count > 2 ? node.inputs[2] : nil
        let addsBias = bias != nil && steps.last?.weight == nil
        let count = steps.count + (addsBias ? 1 : 0)
        // A chain of nothing but layers says by itself what it stands for.
        let dense =
            steps.allSatisfy { $0.weight != nil }
            ? nil : Origin.Dense(weight: layer.layer.weightShape, geometry: (node.operation as? Conv2D)?.geometry)
        func origin(_ position: Int) -> Origin {
            Origin(layer: use.name, format: format, position: position, count: count, dense: dense)
        }
        func name(_ position: Int) -> String { position == count - 1 ? node.name : "\(node.name).tt\(position + 1)" }
        var made: [Node] = []
        var value = node.inputs[0]
        for (position, step) in steps.enumerated() {
            let own = position == count - 1 ? bias.map { [$0] } ?? [] : []
            let weight: [Source] = step.weight == nil ? [] : [.parameter(parameter(layer, position))]
            made.append(
                Node(name(position), step.operation.withBias(!own.isEmpty), [value] + weight + own, origin: origin(position)))
            value = .value(name(position))
        }
        if addsBias, let bias {
            made.append(Node(node.name, Add(), [value, try column(bias, of: node, &graph)], origin: origin(count - 1)))
        }
        return made
    }

    /// A bias as what is added to the layer's result: of a convolution it stands in the channels.
    private static func column(_ bias: Source, of node: Node, _ graph: inout Graph) throws -> Source {
        guard node.operation is Conv2D, case .parameter(let name) = bias, let entry = graph.parameters[name] else { return bias }
        let own = node.name + ".tt.bias"
        graph.parameters[own] = .init(tensor: try entry.tensor.reshaped([-1, 1, 1]), isTrainable: entry.isTrainable)
        return .parameter(own)
    }

    /// `graph`, which may hold only some uses of `layer`, with `chain` in the place of each.
    static func replacing(_ layer: DecomposableLayer, by chain: LayerChain, ranks: [Int], in graph: Graph) throws -> Graph {
        var result = graph
        let chains = try replace(layer, by: chain, ranks: ranks, in: &result)
        result.nodes = result.nodes.flatMap { chains[$0.name] ?? [$0] }
        result.dropUnusedParameters()
        return result
    }
}

extension GraphOperation {
    /// The same layer with or without a bias; what is no layer stays as it is.
    func withBias(_ hasBias: Bool) -> any GraphOperation {
        switch self {
        case var conv as Conv2D:
            conv.hasBias = hasBias
            return conv
        case is Linear: return Linear(hasBias: hasBias)
        default: return self
        }
    }
}
