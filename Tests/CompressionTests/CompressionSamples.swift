import Basics
import Compression
import Decomposition
import Execution
import Graphs
import Operations
import Tensors

extension FormatChoice {
    /// Convolutions in one grouping, and the low-rank pair of a linear layer.
    init(_ grouping: ConvolutionGrouping) { self.init([grouping.rawValue, "I|O"]) }
}

extension DecomposableLayer {
    /// Of the first format, which is a train.
    var decomposition: LayerDecomposition? { (factorization as? TrainFactorization)?.decomposition }
}

/// Models, data and plans for tests of compression.
enum CompressionSamples {
    /// A ResNet-8 with statistics of some data in its batch norms.
    static func resNet(imageShape: Shape = [3, 16, 16], classes: Int = 10) throws -> Graph {
        var graph = try CIFARResNet(depth: 8, imageShape: imageShape, classCount: classes).build(seed: 3)
        var random = RandomSource(seed: 5)
        var estimator = try BatchNormRecalibration(graph)
        try estimator.add([.normal(Shape([8] + imageShape.dims), using: &random)])
        graph.parameters = estimator.estimated
        return graph
    }

    /// Convolutions of all geometries with biases, a grouped one, and a hidden linear layer.
    static func mixed() throws -> Graph {
        var b = GraphBuilder(name: "mixed", seed: 7)
        let x = b.input("images", [6, 15, 13])
        var y = try b.convolution("strided", x, channels: 12, kernel: [3, 3], geometry: .init(stride: 2, padding: 1), hasBias: true)
        y = try b.apply("relu1", ReLU(), y)
        y = try b.convolution("uneven", y, channels: 10, kernel: [3, 2], geometry: .init(stride: [1, 2], padding: [0, 1, 2, 0]), hasBias: true)
        y = try b.convolution("dilated", y, channels: 8, kernel: [3, 3], geometry: .init(padding: [2, 2, 2, 2], dilation: [2, 2]))
        y = try b.convolution("grouped", y, channels: 8, kernel: [3, 3], geometry: .init(stride: 1, padding: 1, groups: 2))
        y = try b.convolution("point", y, channels: 12, kernel: [1, 1], geometry: .init(), hasBias: true)
        y = try b.apply("flat", Flatten(), b.apply("small", AdaptiveAveragePool2D(rows: 2, columns: 2), y))
        y = try b.apply("relu2", ReLU(), b.linear("hidden", y, features: 20))
        y = try b.linear("fc", y, features: 5)
        return try b.finish(outputs: [y])
    }

    /// One way for each layer: the trains of three cores of convolutions, and the low-rank pair of a linear layer.
    static let trains = FormatChoice(.tensorTrain)
    /// The trains of every grouping.
    static let groupings = FormatChoice(ConvolutionGrouping.allCases.map(\.rawValue) + ["I|O"])

    /// Scores as a scorer would give them.
    static func scores(_ significances: [(layer: String, value: Double)]) -> LayerScores {
        LayerScores(
            rows: significances.map {
                LayerScore(layer: $0.layer, parent: nil, accuracy: 0.5, standardError: 0.1, gain: $0.value, significance: $0.value)
            }, head: .imprint, imprintCount: 10, holdoutCount: 10, classCount: 2, elapsedSeconds: 0)
    }

    /// Scores of all layers of a model, 1 where nothing else is said.
    static func scores(of model: DecomposedModel, _ significances: [String: Double] = [:]) -> LayerScores {
        scores(model.layers.map { ($0.name, significances[$0.name] ?? 1) })
    }

    /// A planner of every policy; losses of layers alone are as their energies, times 1, 2, 3, ….
    static func planners(_ model: DecomposedModel, scores: LayerScores) -> [Planner] {
        Policy.allCases.map { policy in
            var planner = Planner(policy: policy, scores: scores)
            planner.curves = SensitivityCurves.Measure(rawValue: policy.name).map { measure in
                let layers = model.layers.enumerated().map { index, layer in
                    (layer.name, [SensitivityCurves.Point(ranks: [], squaredError: 0.5, loss: 0.1 * Double(index + 1))])
                }
                return SensitivityCurves(measure: measure, layers: layers, imageCount: 1, elapsedSeconds: 0)
            }
            return planner
        }
    }

    static func bits(_ graph: Graph) throws -> [[UInt32]] {
        try graph.parameters.names.map { try graph.parameters[$0]?.tensor.array(of: Float.self).map(\.bitPattern) ?? [] }
    }

    /// All elements of all parameters, one after another.
    static func values(_ graph: Graph) throws -> [Float] {
        try graph.parameters.names.flatMap { try graph.parameters[$0]?.tensor.array(of: Float.self) ?? [] }
    }

    static func difference(_ a: Tensor, _ b: Tensor) throws -> Double {
        guard a.shape == b.shape else { return .infinity }
        return try a.subtracting(b).norm() / (b.norm() + 1e-12)
    }

    /// Compressed layers with this share of their largest ranks.
    static func cut(_ graph: Graph, share: Double) throws -> Graph {
        let model = try DecomposedModel(graph)
        var ranks: [String: [Int]] = [:]
        for layer in model.layers where layer.decomposition != nil {
            ranks[layer.name] = layer.maxRanks.map { max(1, Int(Double($0) * share)) }
        }
        return try Compressor.compress(model, plan: Planner(policy: .uniform).plan(model, budget: nil, ranks: ranks, name: "test"))
    }

    /// The budget of one quantity.
    static func budget(_ quantity: Budget.Quantity, _ amount: Double, _ model: DecomposedModel) throws -> Budget {
        try Budget([(quantity, amount)], dense: model.cost)
    }
}
