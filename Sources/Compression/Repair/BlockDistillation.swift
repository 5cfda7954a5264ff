import Basics
import Execution
public import Graphs
public import Tensors

/// Trains a compressed model block by block, without labels, so that each block gives what the dense model's block gives.
///
/// A block lies between two values that everything passes through, such as a residual block with its shortcut or two layers in a
/// row. It is trained on what the blocks before it give, as they are by then, so that it also mends what those lose; what it is to
/// give is the dense model's value. The loss is the mean squared error, where channels count by how much the dense model's results
/// depend on them (`ResultGradients`). All trainable parameters of a block are trained, by Adam with a rate that falls along a
/// cosine; a parameter that is frozen, or that nodes outside of the block read too, stays, and so do the statistics of batch
/// normalisations, with which they normalise here as they do when the model is used. One image of eight is held out, and a block
/// stays as it was unless its error on these fell.
/// - Reference: Sinha, Fleuret, *AA-SVD: Anchored and Adaptive SVD for Large Language Model Compression*, 2026, arXiv:2604.02119
///   (blocks are refined towards the original model on what the compressed model gives them); Li et al., *BRECQ: Pushing the Limit
///   of Post-Training Quantization by Block Reconstruction*, ICLR 2021, arXiv:2102.05426.
public struct BlockDistillation: Sendable {
    /// How long is trained.
    public enum Effort: Sendable, Equatable {
        /// Seconds for all blocks together, recording included, which may take a quarter of them: fewer images are used where all
        /// would take longer. Blocks get them by their multiply-accumulates, so that each takes about as many steps. What comes of
        /// it depends on the speed of the machine.
        case seconds(Double)
        /// Steps for each block.
        case steps(Int)
    }

    /// What came of one block.
    public struct Outcome: Sendable {
        /// Names of the values that go into the block and that come out of it.
        public let input: String
        public let output: String
        /// Names of the compressed layers in it.
        public let layers: [String]
        /// The error on the images held out, weighed by what it does to the dense model's results (`ChannelError`).
        public let before: Double
        public let after: Double
        public let stepCount: Int
        /// Whether the trained block is the better one, and was kept.
        public let isKept: Bool
    }

    public var effort: Effort
    /// Blocks that stand next to each other are joined until each has so many compressed layers; at least 1.
    public var layersPerBlock = 2
    /// The largest step of a weight, about; above 0.
    public var learningRate = 1e-3
    /// Images a step; at least 1.
    public var batchSize = 32
    /// Which images are held out and in which order the others come. The same seed and steps give the same model.
    public var seed: UInt64 = 1
    /// Names of compressed layers: blocks without any of these are left alone. All count where `nil`.
    public var layers: Set<String>?

    public init(effort: Effort) { self.effort = effort }

    /// - Parameters:
    ///   - graph: compressed; its chains keep the names of the layers of `dense`.
    ///   - dense: the model that it was made of.
    ///   - images: batches as the model takes them, [N, …].
    /// - Returns: the model with the trained blocks, and what came of each block. A model without compressed layers, or with none
    ///   between two values that both models have and that everything passes through, has no blocks.
    /// - Throws: `noImages`, `notFiniteImages`, `noContent`; `invalidOption` for options out of range; `notFinite` for a block whose
    ///   inputs or wanted results are not; `Interrupted`; failures of the operations.
    /// - Complexity: a pass of both models over the images, and the training. The values that go into a block and that come out of
    ///   it are held for all images.
    public func distill(
        _ graph: Graph, towards dense: Graph, images: [Tensor]
    ) throws -> (graph: Graph, outcomes: [Outcome]) {
        let start = ContinuousClock.now
        try checkOptions()
        try ImageCheck.check(images)
        let blocks = try DistillationBlock.blocks(of: graph, like: dense, layerCount: layersPerBlock, wanted: layers)
        var (distilled, outcomes) = (graph, [Outcome]())
        guard !blocks.isEmpty else { return (graph, []) }
        var recording = BlockRecording(graph, dense, try affordable(images, dense))
        var progress = ProgressReport("distilling \(graph.name)", total: blocks.count * Self.ticksPerBlock)
        for (position, block) in blocks.enumerated() {
            let part = try part(block, of: distilled)
            guard !part.parameters.trainableNames.isEmpty else { continue }
            try located(graph.name + " › " + block.output) {
                let (inputs, wanted) = try recording.advance(to: block, of: distilled)
                var (random, told) = (RandomSource(seed: seed).stream(UInt64(position)), 0)
                let some = try wanted.sliced(dim: 0, from: 0, to: min(wanted.shape[0], ResultGradients.imageCount)).contiguous()
                let gradients = try ResultGradients.gradients(of: dense, at: block.output, known: some, using: &random)
                let training = BlockTraining(
                    part: part, inputs: inputs, wanted: wanted, measure: try ChannelError(towards: wanted, gradients: gradients),
                    batchSize: batchSize, learningRate: learningRate)
                let clock = TrainingClock(effort, from: start, share: Self.share(of: position, among: blocks))
                let result = try training.train(using: &random) { steps, error in
                    let done = clock.progress(steps: steps)
                    let ticks = Int(done * Double(Self.ticksPerBlock))
                    try progress.advance(
                        by: ticks - told, note: "block \(position + 1) of \(blocks.count), error \(DecimalText.fixed(error, 4))")
                    told = ticks
                    return done
                }
                for name in part.parameters.trainableNames {
                    if let tensor = result.parameters[name]?.tensor { distilled.parameters.update(name, tensor) }
                }
                try progress.advance(by: Self.ticksPerBlock - told)
                outcomes.append(
                    Outcome(
                        input: block.input, output: block.output, layers: block.layers, before: result.before, after: result.after,
                        stepCount: result.stepCount, isKept: result.isKept))
            }
        }
        return (distilled, outcomes)
    }

    private static let ticksPerBlock = 100
    /// The share of the time that recording may take.
    private static let recordedShare = 0.25

    /// The batches that both models can be run on in the time that recording may take; at least one.
    private func affordable(_ images: [Tensor], _ dense: Graph) throws -> [Tensor] {
        guard case .seconds(let seconds) = effort else { return images }
        let engine = InferenceEngine(dense)
        // The first run compiles.
        _ = try engine.run([images[0]])
        let start = ContinuousClock.now
        _ = try engine.run([images[0]])
        let took = 2 * (start.duration(to: .now) / .seconds(1))
        let count = min(Double(images.count), seconds * Self.recordedShare / max(took, 1e-9))
        guard count < Double(images.count) else { return images }
        // From everywhere, since images may be in the order of their classes.
        let kept = max(1, Int(count))
        return (0..<kept).map { images[$0 * images.count / kept] }
    }

    /// What the block takes of the work of it and all that follow.
    private static func share(of position: Int, among blocks: [DistillationBlock]) -> Double {
        let rest = blocks[position...].reduce(0.0) { $0 + Double($1.macCount) }
        return rest > 0 ? Double(blocks[position].macCount) / rest : 1 / Double(blocks.count - position)
    }

    /// The block as a graph of its own, in which parameters that others read too are frozen.
    private func part(_ block: DistillationBlock, of graph: Graph) throws -> Graph {
        let sample = try ShapeInference.shapes(of: graph, batch: 1)[block.input]?.sample ?? []
        var part = try graph.computing([block.output], from: [block.input: sample])
        let inside = Set(part.nodes.map(\.name))
        for name in graph.nodes.filter({ !inside.contains($0.name) }).flatMap(\.parameterInputs) {
            part.parameters[name]?.isTrainable = false
        }
        return part
    }

    private func checkOptions() throws {
        func check(_ isValid: Bool, _ name: String, _ detail: String) throws {
            if !isValid { throw CompressionFailure.invalidOption(name: name, detail: detail) }
        }
        switch effort {
        case .seconds(let seconds): try check(seconds > 0 && seconds.isFinite, "seconds", "must be above 0, got \(seconds)")
        case .steps(let steps): try check(steps >= 1, "steps", "must be at least 1, got \(steps)")
        }
        try check(layersPerBlock >= 1, "layersPerBlock", "must be at least 1, got \(layersPerBlock)")
        try check(batchSize >= 1, "batchSize", "must be at least 1, got \(batchSize)")
        try check(learningRate > 0 && learningRate.isFinite, "learningRate", "must be above 0, got \(learningRate)")
    }
}

/// How far the training of one block has come.
private struct TrainingClock {
    private let effort: BlockDistillation.Effort
    private let start = ContinuousClock.now
    /// Seconds that the block has.
    private var allowed = 0.0

    /// - Parameter share: of what is left of the time since `begin`.
    init(_ effort: BlockDistillation.Effort, from begin: ContinuousClock.Instant, share: Double) {
        self.effort = effort
        if case .seconds(let seconds) = effort { allowed = max(0, seconds - begin.duration(to: start) / .seconds(1)) * share }
    }

    /// From 0 to 1.
    func progress(steps: Int) -> Double {
        switch effort {
        case .seconds: allowed > 0 ? min(1, start.duration(to: .now) / .seconds(1) / allowed) : 1
        case .steps(let total): Double(steps) / Double(total)
        }
    }
}

/// What goes into the blocks and what is to come out of them, computed from block to block.
private struct BlockRecording {
    private let dense: Graph
    private var reached: ActivationCache
    private var reachedDense: ActivationCache

    init(_ graph: Graph, _ dense: Graph, _ images: [Tensor]) {
        self.dense = dense
        (reached, reachedDense) = (ActivationCache(graph, images: images), ActivationCache(dense, images: images))
    }

    /// All images in one tensor each.
    /// - Throws: `notFinite`.
    mutating func advance(to block: DistillationBlock, of graph: Graph) throws -> (inputs: Tensor, wanted: Tensor) {
        // An input of the graph is made by no node.
        try reached.advance(to: (graph.index(ofNode: block.input) ?? -1) + 1, of: graph)
        try reachedDense.advance(to: (dense.index(ofNode: block.output) ?? -1) + 1, of: dense)
        let inputs = try reached.values([block.input], of: graph).map { $0[0] }
        let wanted = try reachedDense.values([block.output], of: dense).map { $0[0] }
        let whole = try (Tensor.concatenated(inputs, dim: 0), Tensor.concatenated(wanted, dim: 0))
        guard try whole.0.isFinite() else { throw CompressionFailure.notFinite(what: "what goes into the block") }
        guard try whole.1.isFinite() else { throw CompressionFailure.notFinite(what: "what the dense model's block gives") }
        return whole
    }
}
