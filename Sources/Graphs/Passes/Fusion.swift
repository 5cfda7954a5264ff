import Operations
import Tensors

/// Joins nodes that one kernel can run: the same function in fewer passes over memory.
///
/// Both forms keep the names of the values that remain, so that taps still work on those; a value that disappears
/// inside a fused node must not be among the `tapped` ones, which are kept.
public enum Fusion {
    /// For training: BN + residual add + ReLU, add + ReLU, slice + slice + pad. Parameters stay as they are.
    public static func forTraining(_ graph: Graph, keeping tapped: Set<String> = []) -> Graph {
        var editor = FusionEditor(graph, keeping: tapped)
        editor.joinShortcuts()
        editor.joinResidual(behind: BatchNorm.self) {
            if $0.addsResidual || $0.hasReLU { return nil }
            return BatchNorm(epsilon: $0.epsilon, momentum: $0.momentum, addsResidual: true)
        }
        editor.joinReLU(behind: BatchNorm.self) {
            BatchNorm(epsilon: $0.epsilon, momentum: $0.momentum, addsResidual: $0.addsResidual, hasReLU: true)
        }
        editor.joinReLU(behind: Add.self) { _ in Add(hasReLU: true) }
        return editor.finish()
    }

    /// For inference: BN folded into the convolution or the linear layer before it, residual add and ReLU joined to it. Where BN has no
    /// convolution before it, ReLU is joined to BN.
    /// - Throws: `TensorFailure` when parameters do not fit each other.
    public static func forInference(_ graph: Graph, keeping tapped: Set<String> = []) throws -> Graph {
        var editor = FusionEditor(graph, keeping: tapped)
        editor.joinShortcuts()
        try editor.foldBatchNorm()
        editor.joinResidual(behind: Conv2D.self) {
            $0.addsResidual || $0.hasReLU ? nil : Conv2D($0.geometry, hasBias: $0.hasBias, addsResidual: true)
        }
        editor.joinReLU(behind: Conv2D.self) {
            Conv2D($0.geometry, hasBias: $0.hasBias, addsResidual: $0.addsResidual, hasReLU: true)
        }
        editor.joinReLU(behind: BatchNorm.self) {
            BatchNorm(epsilon: $0.epsilon, momentum: $0.momentum, addsResidual: $0.addsResidual, hasReLU: true)
        }
        editor.joinReLU(behind: Add.self) { _ in Add(hasReLU: true) }
        return editor.finish()
    }
}

/// A graph under fusion. A joined node takes the name and place of the last node it replaces, so that every reader
/// finds it and every input is made before it.
private struct FusionEditor {
    private var graph: Graph
    private let tapped: Set<String>
    private var removed = Set<Int>()
    private var consumers: [String: [Int]]
    private var makers: [String: Int]
    /// Shapes for one sample; empty where the graph is not legal, and then nothing that depends on them is joined.
    private let shapes: [String: Shape]

    init(_ graph: Graph, keeping tapped: Set<String>) {
        self.graph = graph
        self.tapped = tapped.union(graph.outputs)
        consumers = Liveness.consumers(of: graph)
        shapes = (try? ShapeInference.shapes(of: graph, batch: 1)) ?? [:]
        makers = [:]
        for (index, node) in graph.nodes.enumerated() { for output in node.outputs { makers[output] = index } }
    }

    func finish() -> Graph {
        var result = graph
        result.nodes = graph.nodes.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
        result.dropUnusedParameters()
        return result
    }

    /// The only reader of node `index`, where nothing else wants to see its value.
    private func soleReader(of index: Int) -> Int? {
        let node = graph.nodes[index]
        guard node.outputCount == 1, !tapped.contains(node.name), let readers = consumers[node.name],
            readers.count == 1
        else { return nil }
        return readers[0]
    }

    private mutating func replace(_ first: [Int], last: Int, with operation: any GraphOperation, _ inputs: [Source]) {
        let name = graph.nodes[last].name
        let origin = first.first.flatMap { graph.nodes[$0].origin }
        for index in first {
            removed.insert(index)
            makers[graph.nodes[index].name] = nil
        }
        graph.nodes[last] = Node(name, operation, inputs, origin: origin)
        for index in first + [last] {
            for (value, readers) in consumers where readers.contains(index) { consumers[value]?.removeAll { $0 == index } }
        }
        for case .value(let value) in Set(inputs) { consumers[value, default: []].append(last) }
    }

    mutating func joinReLU<Target: GraphOperation>(behind: Target.Type, _ fuse: (Target) -> Target) {
        for index in graph.nodes.indices where !removed.contains(index) {
            guard let target = graph.nodes[index].operation as? Target, let reader = soleReader(of: index),
                graph.nodes[reader].operation is ReLU
            else { continue }
            replace([index], last: reader, with: fuse(target), graph.nodes[index].inputs)
        }
    }

    /// rows slice → columns slice → channel pad, with one step, becomes one pass.
    mutating func joinShortcuts() {
        for index in graph.nodes.indices where !removed.contains(index) {
            guard let rows = graph.nodes[index].operation as? Slice, let second = soleReader(of: index),
                let columns = graph.nodes[second].operation as? Slice, let third = soleReader(of: second),
                let pad = graph.nodes[third].operation as? Pad,
                rows == Slice(dimension: 2, by: rows.step), columns == Slice(dimension: 3, by: rows.step),
                pad.dimension == 1, shapes[graph.nodes[third].name]?.rank == 4
            else { continue }
            let joined = SubsamplePad(stride: rows.step, before: pad.before, after: pad.after)
            replace([index, second], last: third, with: joined, graph.nodes[index].inputs)
        }
    }

    /// A layer whose channels are dimension 1 of its result, so that factors of channels can go into its weight: whether it has
    /// a bias, and the same layer with one.
    private func foldable(_ node: Node) -> (hasBias: Bool, withBias: any GraphOperation)? {
        switch node.operation {
        case let conv as Conv2D where !conv.addsResidual && !conv.hasReLU: (conv.hasBias, Conv2D(conv.geometry, hasBias: true))
        case let linear as Linear where shapes[node.name]?.rank == 2: (linear.hasBias, Linear(hasBias: true))
        default: nil
        }
    }

    /// w' = w · γ/√(σ²+ε), b' = β + (b − μ) · γ/√(σ²+ε).
    mutating func foldBatchNorm() throws {
        for index in graph.nodes.indices where !removed.contains(index) {
            guard let layer = foldable(graph.nodes[index]), let reader = soleReader(of: index), let norm = graph.nodes[reader].operation as? BatchNorm,
                !norm.hasReLU
            else { continue }
            let (inputs, normInputs) = (graph.nodes[index].inputs, graph.nodes[reader].inputs)
            guard let weight = tensor(inputs[1]), let scale = tensor(normInputs[1]), let shift = tensor(normInputs[2]),
                let mean = tensor(normInputs[3]), let variance = tensor(normInputs[4])
            else { continue }
            let factor = try scale.dividing(variance.adding(norm.epsilon).squareRoot())
            var bias = try shift.subtracting(mean.multiplying(factor))
            if layer.hasBias {
                guard let own = tensor(inputs[2]) else { continue }
                bias = try bias.adding(own.multiplying(factor))
            }
            let name = graph.nodes[index].name
            let (folded, offset) = (name + ".folded.weight", name + ".folded.bias")
            let scaled = try weight.multiplying(factor.reshaped(Shape([weight.shape[0]] + weight.shape.dims.dropFirst().map { _ in 1 })))
            graph.parameters[folded] = .init(tensor: scaled, isTrainable: true)
            graph.parameters[offset] = .init(tensor: bias, isTrainable: true)
            replace(
                [index], last: reader, with: layer.withBias,
                [inputs[0], .parameter(folded), .parameter(offset)])
        }
    }

    /// An operation read only by an add takes the other summand, of its own shape, as its residual; of two such
    /// operations, the later one does. `fuse` gives `nil` for one that cannot.
    mutating func joinResidual<Target: GraphOperation>(behind: Target.Type, _ fuse: (Target) -> Target?) {
        for index in graph.nodes.indices.reversed() where !removed.contains(index) {
            guard let target = graph.nodes[index].operation as? Target, let fused = fuse(target),
                let reader = soleReader(of: index), let add = graph.nodes[reader].operation as? Add, !add.hasReLU,
                let other = graph.nodes[reader].valueInputs.first(where: { $0 != graph.nodes[index].name }),
                graph.nodes[reader].valueInputs.count == 2, let shape = shapes[graph.nodes[index].name],
                shape == shapes[other]
            else { continue }
            replace([index], last: reader, with: fused, graph.nodes[index].inputs + [.value(other)])
        }
    }

    private func tensor(_ source: Source) -> Tensor? {
        if case .parameter(let name) = source { graph.parameters[name]?.tensor } else { nil }
    }
}
