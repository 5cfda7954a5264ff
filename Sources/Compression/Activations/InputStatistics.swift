import Basics
import Execution
public import Graphs
import Operations
public import Tensors

/// The second moments of what each layer's results are made of, G = E[x xᵀ] over the patches of its input.
///
/// With them weights are decomposed in a metric where errors are those of the layer's output (`InputGram`).
public struct InputStatistics: Sendable {
    /// Of each layer, Σ x xᵀ [C · Kh · Kw, C · Kh · Kw] in the order of its weight, or [I, I] of a linear layer; [C, C] over
    /// channels alone where patches are wider than `widestPatch`.
    let sums: [String: Tensor]

    /// Im2col with more elements count their positions as uncorrelated, which leaves a matrix over the channels: the
    /// moments of wider ones take seconds a layer, and gigabytes in a large model.
    static let widestPatch = 2048
    /// Layers with more channels or inputs have no moments: a matrix of that order would take a minute and more to take apart.
    static let mostInputs = 4096

    /// How many images moments are taken of where nobody says otherwise.
    public static let imageCount = 512

    /// From calibration images, in one inference pass. `LWIQScorer.collectsMoments` takes them from the pass of the scores.
    /// - Throws: `noImages`, `notFiniteImages`, `noContent`; `notFinite` for a layer whose input is not; failures of execution.
    /// - Complexity: O(N·P·Q·w²) a layer for patches of w elements.
    public init(_ graph: Graph, images: [Tensor]) throws {
        try ImageCheck.check(images)
        var collector = try MomentCollector(graph, imageLimit: images.reduce(0) { $0 + $1.shape[0] })
        let engine = collector.values.isEmpty ? nil : InferenceEngine(try graph.computing(collector.values))
        for batch in images { try collector.add(engine?.run([batch]) ?? [], images: batch) }
        self = try collector.moments()
        for (layer, sum) in sums.sorted(by: { $0.key < $1.key }) {
            try located(graph.name + " › " + layer) {
                if try !sum.isFinite() { throw CompressionFailure.notFinite(what: "what goes into the layer") }
            }
        }
    }

    init(sums: [String: Tensor]) { self.sums = sums }
}
