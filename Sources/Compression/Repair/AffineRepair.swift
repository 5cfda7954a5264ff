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
public enum AffineRepair {
    /// The repaired model and the names of the layers that were repaired.
    /// - Parameters:
    ///   - graph: compressed; its chains keep the names of the layers of `dense`.
    ///   - images: at least two, as the model takes them: [N, …].
    /// - Throws: failures of the operations where `dense` is another model.
    /// - Complexity: a forward pass of the dense model and one for every repaired layer.
    public static func repair(_ graph: Graph, towards dense: Graph, images: Tensor) throws -> (graph: Graph, layers: [String]) {
        let ends = chainEnds(of: graph).filter { dense.index(ofNode: graph.nodes[$0].name) != nil }
        let names = ends.map { graph.nodes[$0].name }
        guard !names.isEmpty else { return (graph, []) }
        let wanted = try statistics(of: names, in: dense, images)
        var repaired = graph
        var progress = Progress("repairing", total: ends.count)
        for (position, end) in ends.enumerated() {
            let found = try statistics(of: [names[position]], in: repaired, images)[0]
            try located(graph.name + " › " + names[position]) { try apply(wanted[position], over: found, at: end, in: &repaired) }
            try progress.advance(by: 1)
        }
        repaired.parameters.keep(only: Set(repaired.nodes.flatMap(\.parameterInputs)))
        try Verifier.verify(repaired)
        return (repaired, names)
    }

    /// Positions of the last nodes of chains whose result some node takes that does not normalise it.
    private static func chainEnds(of graph: Graph) -> [Int] {
        graph.nodes.indices.filter { index in
            let node = graph.nodes[index]
            guard let origin = node.origin, origin.position == origin.count - 1 else { return false }
            switch node.operation {
            case let conv as Conv2D where !conv.addsResidual && !conv.hasReLU: break
            case is Linear: break
            default: return false
            }
            let readers = graph.nodes.filter { $0.valueInputs.contains(node.name) }
            return graph.outputs.contains(node.name) || !readers.allSatisfy { $0.operation is BatchNorm }
        }
    }

    // MARK: Statistics

    private struct Statistics {
        var mean: [Double]
        var deviation: [Double]
    }

    private static let batchSize = 64

    private static func statistics(of names: [String], in graph: Graph, _ images: Tensor) throws -> [Statistics] {
        let engine = InferenceEngine(try graph.computing(names))
        var sums = [[Double]](repeating: [], count: names.count)
        var (squares, counts) = (sums, [Int](repeating: 0, count: names.count))
        for start in stride(from: 0, to: images.shape[0], by: batchSize) {
            try Cancellation.check()
            let batch = try images.sliced(dim: 0, from: start, to: min(images.shape[0], start + batchSize)).contiguous()
            for (index, value) in try engine.run([batch]).enumerated() {
                try add(value, &sums[index], &squares[index], &counts[index])
            }
        }
        return names.indices.map { index in
            let count = Double(max(1, counts[index]))
            let mean = sums[index].map { $0 / count }
            let deviation = zip(squares[index], mean).map { max(0, $0 / count - $1 * $1).squareRoot() }
            return Statistics(mean: mean, deviation: deviation)
        }
    }

    /// Channels are dimension 1 of images and the last one of rows.
    private static func add(_ value: Tensor, _ sums: inout [Double], _ squares: inout [Double], _ count: inout Int) throws {
        let channel = value.rank == 4 ? 1 : value.rank - 1
        let (channels, inner) = (value.shape[channel], value.shape.dims[(channel + 1)...].reduce(1, *))
        let outer = value.shape.dims[..<channel].reduce(1, *)
        if sums.isEmpty {
            sums = [Double](repeating: 0, count: channels)
            squares = sums
        }
        let elements = try value.contiguous().array(of: Float.self)
        for block in 0..<outer * channels {
            var (sum, square) = (0.0, 0.0)
            for element in elements[block * inner..<(block + 1) * inner] {
                sum += Double(element)
                square += Double(element) * Double(element)
            }
            sums[block % channels] += sum
            squares[block % channels] += square
        }
        count += outer * inner
    }

    // MARK: The map

    /// A channel that hardly varies is only shifted: there is nothing to scale.
    private static let leastDeviation = 1e-6

    private static func apply(_ wanted: Statistics, over found: Statistics, at index: Int, in graph: inout Graph) throws {
        let node = graph.nodes[index]
        guard case .parameter(let name) = node.inputs[1], let weight = graph.parameters[name]?.tensor,
            wanted.mean.count == found.mean.count, weight.shape[0] == found.mean.count
        else {
            throw CompressionFailure.invalidRanks(
                layer: node.name, detail: "cannot be repaired: the dense model has another layer of this name")
        }
        let factors = zip(wanted.deviation, found.deviation).map { $1 > leastDeviation ? $0 / $1 : 1 }
        var shifts = zip(zip(wanted.mean, found.mean), factors).map { $0.0 - $1 * $0.1 }
        if node.inputs.count > 2, case .parameter(let bias) = node.inputs[2], let old = graph.parameters[bias]?.tensor {
            let values = try old.contiguous().array(of: Float.self)
            for channel in shifts.indices { shifts[channel] += factors[channel] * Double(values[channel]) }
        }
        let scale = try Tensor(
            factors.map { Float($0) }, shape: Shape([factors.count] + [Int](repeating: 1, count: weight.rank - 1)))
        // Names of their own, because other layers may share the old ones.
        let (scaled, shifted) = (name + ".repaired", node.name + ".bias.repaired")
        graph.parameters[scaled] = .init(tensor: try weight.multiplying(scale), isTrainable: true)
        graph.parameters[shifted] = .init(tensor: try Tensor(shifts.map { Float($0) }), isTrainable: true)
        graph.nodes[index].inputs = [node.inputs[0], .parameter(scaled), .parameter(shifted)]
        if var conv = node.operation as? Conv2D {
            conv.hasBias = true
            graph.nodes[index].operation = conv
        } else {
            graph.nodes[index].operation = Linear(hasBias: true)
        }
    }
}
