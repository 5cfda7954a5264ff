public import Graphs
import Tensors

/// Wall time of a compiled model's runs.
public struct Latency: Sendable {
    /// Milliseconds per run of the whole batch.
    public let median: Double
    public let minimum: Double
    public let maximum: Double

    /// Compiles `graph` and times runs on zeros, after a few to warm up.
    /// - Parameter milliseconds: that runs go on for at least, however many that makes.
    /// - Throws: `ExecutionFailure.runCount` for less than one run; what compiling and running throw.
    public static func measure(
        _ graph: Graph, batch: Int, runs: Int, atLeast milliseconds: Double = 0, precision: Precision = .float32
    ) throws -> Latency {
        guard runs >= 1 else { throw ExecutionFailure.runCount(runs) }
        let program = try InferenceProgram(graph, batch: batch, precision: precision)
        let inputs = try graph.inputs.map { try Tensor.zeros(Shape([batch] + $0.sampleShape.dims)) }
        for _ in 0..<min(5, runs) { _ = try program.run(inputs) }
        var times: [Double] = []
        var total = 0.0
        while times.count < runs || total < milliseconds {
            let time = try ContinuousClock().measure { _ = try program.run(inputs) } / .milliseconds(1)
            times.append(time)
            total += time
        }
        times.sort()
        return Latency(median: times[times.count / 2], minimum: times[0], maximum: times[times.count - 1])
    }
}
