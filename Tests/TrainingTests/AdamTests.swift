import Graphs
import Tensors
import Testing
import Training

#if canImport(Glibc)
    import Glibc
#endif

@Suite(.serialized) struct AdamTests {
    /// Float32 steps against the same recurrence in double precision; 1/√v̂ magnifies rounding of small v.
    static let tolerance = 2e-5

    @Test(arguments: [(0.0, false), (0.1, false), (0.1, true)]) func followsTheRecurrence(decay: Double, isDecoupled: Bool) throws {
        let (b1, b2, epsilon) = (0.8, 0.95, 1e-6)
        var table = try OptimizerSamples.table()
        var optimizer = try Adam(
            learningRate: 0.05, betas: (b1, b2), epsilon: epsilon, weightDecay: decay, isDecoupled: isDecoupled)
        var p = try OptimizerSamples.numbers(table, "conv.weight")
        var m = [Double](repeating: 0, count: p.count)
        var v = m
        for step in 0..<5 {
            let rate = 0.05 / Double(step + 1)
            optimizer.learningRate = rate
            let gradients = try OptimizerSamples.gradients(step: step)
            let g = try OptimizerSamples.numbers(gradients, "conv.weight")
            let time = Double(step + 1)
            for i in p.indices {
                let d = isDecoupled ? g[i] : g[i] + decay * p[i]
                m[i] = b1 * m[i] + (1 - b1) * d
                v[i] = b2 * v[i] + (1 - b2) * d * d
                if isDecoupled { p[i] -= rate * decay * p[i] }
                p[i] -= rate * (m[i] / (1 - pow(b1, time))) / ((v[i] / (1 - pow(b2, time))).squareRoot() + epsilon)
            }
            try optimizer.step(&table, gradients: gradients)
            #expect(try OptimizerSamples.difference(OptimizerSamples.numbers(table, "conv.weight"), p) < Self.tolerance)
        }
        #expect(try OptimizerSamples.numbers(table, "bn.running_mean") == OptimizerSamples.numbers(OptimizerSamples.table(), "bn.running_mean"))
    }

    /// The very first step has length η whatever the gradient's size.
    @Test func theFirstStepIsTheLearningRate() throws {
        var table = ParameterTable()
        table["p"] = .init(tensor: try .zeros([3]), isTrainable: true)
        var optimizer = try Adam(learningRate: 0.01)
        try optimizer.step(&table, gradients: ["p": Tensor([1e-3, -5, 1e4] as [Float])])
        let moved = try OptimizerSamples.numbers(table, "p")
        #expect(OptimizerSamples.difference(moved, [-0.01, 0.01, -0.01]) < 1e-6)
    }

    @Test func optionsOutOfRangeAreRefused() {
        for make: () throws -> Adam in [
            { try .init(learningRate: 0.1, betas: (1, 0.9)) }, { try .init(learningRate: 0.1, betas: (0.9, -0.1)) },
            { try .init(learningRate: 0.1, betas: (.nan, 0.9)) }, { try .init(learningRate: 0.1, epsilon: 0) },
            { try .init(learningRate: 0.1, epsilon: .nan) }, { try .init(learningRate: 0.1, weightDecay: -1) },
            { try .init(learningRate: 0.1, weightDecay: .nan) },
        ] {
            let failure = #expect(throws: TrainingFailure.self) { try make() }
            #expect(failure?.code == "training.invalidOption")
        }
    }
}
