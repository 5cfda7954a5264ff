public import Graphs
import Operations
public import Tensors

/// Where the time of a compiled model goes, layer by layer.
///
/// Every layer is run on the whole batch with all threads, so that it can be timed by itself. A program for two images
/// and more runs its convolutions a few images at a time instead and is usually faster than the sum of these rows.
public struct InferenceProfile: Sendable {
    /// One node of the fused graph.
    public struct Row: Sendable {
        /// The layer, whatever was joined behind it; or what comes in or goes out.
        public let name: String
        /// The operation, such as `conv2d`; empty for copies at the ends.
        public let operation: String
        /// The shape of the (first) output, batch included.
        public let shape: Shape
        /// Median over the runs, reordering of inputs included.
        public let milliseconds: Double
        /// Multiply-accumulates of the whole batch.
        public let macCount: Int
        /// The kernel that takes most of the time, copies between formats aside: a name of oneDNN's, `loop` for our own,
        /// `general` for operations that run as on a tape.
        public let implementation: String

        /// 2 · multiply-accumulates per second, in 10⁹.
        public var gigaflops: Double { milliseconds > 0 ? 2 * Double(macCount) / milliseconds / 1e6 : 0 }
    }

    public let rows: [Row]
    /// Bytes of activations and scratch that the program needs, known before it runs.
    public let bufferByteCount: Int

    /// Compiles `graph` and times each step on zeros.
    /// - Throws: `ExecutionFailure.runCount` for less than one run; what compiling and running throw.
    public static func measure(
        _ graph: Graph, batch: Int, runs: Int, precision: Precision = .float32
    ) throws -> InferenceProfile {
        guard runs >= 1 else { throw ExecutionFailure.runCount(runs) }
        let fused = try Fusion.forInference(graph)
        let shapes = try ShapeInference.shapes(of: fused, batch: batch)
        var compiler = try ProgramCompiler(
            fused, batch: batch, precision: precision, watch: MagnitudeWatch(for: precision))
        try compiler.plan()
        let steps = try compiler.materialize()
        let inputs = try graph.inputs.map { try Tensor.zeros(Shape([batch] + $0.sampleShape.dims)) }
        let outputs = try steps.outputs.map { try Tensor(uninitialized: $0.shape) }
        let times = try withExtendedLifetime((inputs, outputs)) {
            let (sources, targets) = (inputs.map(\.rawBase), outputs.map(\.rawBase))
            for _ in 0..<min(5, runs) { try steps.run(from: sources, to: targets) }
            return try (0..<runs).map { _ in try steps.runTimed(from: sources, to: targets) }
        }
        let medians = steps.labels.indices.map { step in times.map { $0[step] }.sorted()[times.count / 2] }
        return InferenceProfile(
            rows: try rows(fused, of: graph, shapes, Array(zip(steps.labels, medians))), bufferByteCount: steps.bufferByteCount)
    }

    private static func rows(
        _ graph: Graph, of original: Graph, _ shapes: [String: Shape], _ steps: [(label: CompiledSteps.Label, milliseconds: Double)]
    ) throws -> [Row] {
        var order: [String] = []
        var grouped: [String: [(label: CompiledSteps.Label, milliseconds: Double)]] = [:]
        for step in steps {
            if grouped[step.label.node] == nil { order.append(step.label.node) }
            grouped[step.label.node, default: []].append(step)
        }
        let nodes = Dictionary(graph.nodes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let layers = layerNames(graph, of: original)
        return try order.map { name in
            let own = grouped[name] ?? []
            let node = nodes[name]
            let computing = own.filter { !$0.label.isAuxiliary }
            let macCount = try node.map { node in
                node.operation.macCount(
                    inputs: try ShapeInference.inputShapes(of: node, in: graph, shapes),
                    outputs: node.outputs.map { shapes[$0] ?? [] })
            }
            return Row(
                name: layers[name] ?? name, operation: node?.operation.name ?? "", shape: shapes[name] ?? [],
                milliseconds: own.reduce(0) { $0 + $1.milliseconds }, macCount: macCount ?? 0,
                implementation: (computing.isEmpty ? own : computing).max { $0.milliseconds < $1.milliseconds }?.label.implementation ?? "")
        }
    }

    /// By the nodes of the fused graph, which bear the names of the last that were joined, those of the layers in front.
    private static func layerNames(_ fused: Graph, of original: Graph) -> [String: String] {
        let makers = Dictionary(
            original.nodes.flatMap { node in node.outputs.map { ($0, node) } }, uniquingKeysWith: { first, _ in first })
        let kept = Set(fused.nodes.flatMap(\.outputs) + fused.inputs.map(\.name))
        return fused.nodes.reduce(into: [:]) { names, node in
            var maker = makers[node.name]
            while let now = maker, now.operation.name != node.operation.name {
                maker = now.valueInputs.first { !kept.contains($0) }.flatMap { makers[$0] }
            }
            names[node.name] = maker?.name
        }
    }
}
