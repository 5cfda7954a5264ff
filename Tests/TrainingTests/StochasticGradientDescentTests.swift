import Graphs
import Tensors
import Testing
import Training

@Suite(.serialized) struct StochasticGradientDescentTests {
    /// Float32 steps against the same recurrence in double precision.
    static let tolerance = 2e-6

    static let settings: [(momentum: Double, decay: Double, nesterov: Bool)] = [
        (0, 0, false), (0, 0.1, false), (0.9, 0, false), (0.9, 5e-4, false), (0.9, 5e-4, true), (0.5, 0, true),
    ]

    @Test(arguments: settings) func followsTheRecurrence(momentum: Double, decay: Double, nesterov: Bool) throws {
        var table = try OptimizerSamples.table()
        var optimizer = try StochasticGradientDescent(
            learningRate: 0.1, momentum: momentum, weightDecay: decay, isNesterov: nesterov)
        var expected = try OptimizerSamples.numbers(table, "conv.weight")
        var velocity: [Double]?
        for step in 0..<5 {
            let rate = 0.1 / Double(step + 1)  // a schedule sets it before each step
            optimizer.learningRate = rate
            let gradients = try OptimizerSamples.gradients(step: step)
            let g = zip(try OptimizerSamples.numbers(gradients, "conv.weight"), expected).map { $0 + decay * $1 }
            let v = velocity.map { old in zip(old, g).map { momentum * $0 + $1 } } ?? g
            velocity = v
            let move = nesterov ? zip(g, v).map { $0 + momentum * $1 } : v
            expected = zip(expected, move).map { $0 - rate * $1 }
            try optimizer.step(&table, gradients: gradients)
            #expect(try OptimizerSamples.difference(OptimizerSamples.numbers(table, "conv.weight"), expected) < Self.tolerance)
        }
        #expect(optimizer.stepCount == 5)
        #expect(try OptimizerSamples.numbers(table, "bn.running_mean") == OptimizerSamples.numbers(OptimizerSamples.table(), "bn.running_mean"))
    }

    @Test func optionsOutOfRangeAreRefused() {
        for make: () throws -> StochasticGradientDescent in [
            { try .init(learningRate: 0.1, momentum: 1) }, { try .init(learningRate: 0.1, momentum: -0.1) },
            { try .init(learningRate: 0.1, momentum: .nan) }, { try .init(learningRate: 0.1, weightDecay: -1) },
            { try .init(learningRate: 0.1, weightDecay: .infinity) }, { try .init(learningRate: 0.1, weightDecay: .nan) },
            { try .init(learningRate: 0.1, isNesterov: true) },
        ] {
            let failure = #expect(throws: TrainingFailure.self) { try make() }
            #expect(failure?.code == "training.invalidOption")
        }
    }
}
