import Basics
import Compression
import Decomposition
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct SensitivityTests {
    private static let shared = Result { try DecomposedModel(CompressionSamples.resNet(), formats: CompressionSamples.trains) }
    let model: DecomposedModel
    let images: [Tensor]
    let labels: [[Int]]

    init() throws {
        model = try Self.shared.get()
        var random = RandomSource(seed: 4)
        images = try [20, 12].map { try Tensor.normal([$0, 3, 16, 16], using: &random) }
        labels = images.map { batch in (0..<batch.shape[0]).map { $0 % 10 } }
    }

    private func curves(_ measure: SensitivityCurves.Measure) throws -> SensitivityCurves {
        var meter = SensitivityAnalysis()
        meter.measure = measure
        return try meter.measure(model, images: images, labels: labels)
    }

    @Test(arguments: SensitivityCurves.Measure.allCases) func everyLayerHasACurve(_ measure: SensitivityCurves.Measure) throws {
        let curves = try curves(measure)
        #expect(curves.layers.map(\.name) == model.layers.dropLast().map(\.name) && curves.imageCount == 32)
        for (name, points) in curves.layers {
            #expect(points.count >= 5 && points.allSatisfy { $0.loss >= 0 && $0.loss.isFinite }, "\(name)")
            #expect(zip(points, points.dropFirst()).allSatisfy { $0.squaredError > $1.squaredError }, "\(name)")
        }
    }

    @Test(arguments: [SensitivityCurves.Measure.features, .proxy]) func moreRankLosesLess(_ measure: SensitivityCurves.Measure) throws {
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
        var estimator = try BatchNormRecalibration(changed)
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

    /// Without statistics to estimate, running only what follows a layer gives what the whole compressed model gives, also
    /// where a shortcut passes the layer by and where nothing follows it.
    @Test func outputsAreThoseOfTheWholeModel() throws {
        var b = GraphBuilder(name: "shortcut", seed: 9)
        let x = b.input("images", [3, 16, 16])
        let first = try b.apply("relu1", ReLU(), b.convolution("first", x, channels: 12, kernel: [3, 3], geometry: .init(stride: 1, padding: 1)))
        var y = try b.apply("relu2", ReLU(), b.convolution("second", first, channels: 12, kernel: [3, 3], geometry: .init(stride: 1, padding: 1)))
        y = try b.convolution("third", y, channels: 12, kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        y = try b.apply("relu3", ReLU(), b.apply("add", Add(), y, first))
        y = try b.apply("flat", Flatten(), b.apply("pool", AdaptiveAveragePool2D(rows: 2, columns: 2), y))
        y = try b.linear("fc", y, features: 10)
        let shortcut = try DecomposedModel(b.finish(outputs: [y]), formats: CompressionSamples.trains, includesClassifier: true)
        var meter = SensitivityAnalysis()
        meter.measure = .output
        let curves = try meter.measure(shortcut, images: images, labels: labels)
        #expect(curves.layers.map(\.name) == ["first", "second", "third", "fc"])
        let exact = try images.map { try InferenceEngine(shortcut.graph).run([$0])[0].logSoftmax() }
        for (name, points) in curves.layers {
            for point in points {
                let plan = try Planner(policy: .uniform).plan(shortcut, budget: nil, ranks: [name: point.ranks], name: "test")
                let engine = InferenceEngine(try Compressor.compress(shortcut, plan: plan))
                var divergence = 0.0
                for (batch, p) in zip(images, exact) {
                    let terms = try p.exponential().multiplying(p.subtracting(engine.run([batch])[0].logSoftmax()))
                    divergence += try terms.array(of: Float.self).reduce(0) { $0 + Double($1) } / 32
                }
                #expect(abs(divergence - point.loss) < 1e-4 * divergence + 1e-6, "\(name) \(point.ranks)")
            }
        }
    }

    @Test func imagesAndLabelsMustFit() throws {
        let meter = SensitivityAnalysis()
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
        planner.curves = SensitivityCurves(measure: .proxy, layers: [], imageCount: 0, elapsedSeconds: 0)
        #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: budget) }
        planner.curves = SensitivityCurves(
            measure: .features, layers: [("conv1", [.init(ranks: [], squaredError: 1, loss: 1)])], imageCount: 0, elapsedSeconds: 0)
        let failure = #expect(throws: CompressionFailure.self) { try planner.plan(model, budget: budget) }
        #expect(failure?.description.contains("stage1.block1.conv1") == true)
    }

    /// A model that gives no numbers has not lost nothing.
    @Test(arguments: SensitivityCurves.Measure.allCases) func aModelWithoutNumbersHasNoCurves(_ measure: SensitivityCurves.Measure) throws {
        var broken = model.graph
        // Of a layer that is not decomposed, and before all others.
        let norm = try #require(broken.nodes.first { $0.operation is BatchNorm }.flatMap { NormParameters($0)?.shift })
        var shift = try #require(broken.parameters[norm]).tensor.array(of: Float.self)
        shift[0] = .infinity
        broken.parameters.update(norm, try Tensor(shift))
        var meter = SensitivityAnalysis()
        meter.measure = measure
        let decomposed = try DecomposedModel(broken, formats: CompressionSamples.trains)
        let failure = #expect(throws: (any Error).self) { try meter.measure(decomposed, images: images, labels: labels) }
        let code = (failure as? LocatedFailure)?.code ?? (failure as? CompressionFailure)?.code ?? "\(String(describing: failure))"
        #expect(["compression.notFinite", "execution.notFiniteStatistics"].contains(code))
    }

    @Test func imagesWithoutNumbersAreRefused() throws {
        var odd = images
        var values = try odd[1].array(of: Float.self)
        values[3 * 16 * 16 * 5 + 7] = .nan
        odd[1] = try Tensor(values, shape: odd[1].shape)
        let failure = #expect(throws: CompressionFailure.self) { try SensitivityAnalysis().measure(model, images: odd, labels: labels) }
        #expect(failure?.description.contains("image 26 ") == true)
        #expect(#expect(throws: CompressionFailure.self) { try InputStatistics(model.graph, images: odd) }?.code == "compression.notFiniteImages")
    }
}
