import Autograd
import Execution
import Formats
import Graphs
import Operations
import Tensors
import Testing
import Training

/// A small net's forward pass, gradients and steps against PyTorch's; `Fixtures/make_small_net.py` made them.
@Suite(.serialized) struct GoldenTrainingTests {
    /// Both compute in float32; batch norm over a few dozen values magnifies the rounding before it.
    static let forwardTolerance = 1e-5
    static let gradientTolerance = 1e-4
    /// conv1.bias has gradient 0 but for rounding, since batch norm takes a bias away: compared absolutely.
    static let cancelled = ["conv1.bias"]
    static let cancelledTolerance = 1e-6

    let file: SafetensorsFile

    init() throws {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        file = try SafetensorsFile(path: "/\(tests)/Fixtures/small_net.safetensors")
    }

    private func golden(_ key: String) throws -> Tensor { try #require(file[key], "\(key)") }

    private func net(state prefix: String = "initial") throws -> Graph {
        var b = GraphBuilder(name: "small", seed: 1)
        let x = b.input("inputs", [3, 9, 11])
        var y = try b.convolution("conv1", x, channels: 8, kernel: [3, 3], geometry: .init(stride: 2, padding: 1), hasBias: true)
        y = try b.apply("relu1", ReLU(), b.batchNorm("bn1", y))
        y = try b.convolution("conv2", y, channels: 8, kernel: [3, 3], geometry: .init(stride: 1, padding: 1, groups: 8))
        y = try b.apply("relu2", ReLU(), b.batchNorm("bn2", y))
        y = try b.apply("pool", Pool2D(.init(kind: .max, window: [2, 2])), y)
        y = try b.convolution("conv3", y, channels: 6, kernel: [1, 1], geometry: .init(stride: 1, padding: 0, groups: 2), hasBias: true)
        y = try b.apply("flat", Flatten(), b.apply("mean", GlobalAveragePool2D(), y))
        y = try b.linear("fc", y, features: 4)
        var graph = try b.finish(outputs: [y])
        for name in graph.parameters.names {
            let value = try golden("\(prefix)/\(name)")
            try #require(value.shape == graph.parameters[name]?.tensor.shape, "\(name)")
            graph.parameters.update(name, value)
        }
        return graph
    }

    struct Pass {
        let logits: Tensor
        let loss: Double
        let gradients: [String: Tensor]
        let statistics: [String: Tensor]
    }

    private func pass(_ graph: Graph) throws -> Pass {
        let tape = Tape()
        let result = try TapeExecutor(graph).forward([golden("inputs")], parameters: graph.parameters, on: tape, isTraining: true)
        let loss = try tape.apply(CrossEntropy(smoothing: 0.1), [result.outputs[0], tape.variable(golden("labels"))])[0]
        let names = Dictionary(uniqueKeysWithValues: result.parameters.map { ($0.value.identifier, $0.key) })
        let statistics = tape.stateUpdates.compactMap { update in names[update.variable.identifier].map { ($0, update.value) } }
        let gradients = try tape.gradients(of: loss)
        return Pass(
            logits: result.outputs[0].tensor, loss: try loss.tensor.scalar(),
            gradients: result.parameters.compactMapValues { gradients[$0] },
            statistics: Dictionary(uniqueKeysWithValues: statistics))
    }

    private func step(_ graph: inout Graph, _ optimizer: inout some Optimizer) throws {
        let pass = try pass(graph)
        try optimizer.step(&graph.parameters, gradients: pass.gradients)
        for (name, value) in pass.statistics { graph.parameters.update(name, value) }
    }

    private func difference(_ a: Tensor, _ b: Tensor) throws -> Double {
        try a.contiguous().subtracting(b).norm() / (b.norm() + 1e-9)
    }

    private func expect(_ graph: Graph, equals prefix: String, leavingOut: [String] = []) throws {
        for name in graph.parameters.names where !leavingOut.contains(name) {
            let got = try #require(graph.parameters[name]).tensor
            #expect(try difference(got, golden("\(prefix)/\(name)")) < Self.gradientTolerance, "\(prefix)/\(name)")
        }
    }

    @Test func forwardPassAndGradients() throws {
        let pass = try pass(net())
        #expect(try difference(pass.logits, golden("logits")) < Self.forwardTolerance)
        #expect(abs(pass.loss - (try golden("loss").scalar())) < Self.forwardTolerance)
        #expect(pass.gradients.count == 11)
        for (name, gradient) in pass.gradients {
            let expected = try golden("gradients/\(name)")
            if Self.cancelled.contains(name) {
                #expect(try gradient.subtracting(expected).norm() < Self.cancelledTolerance, "\(name)")
            } else {
                #expect(try difference(gradient, expected) < Self.gradientTolerance, "\(name)")
            }
        }
    }

    @Test func stepsOfSGD() throws {
        var graph = try net()
        var optimizer = try StochasticGradientDescent(learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4)
        try step(&graph, &optimizer)
        try expect(graph, equals: "sgd1")
        let logits = try InferenceEngine(graph).run([golden("inputs")])[0]
        #expect(try difference(logits, golden("eval_logits")) < Self.gradientTolerance)
        #expect(abs(try pass(graph).loss - golden("sgd2/loss").scalar()) < Self.gradientTolerance)
        try step(&graph, &optimizer)
        try expect(graph, equals: "sgd2")
        for (name, tensor) in optimizer.state where name != "momentum/conv1.bias" {
            #expect(try difference(tensor, golden(name)) < Self.gradientTolerance, "\(name)")
        }
        #expect(optimizer.state.count == 11)
    }

    @Test func stepsOfAdam() throws {
        var graph = try net()
        var optimizer = try Adam(learningRate: 1e-3)
        try step(&graph, &optimizer)
        // Adam divides the rounding noise of a gradient that is 0 by its own size: such a bias may go anywhere.
        try expect(graph, equals: "adam1", leavingOut: Self.cancelled)
        try step(&graph, &optimizer)
        // The mean that batch norm sees, and so takes away, holds that bias.
        try expect(graph, equals: "adam2", leavingOut: Self.cancelled + ["bn1.running_mean"])
    }

    /// Inference from a state that PyTorch reached, read through its own file.
    @Test func evaluationFromPyTorchsState() throws {
        let logits = try InferenceEngine(net(state: "sgd1")).run([golden("inputs")])[0]
        #expect(try difference(logits, golden("eval_logits")) < Self.gradientTolerance)
    }
}
