import Basics
import Compression
import Execution
import Graphs
import Operations
import Tensors
import Testing

/// Steps are kept by a measured quality, and batch norms are matched to the dense model's.
@Suite(.serialized) struct RepairPipelineTests {
    private func images(_ counts: [Int], _ shape: [Int] = [3, 16, 16], seed: UInt64) throws -> [Tensor] {
        var random = RandomSource(seed: seed)
        return try counts.map { try .normal(Shape([$0] + shape), using: &random) }
    }

    private func run(
        _ graph: Graph, _ dense: Graph, _ images: [Tensor], _ judge: QualityJudge, _ change: (inout RepairPipeline) -> Void = { _ in }
    ) throws -> (graph: Graph, outcomes: [StepOutcome]) {
        var pipeline = RepairPipeline()
        change(&pipeline)
        return try pipeline.run(graph, towards: dense, images: images, judge: judge)
    }

    /// Where nothing was cut, images unlike any that the model was trained on change no bit.
    @Test func anUncutModelStaysAsItIsOnStrangeImages() throws {
        let dense = try CompressionSamples.resNet()
        let strange = try images([20, 20], seed: 4).map { try $0.multiplying(0.01).adding(30) }
        let (graph, outcomes) = try run(dense, dense, strange, QualityJudge(dense: dense, images: strange, labels: nil))
        #expect(try CompressionSamples.bits(graph) == CompressionSamples.bits(dense))
        #expect(outcomes.map(\.step) == [.refit, .repair, .reestimate] && outcomes.allSatisfy { !$0.isKept })
        let last = try #require(outcomes.last)
        #expect(last.layerCount == dense.nodes.count { $0.operation is BatchNorm } && last.after?.divergence == 0)
    }

    /// The statistics of the images themselves would have changed the same model a lot.
    @Test func theImagesOwnStatisticsWouldHaveHarmed() throws {
        let dense = try CompressionSamples.resNet()
        let strange = try images([20, 20], seed: 4).map { try $0.multiplying(0.01).adding(30) }
        var estimator = try BatchNormRecalibration(dense)
        for batch in strange { try estimator.add([batch]) }
        var own = dense
        own.parameters = estimator.estimated
        let judge = try QualityJudge(dense: dense, images: images([40], seed: 6), labels: nil)
        #expect(try judge.quality(of: own).divergence ?? 0 > 0.01)
    }

    @Test func whatHelpsIsKeptAndMeasuredOnOtherImages() throws {
        let dense = try CompressionSamples.resNet()
        let small = try CompressionSamples.cut(dense, share: 0.3)
        let judge = try QualityJudge(dense: dense, images: images([40], seed: 6), labels: nil)
        let (graph, outcomes) = try run(small, dense, images([64, 64], seed: 4), judge)
        let refit = try #require(outcomes.first)
        #expect(refit.isKept && refit.layerCount > 3 && refit.before.imageCount == 40)
        let (before, after) = try (judge.quality(of: small), judge.quality(of: graph))
        #expect(try #require(after.divergence) < 0.7 * #require(before.divergence))
        #expect(try abs(#require(after.divergence) - #require(outcomes.last?.quality.divergence)) < 1e-9)
        #expect(after.isBetter(than: before) && !before.isBetter(than: after))
    }

    /// Two images and no ridge: the fit is perfect on them and bad on all others.
    @Test func aStepThatHarmsIsNotKept() throws {
        let dense = try CompressionSamples.resNet()
        let small = try CompressionSamples.cut(dense, share: 0.8)
        let judge = try QualityJudge(dense: dense, images: images([40], seed: 6), labels: nil)
        let few = try images([2], seed: 4).map { try $0.multiplying(0.05).adding(4) }
        let (graph, outcomes) = try run(small, dense, few, judge) {
            $0.steps = [.refit]; $0.ridge = 0
        }
        let refit = try #require(outcomes.first)
        #expect(outcomes.count == 1 && !refit.isKept && refit.layerCount > 0)
        #expect(try #require(refit.after?.divergence) > #require(refit.before.divergence))
        #expect(try CompressionSamples.bits(graph) == CompressionSamples.bits(small))
        #expect(refit.quality.divergence == refit.before.divergence)
    }

    /// Statistics are not scaled up again behind a fit that was kept.
    @Test func fittedLayersAreNotRepaired() throws {
        let dense = try CompressionSamples.mixed()
        let small = try CompressionSamples.cut(dense, share: 0.4)
        let batches = try images([80], [6, 15, 13], seed: 4)
        let judge = try QualityJudge(dense: dense, images: images([40], [6, 15, 13], seed: 6), labels: nil)
        let outcomes = try run(small, dense, batches, judge).outcomes
        let chains = Set(small.nodes.compactMap { $0.origin?.layer })
        #expect(outcomes[0].isKept && outcomes[0].layerCount + outcomes[1].layerCount <= chains.count)
        #expect(outcomes[2].layerCount == 0 && outcomes[2].after == nil && !outcomes[2].isKept)
        // Without the fit all of them are repaired.
        let repaired = try run(small, dense, batches, judge) { $0.steps = [.repair] }.outcomes
        #expect(repaired.count == 1 && repaired[0].layerCount == chains.count)
    }

    @Test func imagesThatSayNothingAreRefused() throws {
        let dense = try CompressionSamples.resNet()
        let judge = try QualityJudge(dense: dense, images: images([4], seed: 6), labels: nil)
        #expect(throws: CompressionFailure.self) { try run(dense, dense, [.full([4, 3, 16, 16], 1)], judge) }
        #expect(throws: CompressionFailure.self) { try run(dense, dense, [], judge) }
    }
}
