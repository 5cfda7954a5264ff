import Basics
import Compression
import Graphs
import Operations
import Tensors
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct ModelQualityTests {
    private func labelled(_ hits: String, divergence: Double) -> ModelQuality {
        var quality = ModelQuality(imageCount: hits.count)
        (quality.hits, quality.divergence) = (hits.map { $0 == "1" }, divergence)
        return quality
    }

    /// Nine images won and one lost are more than 2√10 apart, two and one are not.
    @Test func accuracyDecidesBeyondItsStandardErrorAndDivergenceWithin() {
        let (better, worse) = (labelled("1111111110", divergence: 9), labelled("0000000001", divergence: 1))
        #expect(better.isBetter(than: worse) && !worse.isBetter(than: better))
        let (near, far) = (labelled("1101", divergence: 0.1), labelled("0011", divergence: 0.2))
        #expect(near.isBetter(than: far) && !far.isBetter(than: near))
        #expect(labelled("0011", divergence: 0.1).isBetter(than: labelled("1101", divergence: 0.2)))
    }

    /// What was allowed to diverge by 0.3 is worse beyond that only, and where its accuracy falls.
    @Test func aMarginAllowsDivergenceButNoLossOfAccuracy() {
        let (before, margin) = (labelled("11111", divergence: 0.1), labelled("11000", divergence: 0.3))
        #expect(before.isBetter(than: labelled("11110", divergence: 0.2)))
        #expect(!before.isBetter(than: labelled("11110", divergence: 0.2), upTo: margin))
        #expect(before.isBetter(than: labelled("11110", divergence: 0.4), upTo: margin))
        #expect(before.isBetter(than: labelled("00000", divergence: 0.2), upTo: margin))
        #expect(before.isBetter(than: labelled("11111", divergence: .nan), upTo: margin))
        // Without labels there is nothing but the divergence.
        var (one, other) = (before, labelled("11111", divergence: 0.2))
        (one.hits, other.hits) = (nil, nil)
        #expect(one.isBetter(than: other, upTo: margin))
    }

    @Test func equalsAndNotANumbersAreNotBetter() {
        let one = labelled("10", divergence: 0.5)
        #expect(!one.isBetter(than: one))
        let none = labelled("10", divergence: .nan)
        #expect(one.isBetter(than: none) && !none.isBetter(than: one) && !none.isBetter(than: none))
    }

    /// A network of one linear layer with these weights, and a softmax behind it or not.
    private func linear(_ weights: [Float], classes: Int, softmax: Bool = false) throws -> Graph {
        var b = GraphBuilder(name: "linear", seed: 1)
        var y = try b.linear("fc", b.input("x", [2]), features: classes)
        if softmax { y = try b.apply("softmax", Softmax(), y) }
        var graph = try b.finish(outputs: [y])
        graph.parameters.update("fc.weight", try Tensor(weights, shape: [classes, 2]))
        graph.parameters.update("fc.bias", try .zeros([classes]))
        return graph
    }

    private func rows() throws -> [Tensor] { [try Tensor([1, 0, 0, 1, 2, 1, 1, 3] as [Float], shape: [4, 2])] }

    /// Rows (2, 0), (0, 2), (4, 2), (2, 6) against (1, 0), (0, 1), (2, 1), (1, 3): the same classes, and of two logits d apart
    /// KL = p·log(p/q) + (1 − p)·log((1 − p)/(1 − q)) with p = σ(2d), q = σ(d).
    @Test func divergenceOfLogitsAndOfProbabilitiesAreTheSame() throws {
        let expected =
            [1.0, 1, 1, 2].map { d -> Double in
                let (p, q) = (1 / (1 + exp(-2 * d)), 1 / (1 + exp(-d)))
                return p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))
            }.reduce(0, +) / 4
        for softmax in [false, true] {
            let dense = try linear([2, 0, 0, 2], classes: 2, softmax: softmax)
            let judge = try QualityJudge(dense: dense, images: rows(), labels: [[0, 1, 1, 1]])
            let quality = try judge.quality(of: linear([1, 0, 0, 1], classes: 2, softmax: softmax))
            #expect(try abs(#require(quality.divergence) - expected) < 1e-5, "softmax \(softmax)")
            #expect(quality.agreement == 1 && quality.accuracy == 0.75 && quality.likeness == nil)
        }
    }

    /// A single number has no class: what is alike of 2x against x is a half of it.
    @Test func resultsWithoutClassesAreComparedByTheirNorms() throws {
        let dense = try linear([2, 2], classes: 1)
        let judge = try QualityJudge(dense: dense, images: rows(), labels: nil)
        let quality = try judge.quality(of: linear([1, 1], classes: 1))
        #expect(try abs(#require(quality.likeness) - 0.5) < 1e-6)
        #expect(quality.divergence == nil && quality.accuracy == nil)
        #expect(try judge.quality(of: dense).likeness == 1 && judge.quality(of: dense).isBetter(than: quality))
        #expect(throws: CompressionFailure.self) {
            try QualityJudge(dense: dense, images: rows(), labels: [[0, 0, 0, 0]]).quality(of: dense)
        }
    }

    /// Without a dense model the labels' cross-entropy stands for the divergence: log 2 for equal logits.
    @Test func labelsAloneAreEnough() throws {
        let judge = try QualityJudge(dense: nil, images: rows(), labels: [[0, 1, 0, 1]])
        let quality = try judge.quality(of: linear([0, 0, 0, 0], classes: 2))
        #expect(try abs(#require(quality.divergence) - log(2)) < 1e-6)
        #expect(quality.agreement == nil && quality.accuracy == 0.5)
        #expect(throws: CompressionFailure.self) { try QualityJudge(dense: nil, images: rows(), labels: nil) }
        #expect(throws: CompressionFailure.self) { try QualityJudge(dense: nil, images: rows(), labels: [[0]]) }
    }
}
