import Autograd
import Graphs
import Synchronization
import Tensors

/// What a compiled program does where a not-a-number turns up.
///
/// oneDNN's ReLU, clip and maximum pooling make numbers of it, so a network that gives none would look like one that
/// works. Such a batch is computed again operation by operation, as on a tape, where it is kept.
///
/// It is noticed by its source: inputs and parameters are looked at, and what arises between them, from numbers that
/// overflow, the processor notes. In bfloat16 those notes say nothing, because oneDNN's kernels read memory there that they
/// do not use; so a network in bfloat16 whose parameters and inputs are finite, but whose activations exceed 3.4e38,
/// may lose a not-a-number.
final class NotANumberRoute {
    private let graph: Graph
    private let parametersAreFinite: Bool
    private let listens: Bool
    private let count = Atomic<Int>(0)

    init(_ graph: Graph, _ precision: Precision) throws {
        self.graph = graph
        listens = precision == .float32
        parametersAreFinite = try graph.parameters.names.allSatisfy { name in
            guard let tensor = graph.parameters[name]?.tensor, tensor.dtype == .float32 else { return true }
            // The sum of finite floats is finite in double precision.
            return try tensor.total().isFinite
        }
    }

    var runCount: Int { count.load(ordering: .relaxed) }

    /// Before a run: whether its numbers are none from the start.
    func isNeeded(for inputs: [Tensor]) -> Bool {
        if !parametersAreFinite || inputs.contains(where: Elementwise.holdsNotANumber) { return true }
        InvalidOperations.forgetOwn()
        return false
    }

    /// Behind a run: whether a kernel met or made one.
    func isNeeded() -> Bool { listens && InvalidOperations.take() }

    /// The results by way of a tape.
    func run(_ inputs: [Tensor]) throws -> [Tensor] {
        count.wrappingAdd(1, ordering: .relaxed)
        let results = try TapeExecutor(graph).forward(inputs, parameters: graph.parameters, on: Tape(), isTraining: false)
        let tensors = try results.outputs.map { try $0.tensor.contiguous() }
        // What this run left noted is not the next one's.
        _ = listens && InvalidOperations.take()
        return tensors
    }
}
