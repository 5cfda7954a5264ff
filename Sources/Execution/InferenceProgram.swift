public import Graphs
import Operations
public import Tensors

/// A graph made ready to run again and again at one batch size: BN folded, ReLU and residual adds fused, weights
/// packed, every buffer planned and every primitive bound to its pointers. A run allocates next to nothing.
public final class InferenceProgram {
    public let batch: Int
    /// Bytes of activations and scratch the program holds while it lives; known before the first run.
    public let bufferByteCount: Int

    private let graph: Graph
    private let resultShapes: [Shape]
    private let notANumber: NotANumberRoute
    /// The part that runs chunk by chunk, and which of the graph's inputs it reads.
    private let body: (chunks: ChunkedBody, inputs: [Int])?
    /// The part that runs on the whole batch: what the body leaves, or all of the graph.
    private let rest: (steps: CompiledSteps, inputs: [Int], outputs: [String])

    /// Compiles `graph` for `batch` samples and the present number of threads.
    /// - Throws: `ExecutionFailure.precision` where this processor has no such arithmetic.
    public init(_ graph: Graph, batch: Int, precision: Precision = .float32) throws {
        try precision.checkProcessor()
        let fused = try Fusion.forInference(graph)
        let shapes = try ShapeInference.shapes(of: fused, batch: batch)
        self.graph = graph
        self.batch = batch
        resultShapes = graph.outputs.map { shapes[$0] ?? [] }
        let notANumber = try NotANumberRoute(graph, fused: fused, precision)
        self.notANumber = notANumber
        func positions(_ part: Graph) -> [Int] {
            part.inputs.compactMap { input in graph.inputs.firstIndex { $0.name == input.name } }
        }
        let partition = ProgramPartition(fused, batch: batch, shapes: shapes)
        body = try partition.map { (try ChunkedBody($0, batch: batch, precision, watch: notANumber.watch), positions($0.body)) }
        let whole = partition?.rest ?? fused
        var compiler = try ProgramCompiler(whole, batch: batch, precision: precision, watch: notANumber.watch)
        try compiler.plan(given: body?.chunks.crossing ?? [:])
        rest = (try compiler.materialize(), positions(whole), whole.outputs)
        bufferByteCount = (body?.chunks.bufferByteCount ?? 0) + rest.steps.bufferByteCount
    }

    /// How many runs met a not-a-number, or might have, and were computed operation by operation.
    package var carefulRunCount: Int { notANumber.runCount }

    /// Runs on inputs of `batch` samples each; the results are the caller's. A not-a-number stays one.
    /// - Throws: `ExecutionFailure` for inputs that do not fit, `Interrupted`, failures of the kernels.
    public func run(_ tensors: [Tensor]) throws -> [Tensor] {
        try InputCheck.check(tensors, graph)
        for (input, tensor) in zip(graph.inputs, tensors) where tensor.shape[0] != batch {
            throw ExecutionFailure.batch(graph: graph.name, input: input.name, expected: batch, got: tensor.shape[0])
        }
        let inputs = try tensors.map { try $0.contiguous() }
        if notANumber.isNeeded(for: inputs) { return try notANumber.run(inputs) }
        let outputs = try resultShapes.map { try Tensor(uninitialized: $0) }
        let results = Dictionary(zip(graph.outputs, outputs), uniquingKeysWith: { first, _ in first })
        try body?.chunks.run(body?.inputs.map { inputs[$0] } ?? [], results: results)
        try withExtendedLifetime((inputs, outputs)) {
            try rest.steps.run(
                from: rest.inputs.map { inputs[$0].rawBase }, to: rest.outputs.compactMap { results[$0]?.rawBase })
        }
        if notANumber.isNeeded() { return try notANumber.run(inputs) }
        return graph.outputs.compactMap { results[$0] }
    }
}
