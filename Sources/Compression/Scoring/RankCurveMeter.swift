import Basics
import Decomposition
import Execution
public import Graphs
public import Tensors

/// Measures what each layer alone loses when it is replaced by its chain at a few ranks, statistics re-estimated.
///
/// Only the layer itself is computed again, on inputs recorded once, except for `sensitivity`, which runs the whole
/// model for every layer and rank: the slow reference that the others are cheap stand-ins for.
public struct RankCurveMeter {
    public var measure: RankCurves.Measure = .features
    /// Shares of the ranks that pay at which a layer is measured; rank 1 comes before them.
    public var shares = [0.1, 0.25, 0.5, 0.75, 1.0]
    /// What cosines are multiplied by before the softmax of `proxy`.
    public var sharpness = 20.0

    public init() {}

    /// - Parameters:
    ///   - images: batches [N, …] of calibration images; all are kept while measuring.
    ///   - labels: one per image; `features` does not read them.
    /// - Throws: `noImages`, `labelCount`, `Interrupted`; failures of decomposition and execution.
    /// - Complexity: per layer, half a pass over the images to record its inputs, and per rank one pass of the layer
    ///   itself with its statistics re-estimated.
    public func measure(_ model: DecomposedModel, images: [Tensor], labels: [[Int]]) throws -> RankCurves {
        let start = ContinuousClock.now
        let count = images.reduce(0) { $0 + ($1.shape.dims.first ?? 0) }
        guard count > 0 else { throw CompressionFailure.noImages(part: "calibration") }
        guard images.count == labels.count, zip(images, labels).allSatisfy({ $0.shape.dims.first == $1.count }) else {
            throw CompressionFailure.labelCount(labels: labels.reduce(0) { $0 + $1.count }, images: count)
        }
        let layers = model.layers.filter { !$0.chains.isEmpty }
        var progress = Progress("measuring \(measure.rawValue) of \(model.graph.name)", total: layers.count)
        let dense = measure == .sensitivity ? try accuracy(of: model.graph, images, labels) : 0
        var rows: [(name: String, points: [RankCurves.Point])] = []
        for layer in layers {
            let points = try located(model.graph.name + " › " + layer.name) {
                measure == .sensitivity
                    ? try sensitivity(layer, model.graph, images, labels, dense: dense)
                    : try local(layer, model.graph, images, labels)
            }
            rows.append((layer.name, points))
            try progress.advance()
        }
        let elapsed = start.duration(to: .now).components
        return RankCurves(
            measure: measure, layers: rows, imageCount: count,
            elapsedSeconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    }

    /// Rank 1 and the shares of the ranks that pay, ascending.
    private func candidates(_ layer: DecomposableLayer, _ chain: LayerChain) -> [[Int]] {
        let useful = chain.parameterCost.largestRanks(below: layer.denseParameterCount, bounds: chain.maxRanks)
        let high = useful ?? chain.maxRanks
        var ranks: [[Int]] = []
        for share in [0] + shares {
            var next = high.map { max(1, min($0, Int((Double($0) * share).rounded()))) }
            chain.lowerToNeighbours(&next)
            if ranks.last != next { ranks.append(next) }
        }
        return ranks
    }

    private func point(_ chain: LayerChain, _ ranks: [Int], loss: Double) -> RankCurves.Point {
        .init(ranks: ranks, squaredError: chain.decomposition.relativeSquaredError(ranks: ranks), loss: loss)
    }

    // MARK: The layer alone

    private func local(
        _ layer: DecomposableLayer, _ graph: Graph, _ images: [Tensor], _ labels: [[Int]]
    ) throws -> [RankCurves.Point] {
        let part = try LayerNeighbourhood(layer.layer, in: graph)
        let recorded = try part.recorded(graph, images)
        let (inputs, taps) = (recorded.map(\.inputs), recorded.map(\.tap))
        let judge = try measure == .proxy ? ProxyJudge(taps, labels, sharpness: sharpness) : nil
        let chain = layer.chains[0]
        return try candidates(layer, chain).map { ranks in
            let changed = try part.taps(layer, chain, ranks: ranks, on: inputs)
            return point(chain, ranks, loss: try judge?.divergence(changed) ?? Self.featureError(changed, taps))
        }
    }

    private static func featureError(_ changed: [Tensor], _ exact: [Tensor]) throws -> Double {
        var (difference, energy) = (0.0, 0.0)
        for (a, b) in zip(changed, exact) {
            let (apart, norm) = try (a.subtracting(b).norm(), b.norm())
            difference += apart * apart
            energy += norm * norm
        }
        return energy > 0 ? difference / energy : 0
    }

    // MARK: The whole model

    private func sensitivity(
        _ layer: DecomposableLayer, _ graph: Graph, _ images: [Tensor], _ labels: [[Int]], dense: Double
    ) throws -> [RankCurves.Point] {
        let chain = layer.chains[0]
        return try candidates(layer, chain).map { ranks in
            let replaced = try Compressor.replacing(layer, by: chain, ranks: ranks, in: graph)
            let settled = try LayerNeighbourhood.reestimated(replaced, on: images.map { [$0] })
            return point(chain, ranks, loss: max(0, dense - (try accuracy(of: settled, images, labels))))
        }
    }

    private func accuracy(of graph: Graph, _ images: [Tensor], _ labels: [[Int]]) throws -> Double {
        let engine = InferenceEngine(graph)
        var (correct, count) = (0, 0)
        for (batch, truth) in zip(images, labels) {
            let chosen = try engine.run([batch])[0].argmax().array(of: Int64.self)
            correct += zip(chosen, truth).count { Int($0) == $1 }
            count += truth.count
        }
        return Double(correct) / Double(count)
    }
}
