import Basics
import Compression
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct LWIQScorerTests {
    /// `count` images of `classes` clearly different patterns with a little noise, class after class, in batches of 7.
    private func source(
        count: Int, classes: Int, shape: Shape, seed: UInt64, leavingOut: Set<Int> = [], label: @escaping (Int) -> Int = { $0 }
    ) throws -> LWIQScorer.BatchSource {
        var patternRandom = RandomSource(seed: 77)
        let patterns = try (0..<classes).map { _ in try Tensor.normal(shape, using: &patternRandom) }
        var random = RandomSource(seed: seed)
        var left = (0..<count).map { $0 % classes }.filter { !leavingOut.contains($0) }
        return {
            let batch = left.prefix(7)
            guard !batch.isEmpty else { return nil }
            left.removeFirst(batch.count)
            let rows = try batch.map { c in
                try patterns[c].adding(Tensor.normal(shape, deviation: 0.02, using: &random)).reshaped(Shape([1] + shape.dims))
            }
            return (try Tensor.concatenated(rows, dim: 0), batch.map(label))
        }
    }

    private let shape: Shape = [3, 16, 16]

    private func score(
        _ graph: Graph, _ scorer: LWIQScorer = .init(), classes: Int = 4, imprint: LWIQScorer.BatchSource? = nil,
        holdout: LWIQScorer.BatchSource? = nil
    ) throws -> LayerScores {
        try scorer.score(
            graph, imprint: imprint ?? source(count: 40, classes: classes, shape: shape, seed: 1),
            holdout: holdout ?? source(count: 27, classes: classes, shape: shape, seed: 2), classCount: classes, imageCount: 67)
    }

    @Test(arguments: ProxyHead.allCases) func separableClassesAreAllRecognised(_ head: ProxyHead) throws {
        let graph = try CompressionSamples.resNet(classes: 4)
        var scorer = LWIQScorer()
        scorer.head = head
        let scores = try score(graph, scorer)
        #expect(scores.rows.map(\.accuracy) == [Double](repeating: 1, count: 7), "\(head)")
        #expect(scores.rows.map(\.gain) == [0.75, 0, 0, 0, 0, 0, 0])
        #expect(scores.imprintCount == 40 && scores.holdoutCount == 27 && scores.classCount == 4 && scores.head == head)
        let layers = try WeightedLayers.layers(of: graph).filter { !$0.isClassifier }
        #expect(scores.rows.map(\.layer) == layers.map(\.name) && scores.rows.map(\.parent) == layers.map(\.parent))
    }

    /// Bfloat16 changes embeddings in the third digit, which separable classes do not notice.
    @Test(.enabled(if: (try? Precision.bfloat16.checkProcessor()) != nil)) func halfPrecisionScoresAlike() throws {
        let graph = try CompressionSamples.resNet(classes: 4)
        var scorer = LWIQScorer()
        (scorer.precision, scorer.keepsEmbeddings) = (.bfloat16, true)
        let half = try score(graph, scorer)
        scorer.precision = .float32
        let full = try score(graph, scorer)
        #expect(half.rows.map(\.accuracy) == full.rows.map(\.accuracy))
        // The first layer, which reads float32 images, may be the same.
        let differences = try full.embeddings.map { layer, embeddings in
            try #require(half.embeddings[layer]).subtracting(embeddings).norm() / embeddings.norm()
        }
        #expect(differences.allSatisfy { $0 < 2e-2 } && differences.contains { $0 > 1e-5 }, "\(differences)")
    }

    /// Labels that say nothing: accuracy counts right answers, not answers.
    @Test func wrongLabelsAreCountedAsWrong() throws {
        let graph = try CompressionSamples.resNet(classes: 4)
        let shifted = try source(count: 27, classes: 4, shape: shape, seed: 2) { ($0 + 1) % 4 }
        #expect(try score(graph, holdout: shifted).rows.map(\.accuracy) == [Double](repeating: 0, count: 7))
        let halved = try source(count: 28, classes: 4, shape: shape, seed: 2) { $0 < 2 ? $0 : 0 }
        #expect(try score(graph, holdout: halved).rows.map(\.accuracy) == [Double](repeating: 0.5, count: 7))
    }

    @Test func classesAreCountedApartAndEmbeddingsKept() throws {
        let graph = try CompressionSamples.resNet(classes: 4)
        var scorer = LWIQScorer()
        scorer.keepsEmbeddings = true
        let halved = try source(count: 28, classes: 4, shape: shape, seed: 2) { $0 < 2 ? $0 : 0 }
        let scores = try score(graph, scorer, holdout: halved)
        for row in scores.rows {
            #expect(row.classAccuracies[..<2] == [1.0 / 3, 1] && row.classAccuracies[2...].allSatisfy(\.isNaN), "\(row.layer)")
            let kept = try #require(scores.embeddings[row.layer])
            #expect(kept.shape[0] == 28 && scores.holdoutLabels.count == 28)
        }
        #expect(try score(graph).embeddings.isEmpty)
    }

    @Test(arguments: [1, 16, 64, 100_000]) func embeddingsOfAnySizeWork(size: Int) throws {
        var scorer = LWIQScorer()
        scorer.embeddingSize = size
        let rows = try score(CompressionSamples.resNet(classes: 4), scorer).rows
        #expect(rows.count == 7 && rows.allSatisfy { (0...1).contains($0.accuracy) })
        if size > 16 { #expect(rows.allSatisfy { $0.accuracy == 1 }) }
    }

    @Test func layersOfVectorsAreScoredToo() throws {
        let scores = try LWIQScorer().score(
            CompressionSamples.mixed(), imprint: source(count: 20, classes: 2, shape: [6, 15, 13], seed: 1),
            holdout: source(count: 20, classes: 2, shape: [6, 15, 13], seed: 2), classCount: 2, imageCount: 40)
        #expect(scores.rows.map(\.layer) == ["strided", "uneven", "dilated", "grouped", "point", "hidden"])
        #expect(scores.rows.allSatisfy { $0.accuracy == 1 })
    }

    @Test func missingClassesAreNamed() throws {
        let graph = try CompressionSamples.resNet(classes: 4)
        let failure = try #require(
            #expect(throws: CompressionFailure.self) {
                try score(graph, imprint: source(count: 40, classes: 4, shape: shape, seed: 1, leavingOut: [1, 3]))
            })
        #expect(failure.description == "score: the imprint part has no image of class 1, 3; use more images")
        // The holdout part need not have every class.
        _ = try score(graph, holdout: source(count: 40, classes: 4, shape: shape, seed: 1, leavingOut: [1, 3]))
    }

    @Test func wrongLabelsAndEmptyPartsAreErrors() throws {
        let graph = try CompressionSamples.resNet(classes: 4)
        func code(_ body: () throws -> LayerScores) -> String? { #expect(throws: CompressionFailure.self) { try body() }?.code }
        for bad in [-1, 4, .max, .min] {
            let wrong = { try self.source(count: 8, classes: 4, shape: self.shape, seed: 1) { $0 == 2 ? bad : $0 } }
            #expect(code { try score(graph, imprint: wrong()) } == "compression.labelOutOfRange")
            #expect(code { try score(graph, holdout: wrong()) } == "compression.labelOutOfRange")
        }
        let none: LWIQScorer.BatchSource = { nil }
        #expect(code { try score(graph, imprint: none) } == "compression.noImages")
        #expect(code { try score(graph, holdout: none) } == "compression.noImages")
        for labels in [[0], [0, 1, 2]] {
            let uneven: LWIQScorer.BatchSource = { (try Tensor.ones([2, 3, 16, 16]), labels) }
            #expect(code { try score(graph, imprint: uneven) } == "compression.labelCount")
        }
        for classes in [0, -5, .min, .max] {
            #expect(code { try score(graph, classes: classes, imprint: none, holdout: none) } == "compression.invalidOption")
        }
        var scorer = LWIQScorer()
        scorer.embeddingSize = -5
        #expect(code { try score(graph, scorer) } == "compression.invalidOption")
    }

    @Test func aModelOfAClassifierAloneHasNothingToScore() throws {
        var b = GraphBuilder(name: "flat", seed: 1)
        let x = b.input("x", [3])
        let y = try b.linear("fc", x, features: 2)
        let graph = try b.finish(outputs: [y])
        let failure = #expect(throws: CompressionFailure.self) { try score(graph) }
        #expect(failure?.code == "compression.noLayers")
    }

    @Test func aStopIsHonoured() throws {
        let graph = try CompressionSamples.resNet(classes: 4)
        Cancellation.request()
        defer { Cancellation.clear() }
        #expect(throws: Interrupted.self) { try score(graph) }
        Cancellation.clear()
        #expect(try score(graph).rows.count == 7)
    }

    /// Images and activations without numbers are refused, of either part.
    @Test(arguments: [true, false]) func scoresNeedNumbers(_ isImprint: Bool) throws {
        var graph = try CompressionSamples.resNet(classes: 4)
        func odd() throws -> LWIQScorer.BatchSource {
            let next = try source(count: 28, classes: 4, shape: shape, seed: 3)
            return {
                guard let (images, labels) = try next() else { return nil }
                return (try images.multiplying(.nan), labels)
            }
        }
        let failure = #expect(throws: CompressionFailure.self) {
            try isImprint ? score(graph, imprint: odd()) : score(graph, holdout: odd())
        }
        #expect(failure?.code == "compression.notFiniteImages")
        let shift = try #require(graph.nodes.first { $0.operation is BatchNorm }.flatMap { NormParameters($0)?.shift })
        var values = try #require(graph.parameters[shift]).tensor.array(of: Float.self)
        values[0] = .infinity
        graph.parameters.update(shift, try Tensor(values))
        let named = #expect(throws: LocatedFailure.self) { try score(graph) }
        #expect(named?.code == "compression.notFinite" && named?.description.contains(graph.name) == true)
    }

    /// When the moments have their images, nothing is computed for them any more.
    @Test func momentsCostNothingOnceTheyAreFull() throws {
        let graph = try CompressionSamples.resNet(classes: 4)
        let taps = try Set(WeightedLayers.layers(of: graph).filter { !$0.isClassifier }.map(\.tap)).sorted()
        var random = RandomSource(seed: 2)
        let images = try Tensor.normal([5, 3, 16, 16], using: &random)
        var pass = try ScoringPass(graph, taps: taps, embeddingSize: 64, precision: .float32, momentImages: 8)
        var counts: [Int] = []
        var embeddings: [[Float]] = []
        for _ in 0..<3 {
            counts.append(pass.resultCount)
            embeddings.append(try pass.embeddings(of: images).flatMap { try $0.array(of: Float.self) })
        }
        #expect(counts[0] == counts[1] && counts[0] > taps.count && counts[2] == taps.count)
        #expect(embeddings[0] == embeddings[1] && zip(embeddings[0], embeddings[2]).allSatisfy { abs($0 - $1) < 1e-4 })
    }
}
