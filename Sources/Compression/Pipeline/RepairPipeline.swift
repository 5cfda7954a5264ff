import Basics
import Execution
public import Graphs
import Operations
public import Tensors

/// Tries one repair after another on a compressed model, and keeps of each what a judge finds better, so that no step can make
/// the result worse.
///
/// The steps are tried in the order of `RepairStep.allCases`, each on what the ones before it left.
public struct RepairPipeline {
    /// The steps that may be tried.
    public var steps: Set<RepairStep> = Set(RepairStep.allCases)
    /// Names of the layers whose chains are refitted and repaired; all where `nil`. Batch normalisation is re-estimated everywhere,
    /// because what one layer loses moves the statistics of all that follow.
    public var layers: Set<String>?
    /// λ of the least squares, as a share of the mean variance of what goes into the factor.
    public var ridge = 1e-4
    /// How blocks are trained; they are not where `nil`. Its layers are those of the pipeline.
    public var distillation: BlockDistillation?
    /// Batches that blocks are trained on in place of the images that all else is fitted to, since training can do with more.
    public var distillationImages: [Tensor]?

    public init() {}

    /// - Parameters:
    ///   - graph: compressed; its chains keep the names of the layers of `dense`.
    ///   - dense: the model that it was made of.
    ///   - images: batches as the model takes them, [N, …], to fit to; at least two images.
    ///   - judge: measures on images that should be others than these.
    /// - Returns: the model with what was kept, and what came of every step that was allowed.
    /// - Throws: `noImages`, `notFiniteImages`, `noContent`; `notFinite` for a layer whose results are not; `invalidOption` for
    ///   a layer that no chain stands for; `invalidRanks` where `dense` is another model.
    /// - Complexity: that of the steps, and a pass over the judge's images for each of them.
    public func run(
        _ graph: Graph, towards dense: Graph, images: [Tensor], judge: QualityJudge
    ) throws -> (graph: Graph, outcomes: [StepOutcome]) {
        try ImageCheck.check(images)
        var (best, quality, outcomes) = (graph, try judge.quality(of: graph), [StepOutcome]())
        // Layers whose fit or training was kept.
        var fitted: Set<String> = []
        for step in RepairStep.allCases where steps.contains(step) && (step != .distill || distillation != nil) {
            try Cancellation.check()
            let start = ContinuousClock.now
            let (changed, touched) = try tried(step, on: best, towards: dense, images, without: fitted)
            let after = touched.isEmpty ? nil : try judge.quality(of: changed)
            let isKept = after?.isBetter(than: quality) ?? false
            outcomes.append(
                StepOutcome(
                    step: step, layerCount: touched.count, before: quality, after: after, isKept: isKept,
                    elapsedSeconds: start.duration(to: .now) / .seconds(1)))
            guard isKept, let after else { continue }
            (best, quality) = (changed, after)
            if step == .refit || step == .distill { fitted.formUnion(touched) }
        }
        return (best, outcomes)
    }

    /// The changed model, and the names of the layers or normalisations that were changed.
    private func tried(
        _ step: RepairStep, on graph: Graph, towards dense: Graph, _ images: [Tensor], without fitted: Set<String>
    ) throws -> (graph: Graph, layers: [String]) {
        let chains = Set(graph.nodes.compactMap { $0.origin?.layer })
        switch step {
        case .refit:
            guard !chains.isEmpty else { return (graph, []) }
            return try LeastSquaresReconstruction.repair(graph, towards: dense, images: images, ridge: ridge, layers: layers)
        case .distill:
            guard var distillation, !chains.isEmpty else { return (graph, []) }
            distillation.layers = layers
            let (changed, outcomes) = try distillation.distill(graph, towards: dense, images: distillationImages ?? images)
            return (changed, outcomes.filter(\.isKept).flatMap(\.layers))
        case .repair:
            let left = (layers ?? chains).subtracting(fitted)
            guard !chains.isDisjoint(with: left) else { return (graph, []) }
            return try ChannelStatisticsMatching.repair(graph, towards: dense, images: images, layers: left)
        case .reestimate:
            let norms = graph.nodes.filter { $0.operation is BatchNorm }.map(\.name)
            guard !norms.isEmpty else { return (graph, []) }
            return (try Self.reestimated(graph, towards: dense, images), norms)
        }
    }

    /// The model with the statistics of `dense`, moved by what was changed.
    private static func reestimated(_ graph: Graph, towards dense: Graph, _ images: [Tensor]) throws -> Graph {
        var (own, wanted) = (try BatchNormRecalibration(graph), try BatchNormRecalibration(dense))
        var progress = ProgressReport("re-estimating BN", total: images.count)
        for batch in images {
            try Cancellation.check()
            try own.add([batch])
            try wanted.add([batch])
            try progress.advance(by: 1)
        }
        var moved = graph
        moved.parameters = try own.matched(to: wanted)
        return moved
    }
}
