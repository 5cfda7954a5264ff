import Autograd
import Basics
import Execution
import Graphs
import Operations
import Tensors
import Testing
import Training

/// Everything together: graph, tape, loss and optimiser.
@Suite(.serialized) struct LearningTests {
    /// Convolution, batch norm and residual around a pooling, with some 700 parameters.
    private func tinyNet() throws -> Graph {
        var b = GraphBuilder(name: "tiny", seed: 2)
        let same = ConvolutionGeometry(stride: 1, padding: 1)
        let x = b.input("images", [1, 6, 6])
        let stem = try b.apply("relu1", ReLU(), b.batchNorm("bn1", b.convolution("conv1", x, channels: 8, kernel: [3, 3], geometry: same)))
        let conv = try b.batchNorm("bn2", b.convolution("conv2", stem, channels: 8, kernel: [3, 3], geometry: same))
        let sum = try b.apply("relu2", ReLU(), b.apply("add", Add(), conv, stem))
        let flat = try b.apply("flat", Flatten(), b.apply("pool", Pool2D(.init(kind: .max, window: [2, 2])), sum))
        let logits = try b.linear("fc", flat, features: 3)
        return try b.finish(outputs: [logits])
    }

    /// One step of training; gives the loss.
    private func step(
        _ graph: inout Graph, _ executor: TapeExecutor, _ optimizer: inout any Optimizer, _ images: Tensor, _ labels: Tensor
    ) throws -> Double {
        let tape = Tape()
        let result = try executor.forward([images], parameters: graph.parameters, on: tape, isTraining: true)
        let loss = try tape.apply(CrossEntropy(), [result.outputs[0], tape.variable(labels)])[0]
        let gradients = try tape.gradients(of: loss)
        let named = result.parameters.compactMapValues { gradients[$0] }
        try optimizer.step(&graph.parameters, gradients: named)
        let names = Dictionary(uniqueKeysWithValues: result.parameters.map { ($0.value.identifier, $0.key) })
        for update in tape.stateUpdates {
            if let name = names[update.variable.identifier] { graph.parameters.update(name, update.value) }
        }
        return try loss.tensor.scalar()
    }

    @Test(arguments: ["sgd", "adam"]) func aTinyNetLearnsATinyBatchByHeart(_ name: String) throws {
        var graph = try tinyNet()
        var optimizer: any Optimizer =
            name == "sgd"
            ? try StochasticGradientDescent(learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4, isNesterov: true)
            : try Adam(learningRate: 0.01)
        var random = RandomSource(seed: 8)
        let images = try Tensor.normal([12, 1, 6, 6], using: &random)
        let classes = (0..<12).map { Int64($0 % 3) }
        let labels = try Tensor(classes)
        let executor = TapeExecutor(graph)
        let first = try step(&graph, executor, &optimizer, images, labels)
        var last = first
        for _ in 0..<40 { last = try step(&graph, executor, &optimizer, images, labels) }
        #expect(first > 0.8, "chance is ln 3")
        #expect(last < 0.05, "\(name): \(first) → \(last)")
        // In inference, with the running statistics that training left behind.
        let logits = try InferenceEngine(graph).run([images])[0]
        #expect(try logits.argmax().array(of: Int64.self) == classes)
    }

    @Test func oneSeedGivesOneRun() throws {
        func run() throws -> [Float] {
            var graph = try tinyNet()
            var optimizer: any Optimizer = try StochasticGradientDescent(learningRate: 0.05, momentum: 0.9)
            var random = RandomSource(seed: 8)
            let images = try Tensor.normal([5, 1, 6, 6], using: &random)
            let labels = try Tensor([Int64]([0, 1, 2, 0, 1]))
            let executor = TapeExecutor(graph)
            for _ in 0..<3 { _ = try step(&graph, executor, &optimizer, images, labels) }
            return try graph.parameters.names.flatMap { try graph.parameters[$0]?.tensor.array(of: Float.self) ?? [] }
        }
        #expect(try run() == run())
    }
}
