import Basics
import Execution
public import Graphs
import Operations
public import Tensors

/// Fits the last factor of every chain anew, so that the chain gives what the dense layer gave, by least squares.
///
/// Layers are fitted in order, each on what the fitted ones before it give it, so that a layer also mends what those
/// lose. W = argmin Σ ‖y − W h − b‖² + λ‖W‖² over images and positions, where h goes into the last factor and y is the
/// dense layer's result in the dense model. No labels are needed. Batch normalisation behind a fitted layer takes the
/// statistics of the fitted result; where there is none, b becomes the bias. Only 1×1 convolutions and linear layers are
/// fitted; other last factors stay.
/// - Reference: Zhang, Zou, He, Sun, *Accelerating Very Deep Convolutional Networks for Classification and Detection*,
///   2015, arXiv:1505.06798, §3.3 (asymmetric reconstruction), here linear.
public enum LeastSquaresRepair {
    /// The repaired model and the names of the layers that were fitted.
    /// - Parameters:
    ///   - graph: compressed; its chains keep the names of the layers of `dense`.
    ///   - images: batches as the model takes them: [N, …].
    ///   - ridge: λ as a share of the mean variance of what goes into the factor.
    ///   - layers: names of the layers whose chains are fitted; all where `nil`.
    /// - Throws: `noImages`; `invalidOption` for a name that no chain stands for; failures of the operations where `dense`
    ///   is another model.
    /// - Complexity: O(r³ + r·O·N·P·Q) a layer, a pass of the dense model, and a few of the compressed one: layers whose
    ///   results take 512 MiB together are fitted from the same recorded values.
    public static func repair(
        _ graph: Graph, towards dense: Graph, images: [Tensor], ridge: Double = 1e-4, layers wanted: Set<String>? = nil
    ) throws -> (graph: Graph, layers: [String]) {
        guard !images.isEmpty else { throw CompressionFailure.noImages(part: "calibration") }
        let chains = Set(graph.nodes.compactMap { $0.origin?.layer })
        if let stranger = wanted?.subtracting(chains).min() {
            throw CompressionFailure.invalidOption(name: "layers", detail: "names '\(stranger)', which is no compressed layer")
        }
        let ends = graph.nodes.indices.filter { index in
            let node = graph.nodes[index]
            guard isFitted(node, graph), dense.index(ofNode: node.name) != nil else { return false }
            return node.origin.map { wanted?.contains($0.layer) ?? true } ?? false
        }
        let names = ends.map { graph.nodes[$0].name }
        let shapes = try ShapeInference.shapes(of: dense, batch: images.reduce(0) { $0 + $1.shape[0] })
        var repaired = graph
        var (reached, reachedDense) = (Frontier(graph, images: images), Frontier(dense, images: images))
        var progress = Progress("fitting \(graph.name)", total: ends.count)
        for group in RecordingGroups.ranges(names.map { [$0] }, shapes) {
            try reached.advance(to: ends[group.lowerBound], of: repaired)
            try reachedDense.advance(to: dense.index(ofNode: names[group.lowerBound]) ?? 0, of: dense)
            let wanted = try reachedDense.values(Array(names[group]), of: dense)
            for position in group {
                let node = repaired.nodes[ends[position]]
                try located(graph.name + " › " + node.name) {
                    let inputs = try reached.values([node.valueInputs[0]], of: repaired).map { $0[0] }
                    let moments = try FactorMoments(
                        of: node, inputs: inputs, outputs: wanted.map { $0[position - group.lowerBound] })
                    try apply(moments.fit(ridge: ridge), to: ends[position], in: &repaired)
                }
                try progress.advance()
            }
        }
        repaired.parameters.keep(only: Set(repaired.nodes.flatMap(\.parameterInputs)))
        try Verifier.verify(repaired)
        return (repaired, names)
    }

    /// Whether `node` ends a chain and maps each position by itself.
    private static func isFitted(_ node: Node, _ graph: Graph) -> Bool {
        guard let origin = node.origin, origin.position == origin.count - 1,
            case .parameter(let name) = node.inputs[1], let weight = graph.parameters[name]?.tensor
        else { return false }
        guard let conv = node.operation as? Conv2D else { return node.operation is Linear }
        let isPointwise = conv.geometry == ConvolutionGeometry() && weight.shape.dims[2...].allSatisfy { $0 == 1 }
        return isPointwise && !conv.addsResidual && !conv.hasReLU
    }

    private static func apply(_ fit: FactorMoments.Fit, to index: Int, in graph: inout Graph) throws {
        let node = graph.nodes[index]
        guard case .parameter(let weight) = node.inputs[1], let old = graph.parameters[weight]?.tensor else { return }
        // Names of their own, because other layers may share the old ones.
        let fitted = weight + ".fitted"
        graph.parameters[fitted] = .init(tensor: try fit.weight.reshaped(old.shape), isTrainable: true)
        graph.nodes[index].inputs[1] = .parameter(fitted)
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
        graph.nodes[index].inputs = [node.inputs[0], .parameter(fitted), .parameter(bias)]
        if var conv = node.operation as? Conv2D {
            conv.hasBias = true
            graph.nodes[index].operation = conv
        } else {
            graph.nodes[index].operation = Linear(hasBias: true)
        }
    }
}
