import Basics
import Decomposition
import Execution
import Graphs
public import Tensors

/// Measures what each layer alone loses when it is replaced by its chain at a few ranks, statistics re-estimated.
///
/// `features` and `proxy` compute only the layer itself again, on inputs recorded once; `output` also what follows it.
/// `sensitivity` runs the whole model for every layer and rank, with all statistics re-estimated: the slow reference that
/// the others are cheap stand-ins for.
public struct SensitivityAnalysis {
    public var measure: SensitivityCurves.Measure = .output
    /// Shares of the ranks that pay at which a layer is measured; rank 1 comes before them.
    public var shares = [0.1, 0.25, 0.5, 0.75, 1.0]
    /// What cosines are multiplied by before the softmax of `proxy`.
    public var sharpness = 20.0

    public init() {}

    /// - Parameters:
    ///   - images: batches [N, …] of calibration images; all are kept while measuring.
    ///   - labels: one per image; `features` and `output` do not read them.
    /// - Throws: `noImages`, `notFiniteImages`, `noContent`, `labelCount`, `Interrupted`; `notFinite` where the model or a layer
    ///   gives no numbers, dense or decomposed; failures of decomposition and execution.
    /// - Complexity: a pass over the images for every 512 MiB of layer inputs, and per layer and rank one training
    ///   pass of the layer itself; for `output` a pass of the model behind it more, for `sensitivity` two of the whole.
    public func measure(_ model: DecomposedModel, images: [Tensor], labels: [[Int]]) throws -> SensitivityCurves {
        let start = ContinuousClock.now
        let count = images.reduce(0) { $0 + ($1.shape.dims.first ?? 0) }
        guard count > 0 else { throw CompressionFailure.noImages(part: "calibration") }
        guard images.count == labels.count, zip(images, labels).allSatisfy({ $0.shape.dims.first == $1.count }) else {
            throw CompressionFailure.labelCount(labels: labels.reduce(0) { $0 + $1.count }, images: count)
        }
        try ImageCheck.check(images)
        let output = try measure == .output ? OutputDivergence(model.graph, images) : nil
        let accuracy = try measure == .sensitivity ? AccuracyLoss(model.graph, images, labels) : nil
        let layers = model.layers.filter { !$0.chains.isEmpty }
        var progress = ProgressReport("measuring \(measure.rawValue) of \(model.graph.name)", total: layers.count)
        var rows: [(name: String, points: [SensitivityCurves.Point])] = []
        let shapes = try ShapeInference.shapes(of: model.graph, batch: count)
        let parts = try layers.map {
            try LayerSubgraph($0.layer, in: model.graph, shapes, withDownstream: measure == .output)
        }
        for group in RecordingGroups.ranges(parts.map(\.values), shapes) {
            let recordings = try LayerSubgraph.recorded(Array(parts[group]), in: model.graph, images)
            for (index, own) in zip(group, recordings) {
                let points = try located(model.graph.name + " › " + layers[index].name) {
                    try self.points(
                        layers[index], judge(layers[index], parts[index], own, labels, output, accuracy, in: model.graph))
                }
                rows.append((layers[index].name, points))
                try progress.advance()
            }
        }
        return SensitivityCurves(
            measure: measure, layers: rows, imageCount: count,
            elapsedSeconds: start.duration(to: .now) / .seconds(1))
    }

    /// What a layer loses at ranks of a chain.
    private func judge(
        _ layer: DecomposableLayer, _ part: LayerSubgraph, _ recordings: [LayerSubgraph.Recording], _ labels: [[Int]],
        _ output: OutputDivergence?, _ accuracy: AccuracyLoss?, in model: Graph
    ) throws -> (LayerChain, [Int]) throws -> Double {
        if let accuracy {
            return { try accuracy.loss(of: ChainNodes.replacing(layer, by: $0, ranks: $1, in: model)) }
        }
        let exact = recordings.map(\.tap)
        let proxy = try measure == .proxy ? ProxyDivergence(exact, labels, sharpness: sharpness) : nil
        return { chain, ranks in
            let taps = try part.settledTaps(layer, chain, ranks: ranks, on: recordings)
            if let output, let downstream = part.downstream {
                return try output.divergence(downstream.outputs(taps, recordings))
            }
            return try proxy?.divergence(taps) ?? Self.featureError(taps, exact)
        }
    }

    private func points(
        _ layer: DecomposableLayer, _ loss: (_ chain: LayerChain, _ ranks: [Int]) throws -> Double
    ) throws -> [SensitivityCurves.Point] {
        let chain = layer.chains[0]
        return try candidates(layer, chain).map { ranks in
            let point = SensitivityCurves.Point(
                ranks: ranks, squaredError: chain.relativeSquaredError(ranks), loss: try loss(chain, ranks))
            guard point.loss.isFinite, point.squaredError.isFinite else {
                throw CompressionFailure.notFinite(what: "the \(measure.rawValue) at ranks \(ranks)")
            }
            return point
        }
    }

    /// Rank 1 and the shares of the ranks that pay, ascending.
    private func candidates(_ layer: DecomposableLayer, _ chain: LayerChain) -> [[Int]] {
        let useful = chain.parameterCost.largestRanks(below: layer.denseParameterCount, bounds: chain.maxRanks)
        let high = useful ?? chain.maxRanks
        var ranks: [[Int]] = []
        for share in [0] + shares {
            var next = high.map { max(1, min($0, Int((Double($0) * share).rounded()))) }
            next = chain.factorization.lowered(next)
            if ranks.last != next { ranks.append(next) }
        }
        return ranks
    }

    private static func featureError(_ changed: [Tensor], _ exact: [Tensor]) throws -> Double {
        var (difference, energy) = (0.0, 0.0)
        for (a, b) in zip(changed, exact) {
            let (apart, norm) = try (a.subtracting(b).norm(), b.norm())
            difference += apart * apart
            energy += norm * norm
        }
        // Where both are 0 nothing is lost; what is no number stays so.
        return energy == 0 && difference == 0 ? 0 : difference / energy
    }
}
