import Basics
import Compression
import Decomposition
import Execution
import Graphs
import Tensors
import Testing

@Suite(.serialized) struct RankCurveTests {
    private static let shared = Result { try DecomposedModel(CompressionSamples.resNet()) }
    let model: DecomposedModel
    let images: [Tensor]
    let labels: [[Int]]

    init() throws {
        model = try Self.shared.get()
        var random = RandomSource(seed: 4)
        images = try [20, 12].map { try Tensor.normal([$0, 3, 16, 16], using: &random) }
        labels = images.map { batch in (0..<batch.shape[0]).map { $0 % 10 } }
    }

    private func curves(_ measure: RankCurves.Measure) throws -> RankCurves {
        var meter = RankCurveMeter()
        meter.measure = measure
        return try meter.measure(model, images: images, labels: labels)
    }

    @Test(arguments: RankCurves.Measure.allCases) func everyLayerHasACurve(_ measure: RankCurves.Measure) throws {
        let curves = try curves(measure)
        #expect(curves.layers.map(\.name) == model.layers.dropLast().map(\.name) && curves.imageCount == 32)
        for (name, points) in curves.layers {
            #expect(points.count >= 5 && points.allSatisfy { $0.loss >= 0 && $0.loss.isFinite }, "\(name)")
            #expect(zip(points, points.dropFirst()).allSatisfy { $0.squaredError > $1.squaredError }, "\(name)")
        }
    }

    @Test(arguments: [RankCurves.Measure.features, .proxy]) func moreRankLosesLess(_ measure: RankCurves.Measure) throws {
        for (name, points) in try curves(measure).layers {
            let (first, last) = try (#require(points.first), #require(points.last))
            #expect(first.loss > last.loss, "\(name)")
        }
    }

    /// The layer alone, cut out of the model and with its statistics re-estimated there, does what it does inside.
    @Test func aLayerAloneIsAsInsideTheModel() throws {
        let name = "stage2.block1.conv2"
        let layer = try #require(model.layers.first { $0.name == name })
        let point = try #require(curves(.features).layers.first { $0.name == name }?.points[2])
        let plan = try Planner(policy: .uniform).plan(model, budget: nil, ranks: [name: point.ranks], name: "test")
        var changed = try Compressor.compress(model, plan: plan)
        var estimator = StatisticsEstimator(changed)
        for batch in images { try estimator.add([batch]) }
        // Of the re-estimated statistics only those behind the layer: the others stay as they were.
        for parameter in changed.parameters.names where parameter.hasPrefix("stage2.block1.bn2") {
            changed.parameters.update(parameter, try #require(estimator.estimated[parameter]).tensor)
        }
        var (difference, energy) = (0.0, 0.0)
        for batch in images {
            let exact = try InferenceEngine(model.graph.computing([layer.layer.tap])).run([batch])[0]
            let got = try InferenceEngine(changed.computing([layer.layer.tap])).run([batch])[0]
            let (apart, norm) = try (got.subtracting(exact).norm(), exact.norm())
            difference += apart * apart
            energy += norm * norm
        }
        // The estimator inside the model sees inputs of batch statistics, the part alone those of running ones.
        #expect(abs(difference / energy - point.loss) < 0.1 * point.loss)
    }

    @Test func imagesAndLabelsMustFit() throws {
        let meter = RankCurveMeter()
        func code(_ images: [Tensor], _ labels: [[Int]]) -> String? {
            #expect(throws: CompressionFailure.self) { try meter.measure(model, images: images, labels: labels) }?.code
        }
        #expect(code([], []) == "compression.noImages")
        #expect(code(images, [labels[0]]) == "compression.labelCount")
        #expect(code(images, [labels[0], [1]]) == "compression.labelCount")
    }

    @Test func curvesDecideWhoGetsRanks() throws {
        func plan(_ factor: Double) throws -> Plan {
            var planner = try #require(CompressionSamples.planners(model, scores: CompressionSamples.scores([])).first { $0.policy == .features })
            planner.curves?.layers[6].points[0].loss *= factor
            return try planner.plan(model, budget: CompressionSamples.budget(.parameters, 0.3, model))
        }
        #expect(try plan(10).rows[6].relativeError < plan(0.1).rows[6].relativeError)
        var planner = Planner(policy: .features)
        let budget = try CompressionSamples.budget(.parameters, 0.3, model)
        #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: budget) }
        planner.curves = RankCurves(measure: .proxy, layers: [], imageCount: 0, elapsedSeconds: 0)
        #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: budget) }
        planner.curves = RankCurves(measure: .features, layers: [("conv1", [.init(ranks: [], squaredError: 1, loss: 1)])], imageCount: 0, elapsedSeconds: 0)
        let failure = #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: budget) }
        #expect(failure?.description.contains("stage1.block1.conv1") == true)
    }
}
