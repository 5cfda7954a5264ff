import Graphs
import Tensors
import Testing
import Training

/// What holds for every optimiser.
@Suite(.serialized) struct OptimizerTests {
    static let all: [(name: String, make: @Sendable () throws -> any Optimizer)] = [
        ("sgd", { try StochasticGradientDescent(learningRate: 0.1) }),
        ("momentum", { try StochasticGradientDescent(learningRate: 0.1, momentum: 0.9, weightDecay: 1e-3) }),
        ("nesterov", { try StochasticGradientDescent(learningRate: 0.1, momentum: 0.9, isNesterov: true) }),
        ("adam", { try Adam(learningRate: 0.01, weightDecay: 1e-3) }),
        ("adamw", { try Adam(learningRate: 0.01, weightDecay: 1e-2, isDecoupled: true) }),
    ]

    private func bits(_ table: ParameterTable) throws -> [UInt32] {
        try table.names.flatMap { try #require(table[$0]).tensor.array(of: Float.self).map(\.bitPattern) }
    }

    /// Three steps, or two, a saved state and one more: the same bits.
    @Test(arguments: all.indices) func aRestoredStateContinuesBitForBit(_ index: Int) throws {
        let make = Self.all[index].make
        var (straight, table) = (try make(), try OptimizerSamples.table())
        for step in 0..<3 { try straight.step(&table, gradients: OptimizerSamples.gradients(step: step)) }

        var (first, other) = (try make(), try OptimizerSamples.table())
        for step in 0..<2 { try first.step(&other, gradients: OptimizerSamples.gradients(step: step)) }
        let state = Dictionary(uniqueKeysWithValues: try first.state.map { ($0.name, try $0.tensor.copy()) })
        var second = try make()
        try second.restore(state: state, stepCount: first.stepCount)
        try second.step(&other, gradients: OptimizerSamples.gradients(step: 2))
        #expect(try bits(other) == bits(table))
        #expect(second.stepCount == 3 && second.state.map(\.name) == straight.state.map(\.name))
        for (a, b) in zip(second.state, straight.state) {
            #expect(try a.tensor.array(of: Float.self) == b.tensor.array(of: Float.self), "\(a.name)")
        }
    }

    @Test(arguments: all.indices) func parametersAreValues(_ index: Int) throws {
        var optimizer = try Self.all[index].make()
        var table = try OptimizerSamples.table()
        let copy = table
        let before = try bits(copy)
        try optimizer.step(&table, gradients: OptimizerSamples.gradients(step: 0))
        #expect(try bits(copy) == before)
        #expect(try bits(table) != before)
        // An optimiser is one too: a copy of it goes its own way from here.
        var branch = optimizer
        var branchTable = table
        try branch.step(&branchTable, gradients: OptimizerSamples.gradients(step: 1))
        try optimizer.step(&table, gradients: OptimizerSamples.gradients(step: 1))
        #expect(try bits(branchTable) == bits(table))
    }

    @Test(arguments: all.indices) func gradientsThatDoNotFitChangeNothing(_ index: Int) throws {
        var optimizer = try Self.all[index].make()
        var table = try OptimizerSamples.table()
        let before = try bits(table)
        var gradients = try OptimizerSamples.gradients(step: 0)
        gradients["conv.bias"] = try .zeros([4])
        let shape = #expect(throws: TrainingFailure.self) { try optimizer.step(&table, gradients: gradients) }
        #expect(shape?.description == "step: the gradient of 'conv.bias' has shape [4], but the parameter [3]")
        gradients["conv.bias"] = try .zeros([3], dtype: .int64)
        #expect(throws: (any Error).self) { try optimizer.step(&table, gradients: gradients) }
        #expect(try bits(table) == before && optimizer.stepCount == 0)
        for rate in [-1, .nan, .infinity] {
            optimizer.learningRate = rate
            let failure = #expect(throws: TrainingFailure.self) {
                try optimizer.step(&table, gradients: OptimizerSamples.gradients(step: 0))
            }
            #expect(failure?.code == "training.learningRate")
        }
        #expect(try bits(table) == before && optimizer.stepCount == 0 && optimizer.state.isEmpty)
    }

    /// A gradient with NaN or infinity in it would spoil the model for good.
    @Test(arguments: all.indices, [Float.nan, .infinity, -.infinity]) func gradientsMustBeFinite(_ index: Int, value: Float) throws {
        var optimizer = try Self.all[index].make()
        var table = try OptimizerSamples.table()
        let before = try bits(table)
        var gradients = try OptimizerSamples.gradients(step: 0)
        gradients["conv.bias"] = try Tensor([1, value, 2])
        let failure = #expect(throws: TrainingFailure.self) { try optimizer.step(&table, gradients: gradients) }
        #expect(failure?.description.contains("'conv.bias'") == true)
        #expect(try bits(table) == before && optimizer.stepCount == 0)
    }

    /// An update beyond float32 changes nothing; neither does one whose momentum would be.
    @Test(arguments: all.indices) func updatesMustBeFinite(_ index: Int) throws {
        var table = try OptimizerSamples.table()
        let before = try bits(table)
        var optimizer = try Self.all[index].make()
        optimizer.learningRate = 1e300
        let failure = #expect(throws: TrainingFailure.self) {
            try optimizer.step(&table, gradients: OptimizerSamples.gradients(step: 0))
        }
        #expect(failure?.code == "training.updateNotFinite" && failure?.description.contains("'conv.") == true)
        #expect(try bits(table) == before && optimizer.stepCount == 0 && optimizer.state.isEmpty)
        guard index > 2 else { return }
        // The square of the gradient is infinite.
        var other = try Self.all[index].make()
        let gradients = ["conv.bias": try Tensor.full([3], 1e30)]
        #expect(throws: TrainingFailure.self) { try other.step(&table, gradients: gradients) }
        #expect(try bits(table) == before)
    }

    @Test(arguments: all.indices) func parametersWithoutGradientsStay(_ index: Int) throws {
        var optimizer = try Self.all[index].make()
        var table = try OptimizerSamples.table()
        let weight = try OptimizerSamples.numbers(table, "conv.weight")
        let bias = try OptimizerSamples.numbers(table, "conv.bias")
        var gradients = try OptimizerSamples.gradients(step: 0)
        gradients["conv.weight"] = nil
        try optimizer.step(&table, gradients: gradients)
        #expect(try OptimizerSamples.numbers(table, "conv.weight") == weight)
        #expect(try OptimizerSamples.numbers(table, "conv.bias") != bias)
    }

    @Test(arguments: all.indices) func foreignStatesAreRefused(_ index: Int) throws {
        let wrong: [[String: Tensor]] = [
            ["strange/conv.weight": try .zeros([1])],
            ["first/conv.weight": try .zeros([3])],
            ["first/conv.weight": try .zeros([3]), "second/conv.weight": try .zeros([4])],
            ["first/conv.weight": try .zeros([3], dtype: .int64), "second/conv.weight": try .zeros([3], dtype: .int64)],
            ["momentum/conv.weight": try .zeros([3], dtype: .int64)],
        ]
        for state in wrong {
            var optimizer = try Self.all[index].make()
            let failure = #expect(throws: TrainingFailure.self) { try optimizer.restore(state: state, stepCount: 1) }
            #expect(failure?.code == "training.optimizerState")
        }
        var optimizer = try Self.all[index].make()
        #expect(throws: TrainingFailure.self) { try optimizer.restore(state: [:], stepCount: -1) }
    }

    /// A state of other shapes is found at the next step, before anything is read beyond its end.
    @Test func statesOfOtherShapesAreErrors() throws {
        for (make, state) in [
            (Self.all[1].make, ["momentum/conv.weight": try Tensor.zeros([3])]),
            (Self.all[3].make, ["first/conv.weight": try .zeros([3]), "second/conv.weight": try .zeros([3])]),
        ] {
            var optimizer = try make()
            try optimizer.restore(state: state, stepCount: 1)
            var table = try OptimizerSamples.table()
            let before = try bits(table)
            let failure = #expect(throws: TrainingFailure.self) {
                try optimizer.step(&table, gradients: OptimizerSamples.gradients(step: 0))
            }
            #expect(failure?.code == "training.optimizerState")
            #expect(try bits(table) == before)
        }
    }
}
