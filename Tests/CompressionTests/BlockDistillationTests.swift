import Basics
import Compression
import Graphs
import Operations
import Tensors
import Testing

/// Blocks are trained to give what the dense model's blocks give.
@Suite(.serialized) struct BlockDistillationTests {
    private static let shape = [3, 16, 16]

    /// Every factor of a chain with noise of this share of its size.
    private func disturbed(_ graph: Graph, by share: Double) throws -> Graph {
        var (result, random) = (graph, RandomSource(seed: 9))
        for node in graph.nodes where node.origin != nil {
            guard let name = node.parameter(at: 1), let weight = graph.parameters[name]?.tensor else { continue }
            let size = try weight.norm() / Double(weight.elementCount).squareRoot()
            result.parameters.update(name, try weight.adding(.normal(weight.shape, using: &random).multiplying(share * size)))
        }
        return result
    }

    private func images(_ counts: [Int] = [48, 16], _ shape: [Int] = shape, seed: UInt64 = 4) throws -> [Tensor] {
        var random = RandomSource(seed: seed)
        return try counts.map { try .normal(Shape([$0] + shape), using: &random) }
    }

    private func distillation(_ steps: Int, _ change: (inout BlockDistillation) -> Void = { _ in }) -> BlockDistillation {
        var result = BlockDistillation(effort: .steps(steps))
        result.batchSize = 16
        change(&result)
        return result
    }

    /// Ranks are full, so that the dense block can be given exactly.
    @Test func aBlockThatCanGiveTheTargetComesCloseToIt() throws {
        let dense = try CompressionSamples.resNet()
        let worse = try disturbed(CompressionSamples.cut(dense, share: 1), by: 0.2)
        let (graph, outcomes) = try distillation(150) { $0.learningRate = 3e-3 }.distill(worse, towards: dense, images: images())
        #expect(outcomes.count >= 3)
        for outcome in outcomes {
            #expect(outcome.isKept && outcome.after < 0.4 * outcome.before && outcome.stepCount == 150, "\(outcome)")
        }
        let judge = try QualityJudge(dense: dense, images: images([40], seed: 6), labels: nil)
        let (before, after) = try (judge.quality(of: worse), judge.quality(of: graph))
        #expect(try #require(after.divergence) < 0.3 * #require(before.divergence))
    }

    @Test func blocksEndWhereEverythingPassesInFrontOfWeights() throws {
        let dense = try CompressionSamples.resNet()
        let small = try CompressionSamples.cut(dense, share: 0.5)
        let chains = Set(small.nodes.compactMap { $0.origin?.layer })
        func blocks(_ count: Int, _ layers: Set<String>? = nil) throws -> [BlockDistillation.Outcome] {
            try distillation(1) {
                $0.layersPerBlock = count
                $0.layers = layers
            }.distill(small, towards: dense, images: images([20])).outcomes
        }
        for count in [1, 2, 3, 100] {
            let found = try blocks(count)
            #expect(found.first?.input == small.inputs.first?.name || !(found.first?.layers.contains("conv1") ?? true))
            #expect(zip(found, found.dropFirst()).allSatisfy { $0.output == $1.input || $1.layers.count >= count })
            #expect(found.flatMap(\.layers).count == chains.count && Set(found.flatMap(\.layers)) == chains)
            #expect(found.allSatisfy { $0.layers.count >= min(count, chains.count) })
        }
        let (whole, pairs) = try (blocks(100), blocks(2))
        #expect(whole.count == 1 && pairs.count >= 3)
        // A residual block is a whole, with its activation.
        let one = try blocks(1, ["stage2.block1.conv2"])
        #expect(one.count == 1 && one[0].layers == ["stage2.block1.conv2"] && one[0].output.hasPrefix("stage2.block1"))
        #expect(small.nodes.first { $0.name == one[0].output }?.operation is ReLU)
    }

    @Test func aModelWithoutChainsIsLeftAlone() throws {
        let dense = try CompressionSamples.resNet()
        let (graph, outcomes) = try distillation(3).distill(dense, towards: dense, images: images())
        #expect(outcomes.isEmpty)
        #expect(try CompressionSamples.bits(graph) == CompressionSamples.bits(dense))
    }

    @Test func whatIsFrozenStays() throws {
        let dense = try CompressionSamples.resNet()
        var small = try CompressionSamples.cut(dense, share: 0.4)
        let frozen = try #require(small.nodes.first { $0.origin?.layer == "stage1.block1.conv1" }?.parameter(at: 1))
        small.parameters[frozen]?.isTrainable = false
        let (graph, outcomes) = try distillation(10).distill(small, towards: dense, images: images())
        let kept = outcomes.filter(\.isKept)
        #expect(!kept.isEmpty)
        var changed: Set<String> = []
        for name in small.parameters.names {
            let (before, after) = try (#require(small.parameters[name]), #require(graph.parameters[name]))
            let isEqual = try before.tensor.array(of: Float.self) == after.tensor.array(of: Float.self)
            if !before.isTrainable { #expect(isEqual, "\(name)") }
            if !isEqual { changed.insert(name) }
        }
        // Factors and normalisations of a kept block are trained.
        #expect(changed.count > 2 * kept.flatMap(\.layers).count)
    }

    /// Two normalisations in different blocks share their shift: neither block may change it for the other.
    @Test func sharedParametersStay() throws {
        let dense = try CompressionSamples.resNet()
        var small = try CompressionSamples.cut(dense, share: 0.4)
        let norms = small.nodes.indices.filter { small.nodes[$0].operation is BatchNorm }
        let shared = try #require(small.nodes[norms[0]].parameter(at: 2))
        // The stem and the first block have as many channels.
        small.nodes[norms[1]].inputs[2] = .parameter(shared)
        small.dropUnusedParameters()
        func value(_ graph: Graph) throws -> [Float]? { try graph.parameters[shared]?.tensor.array(of: Float.self) }
        let apart = try distillation(6) { $0.layersPerBlock = 1 }.distill(small, towards: dense, images: images())
        #expect(apart.outcomes.contains { $0.isKept })
        #expect(try value(apart.graph) == value(small))
        let together = try distillation(6) { $0.layersPerBlock = 100 }.distill(small, towards: dense, images: images())
        #expect(together.outcomes.count == 1)
        let (before, after) = try (value(small), value(together.graph))
        #expect((after != before) == together.outcomes[0].isKept)
    }

    @Test func theSeedDecides() throws {
        let dense = try CompressionSamples.resNet()
        let small = try CompressionSamples.cut(dense, share: 0.4)
        func bits(_ seed: UInt64) throws -> [[UInt32]] {
            try CompressionSamples.bits(distillation(5) { $0.seed = seed }.distill(small, towards: dense, images: images()).graph)
        }
        let (once, again, other) = try (bits(1), bits(1), bits(2))
        #expect(once == again && once != other)
    }

    private final class Stopper: ProgressReporter, @unchecked Sendable {
        func report(label: String, completed: Int, total: Int, note: String) { if completed > total / 2 { Cancellation.request() } }
        func finish(label: String) {}
    }

    @Test func aStopIsHonoured() throws {
        let dense = try CompressionSamples.resNet()
        let small = try CompressionSamples.cut(dense, share: 0.4)
        let before = try CompressionSamples.bits(small)
        ProgressReport.show(with: Stopper())
        defer {
            ProgressReport.show(with: nil)
            Cancellation.clear()
        }
        #expect(throws: Interrupted.self) { try distillation(4).distill(small, towards: dense, images: images()) }
        Cancellation.clear()
        #expect(try CompressionSamples.bits(small) == before)
    }

    /// Steps of such a length burst any number within a few of them.
    @Test func notANumberEndsABlockWithTheLastGoodValues() throws {
        let dense = try CompressionSamples.resNet()
        let small = try CompressionSamples.cut(dense, share: 0.4)
        let (graph, outcomes) = try distillation(50) { $0.learningRate = 1e37 }.distill(small, towards: dense, images: images())
        #expect(!outcomes.isEmpty && outcomes.allSatisfy { $0.stepCount < 50 && $0.before.isFinite })
        #expect(try CompressionSamples.values(graph).allSatisfy(\.isFinite))
        for outcome in outcomes where !outcome.isKept { #expect(!(outcome.after < outcome.before)) }
    }

    @Test func optionsOutOfRangeAreRefused() throws {
        let dense = try CompressionSamples.resNet()
        var wrong = [BlockDistillation(effort: .seconds(0)), .init(effort: .seconds(.infinity)), .init(effort: .steps(0))]
        wrong += [distillation(1) { $0.layersPerBlock = 0 }, distillation(1) { $0.batchSize = 0 }, distillation(1) { $0.learningRate = .nan }]
        for distillation in wrong {
            let failure = #expect(throws: CompressionFailure.self) { try distillation.distill(dense, towards: dense, images: images()) }
            #expect(failure?.code == "compression.invalidOption")
        }
        #expect(throws: CompressionFailure.self) { try distillation(1).distill(dense, towards: dense, images: []) }
    }

    /// In the pipeline it is tried only where it is said how, and what it trained is not repaired.
    @Test func thePipelineTriesItBehindTheFit() throws {
        let dense = try CompressionSamples.resNet()
        let small = try CompressionSamples.cut(dense, share: 0.3)
        let judge = try QualityJudge(dense: dense, images: images([40], seed: 6), labels: nil)
        var pipeline = RepairPipeline()
        pipeline.distillation = distillation(40)
        pipeline.distillationImages = try images([64, 64], seed: 8)
        let (graph, outcomes) = try pipeline.run(small, towards: dense, images: images(), judge: judge)
        #expect(outcomes.map(\.step) == [.refit, .distill, .repair, .reestimate])
        let distilled = outcomes[1]
        #expect(distilled.layerCount > 3 && distilled.isKept)
        #expect(try #require(distilled.after?.divergence) < #require(distilled.before.divergence))
        #expect(try judge.quality(of: graph).divergence == outcomes.last?.quality.divergence)
        #expect(outcomes[2].layerCount == 0 || !outcomes[0].isKept)
    }
}
