import Autograd
import Basics
import Execution
import Graphs
import Operations
import Tensors
import Testing

@Suite(.serialized) struct TapeExecutorTests {
    @Test func onlyTrainableParametersGetGradients() throws {
        var graph = try ExecutionSamples.trainedLikeResNet()
        graph.parameters["fc.bias"]?.isTrainable = false
        let tape = Tape()
        let x = try ExecutionSamples.images([3, 1, 28, 28])
        let result = try TapeExecutor(graph).forward([x], parameters: graph.parameters, on: tape, isTraining: true)
        let labels = tape.variable(try Tensor([Int64]([0, 1, 2])))
        let gradients = try tape.gradients(of: tape.apply(CrossEntropy(), [result.outputs[0], labels])[0])
        let withGradient = graph.parameters.names.filter { name in result.parameters[name].flatMap { gradients[$0] } != nil }
        #expect(withGradient == graph.parameters.trainableNames)
        #expect(tape.stateUpdates.count == 14)
    }

    /// Threads split sums, and what that rounds differently goes through all layers; ‖a − b‖ / ‖b‖ of 1e-6 was seen.
    static let threadTolerance = 1e-4

    @Test func threadsDoNotChangeAStep() throws {
        let before = Threads.count
        defer { Threads.count = before }
        let graph = try ExecutionSamples.trainedLikeResNet()
        let x = try ExecutionSamples.images([6, 1, 28, 28])
        func step(threads: Int) throws -> [Tensor] {
            Threads.count = threads
            let tape = Tape()
            let result = try TapeExecutor(graph).forward([x], parameters: graph.parameters, on: tape, isTraining: true)
            let labels = tape.variable(try Tensor([Int64]([0, 1, 2, 3, 4, 5])))
            let loss = try tape.apply(CrossEntropy(), [result.outputs[0], labels])[0]
            let gradients = try tape.gradients(of: loss)
            return try [loss.tensor] + tape.stateUpdates.map(\.value)
                + graph.parameters.trainableNames.map { name in try #require(result.parameters[name].flatMap { gradients[$0] }) }
        }
        let alone = try step(threads: 1)
        for threads in [2, 3] {
            for (shared, expected) in zip(try step(threads: threads), alone) {
                #expect(try relativeDifference(shared, expected) < Self.threadTolerance, "\(threads) threads, \(expected.shape)")
            }
        }
    }

    @Test func parametersComeFromTheTableGiven() throws {
        let graph = try ExecutionSamples.trainedLikeResNet()
        var other = graph.parameters
        other.update("fc.weight", try .zeros([10, 64]))
        other.update("fc.bias", try .full([10], 3))
        let x = try ExecutionSamples.images([2, 1, 28, 28])
        let result = try TapeExecutor(graph).forward([x], parameters: other, on: Tape(), isTraining: false)
        #expect(try result.outputs[0].tensor.array(of: Float.self) == [Float](repeating: 3, count: 20))
        other["fc.bias"] = nil
        let failure = #expect(throws: GraphFailure.self) {
            try TapeExecutor(graph).forward([x], parameters: other, on: Tape(), isTraining: false)
        }
        #expect(failure?.description == "resnet8 › fc: there is no parameter 'fc.bias'")
    }

    /// Gradients through running statistics: the results are those of inference, and no statistics are proposed.
    @Test func gradientsAreRecordedOfInferenceToo() throws {
        let graph = try ExecutionSamples.trainedLikeResNet()
        let x = try ExecutionSamples.images([3, 1, 28, 28])
        let tape = Tape()
        let result = try TapeExecutor(graph).forward([x], parameters: graph.parameters, on: tape, isTraining: false, recordsGradients: true)
        let expected = try ExecutionSamples.onTape(graph, [x]).outputs[0].tensor
        #expect(try relativeDifference(result.outputs[0].tensor, expected) < Self.threadTolerance && tape.stateUpdates.isEmpty)
        let gradients = try tape.gradients(of: result.outputs[0], weightedBy: .ones([3, 10]))
        for name in graph.parameters.trainableNames {
            let variable = try #require(result.parameters[name])
            #expect(try #require(gradients[variable]).norm() > 0, "\(name)")
        }
        let silent = try TapeExecutor(graph).forward([x], parameters: graph.parameters, on: Tape(), isTraining: true, recordsGradients: false)
        #expect(!silent.outputs[0].requiresGradient)
    }

    @Test func failuresCarryTheirPath() throws {
        let graph = try ExecutionSamples.trainedLikeResNet()
        var broken = graph.parameters
        broken.update("stage2.block1.conv2.weight", try .zeros([32, 31, 3, 3]))
        let failure = #expect(throws: LocatedFailure.self) {
            try TapeExecutor(graph).forward([.zeros([2, 1, 28, 28])], parameters: broken, on: Tape(), isTraining: false)
        }
        #expect(failure?.path == ["resnet8 › stage2.block1.conv2 › conv2d"] && failure?.code == "tensor.shapeMismatch")
    }

    @Test func aStopIsHonoured() throws {
        let graph = try ExecutionSamples.zoo()
        let x = try ExecutionSamples.images([1, 6, 12, 10])
        let expected = try ExecutionSamples.onTape(graph, [x]).outputs[0].tensor.array(of: Float.self)
        Cancellation.request()
        defer { Cancellation.clear() }
        #expect(throws: Interrupted.self) { try ExecutionSamples.onTape(graph, [x]) }
        Cancellation.clear()
        #expect(try ExecutionSamples.onTape(graph, [x]).outputs[0].tensor.array(of: Float.self) == expected)
    }
}
