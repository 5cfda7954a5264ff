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
/// overflow, the processor notes. In bfloat16 those notes say nothing, because its products make none and oneDNN's kernels
/// read memory that they do not use; there the magnitudes of all values are watched.
final class NotANumberRoute {
    private let graph: Graph
    /// Whether the parameters are finite and, where magnitudes are watched, small enough for that.
    private let parametersAreUsual: Bool
    /// Of a program in bfloat16.
    let watch: MagnitudeWatch?
    private let count = Atomic<Int>(0)

    /// - Parameter fused: the network as it is compiled, whose weights may be larger than its own.
    init(_ graph: Graph, fused: Graph, _ precision: Precision) throws {
        self.graph = graph
        let watch = MagnitudeWatch(for: precision)
        self.watch = watch
        // The sum of finite floats is finite in double precision.
        let areFinite = try Self.parameters(of: graph) { try $0.total().isFinite }
        // Magnitudes add up to no more than the norm times the root of their number.
        parametersAreUsual =
            try areFinite
            && (watch == nil
                || Self.parameters(of: fused) {
                    try $0.norm() * Double($0.elementCount).squareRoot() < MagnitudeWatch.parameterLimit
                })
    }

    /// Whether all parameters of floating point have a property.
    private static func parameters(of graph: Graph, _ property: (Tensor) throws -> Bool) throws -> Bool {
        try graph.parameters.names.allSatisfy { name in
            guard let tensor = graph.parameters[name]?.tensor, tensor.dtype == .float32 else { return true }
            return try property(tensor)
        }
    }

    var runCount: Int { count.load(ordering: .relaxed) }

    /// Before a run: whether its numbers are none from the start.
    func isNeeded(for inputs: [Tensor]) -> Bool {
        if !parametersAreUsual || inputs.contains(where: Elementwise.holdsNotANumber) { return true }
        guard let watch else {
            InvalidOperations.forgetOwn()
            return false
        }
        withExtendedLifetime(inputs) {
            for input in inputs { watch.look(at: input.rawBase, input.storedElementCount, isBFloat16: false) }
        }
        return watch.take()
    }

    /// Behind a run: whether a kernel met or made one.
    func isNeeded() -> Bool { watch?.take() ?? InvalidOperations.take() }

    /// The results by way of a tape.
    func run(_ inputs: [Tensor]) throws -> [Tensor] {
        count.wrappingAdd(1, ordering: .relaxed)
        let results = try TapeExecutor(graph).forward(inputs, parameters: graph.parameters, on: Tape(), isTraining: false)
        let tensors = try results.outputs.map { try $0.tensor.contiguous() }
        // What this run left noted is not the next one's.
        if watch == nil { _ = InvalidOperations.take() }
        return tensors
    }
}
