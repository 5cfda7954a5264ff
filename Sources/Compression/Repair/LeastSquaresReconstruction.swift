import Basics
import Execution
public import Graphs
import Operations
public import Tensors

/// Fits the last factors of every chain anew, so that the chain gives what the dense layer gave, by least squares.
///
/// Layers are fitted in order, each on what the fitted ones before it give it, so that a layer also mends what those
/// lose. W = argmin E‖y − W h − b‖² + λ‖W − W₀‖² over images and positions, where y is the dense layer's result in the dense
/// model, h the patch that the factor sees and W₀ the factor as it is: what the images say nothing about stays, and no fit
/// is taken that is worse on them. A last factor that maps each position by itself is fitted together with
/// the one before it, W = B M with the rank between them; channels then count by what batch normalisation multiplies them
/// with. No labels are needed. Batch normalisation behind a fitted layer takes the dense model's mean less b, and its variance
/// times the share of the layer's variance that the fitted result has on the images (but for a channel that hardly varies),
/// never the statistics of the images themselves; where there is none, b becomes the bias. Convolutions in groups stay, as do patches of more than 2,048 elements.
/// - Reference: Zhang, Zou, He, Sun, *Accelerating Very Deep Convolutional Networks for Classification and Detection*,
///   2015, arXiv:1505.06798, §3.3 (asymmetric reconstruction), here linear.
public enum LeastSquaresReconstruction {
    /// The repaired model and the names of the layers that were fitted.
    /// - Parameters:
    ///   - graph: compressed; its chains keep the names of the layers of `dense`.
    ///   - images: batches as the model takes them: [N, …].
    ///   - ridge: λ as a share of the mean variance of what goes into the factor.
    ///   - layers: names of the layers whose chains are fitted; all where `nil`.
    /// - Throws: `noImages`, `notFiniteImages`, `noContent`; `notFinite` for a layer whose inputs or results are not;
    ///   `invalidOption` for a name that no chain stands for; `invalidRanks` where `dense` is another
    ///   model: one without a layer of a chain's name, or with one that gives results of another shape.
    /// - Complexity: O(h³ + (h² + h·O)·N·P·Q) a layer for patches of h elements, a pass of the dense model, and a few of
    ///   the compressed one: layers whose results take 512 MiB together are fitted from the same recorded values.
    public static func repair(
        _ graph: Graph, towards dense: Graph, images: [Tensor], ridge: Double = 1e-4, layers wanted: Set<String>? = nil
    ) throws -> (graph: Graph, layers: [String]) {
        try ImageCheck.check(images)
        let chains = Set(graph.nodes.compactMap { $0.origin?.layer })
        if let stranger = wanted?.subtracting(chains).min() {
            throw CompressionFailure.invalidOption(name: "layers", detail: "names '\(stranger)', which is no compressed layer")
        }
        let shapes = try shapes(of: dense, standingFor: graph, imageCount: images.reduce(0) { $0 + $1.shape[0] })
        let tails = graph.nodes.indices.compactMap { index -> FittableFactors? in
            let node = graph.nodes[index]
            guard let layer = node.origin?.layer, wanted?.contains(layer) ?? true, let shape = shapes[node.name] else { return nil }
            let channels = shape.dims[node.operation is Conv2D ? 1 : shape.rank - 1]
            return FittableFactors(endingAt: index, of: graph, positions: shape.elementCount / max(1, channels))
        }
        let names = tails.map { graph.nodes[$0.last].name }
        var repaired = graph
        var (reached, reachedDense) = (ActivationCache(graph, images: images), ActivationCache(dense, images: images))
        var progress = ProgressReport("fitting \(graph.name)", total: tails.count)
        for group in RecordingGroups.ranges(names.map { [$0] }, shapes) {
            try reached.advance(to: tails[group.lowerBound].head, of: repaired)
            try reachedDense.advance(to: dense.index(ofNode: names[group.lowerBound]) ?? 0, of: dense)
            let wanted = try reachedDense.values(Array(names[group]), of: dense)
            for position in group {
                let tail = tails[position]
                try located(graph.name + " › " + names[position]) {
                    let inputs = try repaired.nodes[tail.head].value(at: 0).map { try reached.values([$0], of: repaired) } ?? []
                    try fit(
                        tail, inputs.map { $0[0] }, wanted.map { $0[position - group.lowerBound] }, ridge: ridge, dense, in: &repaired)
                }
                try progress.advance()
            }
        }
        repaired.dropUnusedParameters()
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
                    layer: node.name,
                    detail: "cannot be fitted: the dense model '\(dense.name)' \(found); "
                        + "give the model that this one was compressed from")
            }
        }
        return shapes
    }

    private static func fit(
        _ tail: FittableFactors, _ inputs: [Tensor], _ outputs: [Tensor], ridge: Double, _ dense: Graph, in graph: inout Graph
    ) throws {
        let head = graph.nodes[tail.head]
        guard let old = weight(of: head, graph), let last = weight(of: graph.nodes[tail.last], graph) else { return }
        let moments = try FactorMoments(of: head, weight: old.shape, inputs: inputs, outputs: outputs)
        guard let first = tail.first else {
            return try apply(moments.fit(ridge: ridge, present: last), to: tail.last, dense, in: &graph)
        }
        let fit = try moments.fit(
            ridge: ridge, present: (last, old), importance: importance(of: graph.nodes[tail.last], channels: last.shape[0], graph))
        if let before = fit.before { setWeight(of: first, try before.reshaped(old.shape), in: &graph) }
        try apply(fit, to: tail.last, dense, in: &graph)
    }

    private static func weight(of node: Node, _ graph: Graph) -> Tensor? {
        node.parameter(at: 1).flatMap { graph.parameters[$0]?.tensor }
    }

    /// What batch normalisation behind a layer multiplies its channels with; 1 where there is none, or where a node gives it.
    private static func importance(of node: Node, channels: Int, _ graph: Graph) throws -> [Double] {
        let ones = [Double](repeating: 1, count: channels)
        guard let reader = graph.nodes.first(where: { $0.valueInputs.contains(node.name) }),
            let norm = reader.operation as? BatchNorm, let names = NormParameters(reader),
            let scale = try names.scale.flatMap({ try graph.parameters[$0]?.tensor.array(of: Float.self) }),
            let variance = try names.variance.flatMap({ try graph.parameters[$0]?.tensor.array(of: Float.self) })
        else { return ones }
        let factors = zip(scale, variance).map { Double(abs($0)) / (nonNegative(Double($1)) + norm.epsilon).squareRoot() }
        guard let largest = factors.max(), largest > 0, factors.allSatisfy(\.isFinite) else { return ones }
        // A channel that is switched off must not divide by nothing.
        return factors.map { max($0, largest * 1e-3) }
    }

    private static func setWeight(of index: Int, _ weight: Tensor, in graph: inout Graph) {
        graph.setParameter(weight, at: 1, ofNode: index, kind: "weight.fitted", isTrainable: isTrainable(index, graph))
    }

    /// Factors of a frozen layer stay frozen, and so does what is fitted with them.
    private static func isTrainable(_ index: Int, _ graph: Graph) -> Bool {
        graph.nodes[index].parameter(at: 1).flatMap { graph.parameters[$0]?.isTrainable } ?? true
    }

    private static func apply(_ fit: FactorMoments.Fit, to index: Int, _ dense: Graph, in graph: inout Graph) throws {
        let node = graph.nodes[index]
        if let weight = fit.weight, let old = Self.weight(of: node, graph) {
            setWeight(of: index, try weight.reshaped(old.shape), in: &graph)
        }
        if node.inputs.count == 2, let norms = norms(behind: node, graph) {
            for norm in norms { try move(norm, by: fit, dense, in: &graph) }
            return
        }
        graph.setParameter(fit.bias, at: 2, ofNode: index, kind: "bias.fitted", isTrainable: isTrainable(index, graph))
        if var conv = node.operation as? Conv2D {
            conv.hasBias = true
            graph.nodes[index].operation = conv
        } else {
            graph.nodes[index].operation = Linear(hasBias: true)
        }
    }

    /// Gives a normalisation the statistics that it has in the dense model, moved as the fit moves what it sees.
    private static func move(_ norm: Node, by fit: FactorMoments.Fit, _ dense: Graph, in graph: inout Graph) throws {
        let original = dense.index(ofNode: norm.name).flatMap { NormParameters(dense.nodes[$0]) }
        guard let own = NormParameters(norm), let mean = own.mean, let variance = own.variance,
            let oldMean = original?.mean.flatMap({ dense.parameters[$0] }) ?? graph.parameters[mean],
            let oldVariance = original?.variance.flatMap({ dense.parameters[$0] }) ?? graph.parameters[variance]
        else { return }
        graph.parameters.update(mean, try oldMean.tensor.subtracting(fit.bias))
        let variances = try oldVariance.tensor.array(of: Float.self)
        graph.parameters.update(variance, try Tensor(zip(variances, fit.varianceRatio).map { Float(Double($0) * ($1 ?? 1)) }))
    }

    /// The batch normalisations behind a layer that have their statistics as parameters, where nothing else reads its result.
    private static func norms(behind node: Node, _ graph: Graph) -> [Node]? {
        let readers = graph.nodes.filter { $0.valueInputs.contains(node.name) }
        let norms = readers.filter { reader in
            guard reader.value(at: 0) == node.name, let names = NormParameters(reader) else { return false }
            return names.mean != nil && names.variance != nil
        }
        guard !graph.outputs.contains(node.name), !norms.isEmpty, norms.count == readers.count else { return nil }
        return norms
    }
}
