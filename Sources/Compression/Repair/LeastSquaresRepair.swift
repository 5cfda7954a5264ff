import Basics
import Execution
public import Graphs
import Operations
public import Tensors

/// Fits the last factors of every chain anew, so that the chain gives what the dense layer gave, by least squares.
///
/// Layers are fitted in order, each on what the fitted ones before it give it, so that a layer also mends what those
/// lose. W = argmin Σ ‖y − W h − b‖² + λ‖W‖² over images and positions, where y is the dense layer's result in the dense
/// model, and h the patch that the factor sees. A last factor that maps each position by itself is fitted together with
/// the one before it, W = B M with the rank between them; channels then count by what batch normalisation multiplies them
/// with. No labels are needed. Batch normalisation behind a fitted layer takes the statistics of the fitted result; where
/// there is none, b becomes the bias. Convolutions in groups stay, as do patches of more than 2,048 elements.
/// - Reference: Zhang, Zou, He, Sun, *Accelerating Very Deep Convolutional Networks for Classification and Detection*,
///   2015, arXiv:1505.06798, §3.3 (asymmetric reconstruction), here linear.
public enum LeastSquaresRepair {
    /// The repaired model and the names of the layers that were fitted.
    /// - Parameters:
    ///   - graph: compressed; its chains keep the names of the layers of `dense`.
    ///   - images: batches as the model takes them: [N, …].
    ///   - ridge: λ as a share of the mean variance of what goes into the factor.
    ///   - layers: names of the layers whose chains are fitted; all where `nil`.
    /// - Throws: `noImages`; `invalidOption` for a name that no chain stands for; `invalidRanks` where `dense` is another
    ///   model: one without a layer of a chain's name, or with one that gives results of another shape.
    /// - Complexity: O(h³ + (h² + h·O)·N·P·Q) a layer for patches of h elements, a pass of the dense model, and a few of
    ///   the compressed one: layers whose results take 512 MiB together are fitted from the same recorded values.
    public static func repair(
        _ graph: Graph, towards dense: Graph, images: [Tensor], ridge: Double = 1e-4, layers wanted: Set<String>? = nil
    ) throws -> (graph: Graph, layers: [String]) {
        guard !images.isEmpty else { throw CompressionFailure.noImages(part: "calibration") }
        let chains = Set(graph.nodes.compactMap { $0.origin?.layer })
        if let stranger = wanted?.subtracting(chains).min() {
            throw CompressionFailure.invalidOption(name: "layers", detail: "names '\(stranger)', which is no compressed layer")
        }
        let shapes = try shapes(of: dense, standingFor: graph, imageCount: images.reduce(0) { $0 + $1.shape[0] })
        let tails = graph.nodes.indices.compactMap { index -> ChainTail? in
            let node = graph.nodes[index]
            guard let layer = node.origin?.layer, wanted?.contains(layer) ?? true, let shape = shapes[node.name] else { return nil }
            let channels = shape.dims[node.operation is Conv2D ? 1 : shape.rank - 1]
            return ChainTail(endingAt: index, of: graph, positions: shape.elementCount / max(1, channels))
        }
        let names = tails.map { graph.nodes[$0.last].name }
        var repaired = graph
        var (reached, reachedDense) = (Frontier(graph, images: images), Frontier(dense, images: images))
        var progress = Progress("fitting \(graph.name)", total: tails.count)
        for group in RecordingGroups.ranges(names.map { [$0] }, shapes) {
            try reached.advance(to: tails[group.lowerBound].head, of: repaired)
            try reachedDense.advance(to: dense.index(ofNode: names[group.lowerBound]) ?? 0, of: dense)
            let wanted = try reachedDense.values(Array(names[group]), of: dense)
            for position in group {
                let tail = tails[position]
                try located(graph.name + " › " + names[position]) {
                    let inputs = try reached.values([repaired.nodes[tail.head].valueInputs[0]], of: repaired).map { $0[0] }
                    try fit(tail, inputs, wanted.map { $0[position - group.lowerBound] }, ridge: ridge, in: &repaired)
                }
                try progress.advance()
            }
        }
        repaired.parameters.keep(only: Set(repaired.nodes.flatMap(\.parameterInputs)))
        try Verifier.verify(repaired)
        return (repaired, names)
    }

    /// The shapes of the values of `dense`, where every chain of `graph` stands for a layer of it.
    private static func shapes(of dense: Graph, standingFor graph: Graph, imageCount: Int) throws -> [String: Shape] {
        let (shapes, own) = try (
            ShapeInference.shapes(of: dense, batch: imageCount), ShapeInference.shapes(of: graph, batch: imageCount)
        )
        for node in graph.nodes where node.origin.map({ $0.position == $0.count - 1 }) == true {
            guard shapes[node.name] == own[node.name] else {
                let found = shapes[node.name].map { "gives \($0) there instead of \(own[node.name] ?? [])" } ?? "has no such layer"
                throw CompressionFailure.invalidRanks(
                    layer: node.name, detail: "cannot be fitted: the dense model '\(dense.name)' \(found); "
                        + "give the model that this one was compressed from")
            }
        }
        return shapes
    }

    private static func fit(
        _ tail: ChainTail, _ inputs: [Tensor], _ outputs: [Tensor], ridge: Double, in graph: inout Graph
    ) throws {
        let head = graph.nodes[tail.head]
        guard let old = head.parameterInputs.first.flatMap({ graph.parameters[$0]?.tensor }) else { return }
        let moments = try FactorMoments(of: head, weight: old.shape, inputs: inputs, outputs: outputs)
        let fit: FactorMoments.Fit
        if let first = tail.first {
            fit = try moments.fit(ridge: ridge, rank: old.shape[0], importance: importance(of: graph.nodes[tail.last], graph))
            if let before = fit.before { setWeight(of: first, try before.reshaped(old.shape), in: &graph) }
        } else {
            fit = try moments.fit(ridge: ridge)
        }
        try apply(fit, to: tail.last, in: &graph)
    }

    /// What batch normalisation behind a layer multiplies its channels with; 1 where there is none.
    private static func importance(of node: Node, _ graph: Graph) throws -> Tensor {
        let channels = node.parameterInputs.first.flatMap { graph.parameters[$0]?.tensor.shape[0] } ?? 1
        let ones = [Float](repeating: 1, count: channels)
        guard let reader = graph.nodes.first(where: { $0.valueInputs.contains(node.name) }),
            let norm = reader.operation as? BatchNorm,
            let scale = try graph.parameters[reader.parameterInputs[0]]?.tensor.array(of: Float.self),
            let variance = try graph.parameters[reader.parameterInputs[3]]?.tensor.array(of: Float.self)
        else { return try Tensor(ones) }
        let factors = zip(scale, variance).map { abs($0) / ($1 + Float(norm.epsilon)).squareRoot() }
        // A channel that is switched off must not divide by nothing.
        let least = max((factors.max() ?? 1) * 1e-3, .leastNormalMagnitude)
        return try Tensor(factors.map { max($0, least) })
    }

    /// Under a name of its own where other layers share the old one.
    private static func setWeight(of index: Int, _ weight: Tensor, in graph: inout Graph) {
        let node = graph.nodes[index]
        guard case .parameter(let old) = node.inputs[1] else { return }
        let isShared = graph.nodes.count { $0.parameterInputs.contains(old) } > 1
        let name = isShared ? node.name + ".weight.fitted" : old
        graph.parameters[name] = .init(tensor: weight, isTrainable: true)
        graph.nodes[index].inputs[1] = .parameter(name)
    }

    private static func apply(_ fit: FactorMoments.Fit, to index: Int, in graph: inout Graph) throws {
        let node = graph.nodes[index]
        guard case .parameter(let weight) = node.inputs[1], let old = graph.parameters[weight]?.tensor else { return }
        setWeight(of: index, try fit.weight.reshaped(old.shape), in: &graph)
        let readers = graph.nodes.filter { $0.valueInputs.contains(node.name) }
        let norms = readers.filter { $0.operation is BatchNorm }
        if node.inputs.count == 2, !graph.outputs.contains(node.name), !norms.isEmpty, norms.count == readers.count {
            for norm in norms {
                guard case .parameter(let mean) = norm.inputs[3], case .parameter(let variance) = norm.inputs[4] else { continue }
                graph.parameters.update(mean, fit.mean)
                graph.parameters.update(variance, fit.variance)
            }
            return
        }
        let bias = node.name + ".bias.fitted"
        graph.parameters[bias] = .init(tensor: fit.bias, isTrainable: true)
        graph.nodes[index].inputs = [node.inputs[0], graph.nodes[index].inputs[1], .parameter(bias)]
        if var conv = node.operation as? Conv2D {
            conv.hasBias = true
            graph.nodes[index].operation = conv
        } else {
            graph.nodes[index].operation = Linear(hasBias: true)
        }
    }
}
