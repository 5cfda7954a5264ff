import Basics
import COneDNN
public import Graphs
import Operations
public import Tensors

/// A graph made ready to run again and again at one batch size: BN folded, ReLU and residual adds fused, weights
/// packed, every buffer planned and every primitive bound to its pointers. A run allocates next to nothing.
public final class InferenceProgram {
    typealias Step = () throws -> Void

    public let batch: Int
    /// Bytes of activations and scratch the program holds while it lives; known before the first run.
    public let bufferByteCount: Int

    private let graph: Graph
    private let inputs: [Tensor]
    private let outputs: [Tensor]
    private let steps: [Step]
    private let tapRelay: TapRelay
    /// Bound primitives hold bare pointers into these blocks, so the program keeps them alive.
    private let memory: ProgramCompiler.Memory

    /// Compiles `graph` for `batch` samples.
    /// - Parameter taps: values to be shown to `run`'s `onTap` as soon as they are there.
    public init(_ graph: Graph, batch: Int, taps: Set<String> = []) throws {
        let fused = try Fusion.forInference(graph, keeping: taps)
        var compiler = try ProgramCompiler(fused, batch: batch, taps: taps)
        try compiler.plan()
        let compiled = try compiler.materialize()
        self.graph = graph
        self.batch = batch
        (inputs, outputs, steps) = (compiled.inputs, compiled.outputs, compiled.steps)
        (bufferByteCount, tapRelay, memory) = (compiled.bufferByteCount, compiled.tapRelay, compiled.memory)
    }

    /// Runs on inputs of `batch` samples each; the results are the caller's.
    /// - Parameter onTap: called with each tapped value; the tensor is only valid during the call.
    /// - Throws: `ExecutionFailure` for inputs that do not fit, `Interrupted`, failures of the kernels.
    public func run(_ tensors: [Tensor], onTap: ((String, Tensor) throws -> Void)? = nil) throws -> [Tensor] {
        try InputCheck.check(tensors, graph)
        for (input, (source, target)) in zip(graph.inputs, zip(tensors, inputs)) {
            guard source.shape == target.shape else {
                throw ExecutionFailure.batch(
                    graph: graph.name, input: input.name, expected: batch, got: source.shape[0])
            }
            try target.withMutableElements(of: Float.self) { to in
                try source.withElements(of: Float.self) { from in _ = to.update(fromContentsOf: from) }
            }
        }
        tapRelay.receiver = onTap
        defer { tapRelay.receiver = nil }
        return try withExtendedLifetime(memory) {
            for step in steps {
                try Cancellation.check()
                try step()
            }
            return try outputs.map { try $0.copy() }
        }
    }
}

/// Hands tapped values to whoever runs the program just now.
final class TapRelay {
    var receiver: ((String, Tensor) throws -> Void)?
}
