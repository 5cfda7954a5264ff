import Autograd
import Basics
import Execution
import Graphs
import Operations
import Tensors
import Training

/// A training and an evaluation through the Swift library.
enum NetworkTraining {
    static func run(steps: Int) throws -> Digits {
        var graph = try network()
        var optimizer: any Optimizer = try StochasticGradientDescent(
            learningRate: 0.02, momentum: 0.9, weightDecay: 1e-4, isNesterov: true)
        var random = RandomSource(seed: 8)
        let images = try Tensor.normal([24, 1, 12, 12], using: &random)
        let labels = try Tensor((0..<24).map { Int64($0 % 3) })
        let executor = TapeExecutor(graph)
        var digits: Digits = []
        for _ in 0..<steps {
            digits.append(try step(&graph, executor, &optimizer, images, labels).bitPattern)
        }
        let logits = try InferenceEngine(graph).run([images])[0]
        return digits + (try logits.array(of: Float.self).map { UInt64($0.bitPattern) })
    }

    private static func network() throws -> Graph {
        var b = GraphBuilder(name: "tiny", seed: 2)
        let same = ConvolutionGeometry(stride: 1, padding: 1)
        let x = b.input("images", [1, 12, 12])
        let first = try b.convolution("conv1", x, channels: 16, kernel: [3, 3], geometry: same)
        let stem = try b.apply("relu1", ReLU(), b.batchNorm("bn1", first))
        let second = try b.convolution("conv2", stem, channels: 16, kernel: [3, 3], geometry: same)
        let sum = try b.apply("relu2", ReLU(), b.apply("add", Add(), b.batchNorm("bn2", second), stem))
        let flat = try b.apply("flat", Flatten(), b.apply("pool", Pool2D(.init(kind: .max, window: [2, 2])), sum))
        // Apart: whether the builder is read before or after the layer comes into it is the compiler's choice else.
        let logits = try b.linear("fc", flat, features: 3)
        return try b.finish(outputs: [logits])
    }

    private static func step(
        _ graph: inout Graph, _ executor: TapeExecutor, _ optimizer: inout any Optimizer, _ images: Tensor, _ labels: Tensor
    ) throws -> Double {
        let tape = Tape()
        let result = try executor.forward([images], parameters: graph.parameters, on: tape, isTraining: true)
        let loss = try tape.apply(CrossEntropy(), [result.outputs[0], tape.variable(labels)])[0]
        let gradients = try tape.gradients(of: loss)
        try optimizer.step(&graph.parameters, gradients: result.parameters.compactMapValues { gradients[$0] })
        let names = Dictionary(uniqueKeysWithValues: result.parameters.map { ($0.value.identifier, $0.key) })
        for update in tape.stateUpdates {
            if let name = names[update.variable.identifier] { graph.parameters.update(name, update.value) }
        }
        return try loss.tensor.scalar()
    }
}
