import Autograd
import Basics
import Execution
import Graphs
import Operations
import Tensors

/// Graphs and comparisons for tests of execution.
enum ExecutionSamples {
    /// A ResNet whose running statistics are those of some data, so that folding them changes something.
    static func trainedLikeResNet(depth: Int = 8, imageShape: Shape = [1, 28, 28]) throws -> Graph {
        var graph = try CIFARResNet(depth: depth, imageShape: imageShape).build(seed: 3)
        var random = RandomSource(seed: 5)
        var estimator = try BatchNormRecalibration(graph)
        try estimator.add([.normal(Shape([8] + imageShape.dims), using: &random)])
        graph.parameters = estimator.estimated
        return graph
    }

    static func images(_ shape: Shape, seed: UInt64 = 1) throws -> Tensor {
        var random = RandomSource(seed: seed)
        return try .normal(shape, using: &random)
    }

    /// A net with everything that compilation treats in its own way: a value read by a residual and again later,
    /// pooling of all kinds, grouped and depthwise convolutions, broadcasts, two outputs.
    static func zoo() throws -> Graph {
        var b = GraphBuilder(name: "zoo", seed: 9)
        let same = ConvolutionGeometry(stride: 1, padding: 1)
        let x = b.input("images", [6, 12, 10])
        let stem = try b.apply("stem.relu", ReLU(), b.batchNorm("stem.bn", b.convolution("stem", x, channels: 17, kernel: [3, 3], geometry: same)))
        let depthwise = try b.convolution("depthwise", stem, channels: 17, kernel: [3, 3], geometry: .init(stride: 1, padding: 1, groups: 17))
        let point = try b.convolution("point", depthwise, channels: 17, kernel: [1, 1], geometry: .init(), hasBias: true)
        let residual = try b.apply("residual", Add(), point, stem)
        let activated = try b.apply("activated", ReLU(), residual)
        let later = try b.apply("later", Add(), activated, stem)  // stem again, after it was a residual
        let pooled = try b.apply("max", Pool2D(.init(kind: .max, window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1])), later)
        let grouped = try b.convolution("grouped", pooled, channels: 34, kernel: [3, 3], geometry: .init(stride: 2, padding: 1, groups: 17))
        let mean = try b.apply("mean", Pool2D(.init(kind: .averageWithPadding, window: [2, 2], stride: [1, 1], padding: [1, 0, 0, 1])), grouped)
        let self2 = try b.apply("twice", Add(), mean, mean)
        let scale = try b.apply("context", GlobalAveragePool2D(), self2)
        let shifted = try b.apply("shifted", Add(), self2, scale)
        let flat = try b.apply("flat", Flatten(), b.apply("small", AdaptiveAveragePool2D(rows: 2, columns: 1), shifted))
        let logits = try b.linear("fc", flat, features: 5)
        return try b.finish(outputs: [logits, pooled])
    }

    static func onTape(_ graph: Graph, _ inputs: [Tensor], taps: Set<String> = []) throws -> TapeExecutor.Result {
        try TapeExecutor(graph, taps: taps).forward(inputs, parameters: graph.parameters, on: Tape(), isTraining: false)
    }
}

/// ‖a − b‖ / ‖b‖; infinite for other shapes.
func relativeDifference(_ a: Tensor, _ b: Tensor) throws -> Double {
    guard a.shape == b.shape else { return .infinity }
    return try a.copy().subtracting(b.copy()).norm() / (b.norm() + 1e-9)
}
