public import Graphs
public import Tensors

/// Runs a graph for inference at any batch size, keeping a compiled program for each of the last few sizes.
public final class InferenceEngine {
    private let graph: Graph
    private let precision: Precision
    private var programs: [InferenceProgram] = []
    /// What the programs were compiled for: primitives settle how their work is split when they are made.
    private var threadCount = Threads.count
    private let keptPrograms = 4

    public init(_ graph: Graph, precision: Precision = .float32) {
        self.graph = graph
        self.precision = precision
    }

    /// The program for `batch` samples, compiled on first use.
    public func program(batch: Int) throws -> InferenceProgram {
        if threadCount != Threads.count {
            programs.removeAll()
            threadCount = Threads.count
        }
        if let found = programs.first(where: { $0.batch == batch }) { return found }
        let made = try InferenceProgram(graph, batch: batch, precision: precision)
        if programs.count >= keptPrograms { programs.removeFirst() }
        programs.append(made)
        return made
    }

    /// The results for inputs [N, …].
    public func run(_ inputs: [Tensor]) throws -> [Tensor] {
        try InputCheck.check(inputs, graph)
        return try program(batch: inputs.first?.shape[0] ?? 1).run(inputs)
    }
}
