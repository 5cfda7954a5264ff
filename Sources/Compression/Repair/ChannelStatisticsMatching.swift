import Basics
import Execution
public import Graphs
import Operations
public import Tensors

/// Gives every channel of a compressed layer the mean and variance that the dense layer has on the same images.
///
/// That is what re-estimated batch normalisation does; this is for layers without one behind them, as in files from
/// which the exporter folded it away. y ← a·y + b with a = σ_dense/σ and b = μ_dense − a·μ per channel goes into the
/// last factor of the chain and its bias, so it costs nothing later but that bias. Layers are repaired in order, each on
/// what the repaired ones before it give. No labels are needed.
/// - Reference: the statistics are matched as in Li et al., *EagleEye*, ECCV 2020, arXiv:2007.02491, §3.3.
public enum ChannelStatisticsMatching {
    /// The repaired model and the names of the layers that were repaired.
    /// - Parameters:
    ///   - graph: compressed; its chains keep the names of the layers of `dense`.
    ///   - images: batches as the model takes them: [N, …]; at least two images.
    ///   - layers: names of the layers whose chains are repaired; all where `nil`.
    /// - Throws: `noImages`, `notFiniteImages`, `noContent`; `notFinite` for a layer whose results are not; `invalidRanks` where
    ///   `dense` is another model.
    /// - Complexity: a forward pass of the dense model, and one of the compressed model with what is alive between two
    ///   repaired layers kept for all images.
    public static func repair(
        _ graph: Graph, towards dense: Graph, images: [Tensor], layers wantedLayers: Set<String>? = nil
    ) throws -> (graph: Graph, layers: [String]) {
        try ImageCheck.check(images)
        let ends = chainEnds(of: graph).filter { index in
            let (name, layer) = (graph.nodes[index].name, graph.nodes[index].origin?.layer ?? "")
            return dense.index(ofNode: name) != nil && wantedLayers?.contains(layer) ?? true
        }
        let names = ends.map { graph.nodes[$0].name }
        guard !names.isEmpty else { return (graph, []) }
        let wanted = try statistics(of: names, in: dense, images)
        var (repaired, reached) = (graph, ActivationCache(graph, images: images))
        var progress = ProgressReport("repairing", total: ends.count)
        for (position, end) in ends.enumerated() {
            try reached.advance(to: end, of: repaired)
            try located(graph.name + " › " + names[position]) {
                var found = ChannelStatistics()
                for value in try reached.values([names[position]], of: repaired) { try found.add(value[0]) }
                try apply(wanted[position], over: found, at: end, in: &repaired)
            }
            try progress.advance(by: 1)
        }
        repaired.dropUnusedParameters()
        try Verifier.verify(repaired)
        return (repaired, names)
    }

    /// Positions of the last nodes of chains whose result some node takes that does not normalise it. A bias that a node
    /// gives cannot be scaled.
    private static func chainEnds(of graph: Graph) -> [Int] {
        graph.nodes.indices.filter { index in
            let node = graph.nodes[index]
            guard let origin = node.origin, origin.position == origin.count - 1, node.parameter(at: 1) != nil,
                node.inputs.count < 3 || node.parameter(at: 2) != nil
            else { return false }
            switch node.operation {
            case let conv as Conv2D where !conv.addsResidual && !conv.hasReLU: break
            case is Linear: break
            default: return false
            }
            let readers = graph.nodes.filter { $0.valueInputs.contains(node.name) }
            return graph.outputs.contains(node.name) || !readers.allSatisfy { $0.operation is BatchNorm }
        }
    }

    private static func statistics(of names: [String], in graph: Graph, _ images: [Tensor]) throws -> [ChannelStatistics] {
        let engine = InferenceEngine(try graph.computing(names))
        var statistics = [ChannelStatistics](repeating: ChannelStatistics(), count: names.count)
        for batch in images {
            try Cancellation.check()
            for (index, value) in try engine.run([batch]).enumerated() { try statistics[index].add(value) }
        }
        return statistics
    }

    // MARK: The map

    private static func apply(
        _ wanted: ChannelStatistics, over found: ChannelStatistics, at index: Int, in graph: inout Graph
    ) throws {
        let node = graph.nodes[index]
        guard let name = node.parameter(at: 1), let old = graph.parameters[name],
            wanted.channelCount == found.channelCount, old.tensor.shape[0] == found.channelCount
        else {
            throw CompressionFailure.invalidRanks(
                layer: node.name, detail: "cannot be repaired: the dense model has another layer of this name")
        }
        guard wanted.isFinite, found.isFinite else { throw CompressionFailure.notFinite(what: "the layer's result, dense or compressed,") }
        // A channel that hardly varies is only shifted: the images do not say how to scale it.
        let factors = (0..<found.channelCount).map { channel in
            wanted.varies(channel) && found.varies(channel) ? wanted.deviation(channel) / found.deviation(channel) : 1
        }
        var shifts = factors.enumerated().map { channel, factor in wanted.mean(channel) - factor * found.mean(channel) }
        if let bias = node.parameter(at: 2), let values = try graph.parameters[bias]?.tensor.array(of: Float.self) {
            for channel in shifts.indices { shifts[channel] += factors[channel] * Double(values[channel]) }
        }
        let scale = try Tensor(
            factors.map { Float($0) }, shape: Shape([factors.count] + [Int](repeating: 1, count: old.tensor.rank - 1)))
        graph.setParameter(
            try old.tensor.multiplying(scale), at: 1, ofNode: index, kind: "weight.repaired", isTrainable: old.isTrainable)
        graph.setParameter(
            try Tensor(shifts.map { Float($0) }), at: 2, ofNode: index, kind: "bias.repaired", isTrainable: old.isTrainable)
        if var conv = node.operation as? Conv2D {
            conv.hasBias = true
            graph.nodes[index].operation = conv
        } else {
            graph.nodes[index].operation = Linear(hasBias: true)
        }
    }
}
