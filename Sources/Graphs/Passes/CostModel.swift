import Operations
public import Tensors

/// What a model or a node costs, exact and per image.
public struct Cost: Sendable, Equatable {
    /// Elements of what is learned, whether it is trained further or frozen: all that is trainable, and the weights, biases and
    /// scales of layers that are not. Running statistics and other state are none.
    public var parameterCount = 0
    /// Multiply-accumulates for one image.
    public var macCount = 0
    /// Bytes of all tensors, running statistics included.
    public var byteCount = 0
    /// The most bytes of activations alive at once for one image, when each is freed after its last reader.
    public var peakActivationByteCount = 0

    public init() {}
}

/// The cost of one node.
public struct NodeCost: Sendable {
    public let node: String
    public let operation: String
    public let outputShape: Shape
    public let parameterCount: Int
    public let macCount: Int
    public let origin: Origin?
}

/// Counts parameters, multiply-accumulates, bytes and peak activations.
public enum CostModel {
    public static func cost(of graph: Graph) throws -> Cost {
        let shapes = try ShapeInference.shapes(of: graph, batch: 1)
        var cost = Cost()
        cost.parameterCount = countedParameters(of: graph).reduce(0) { $0 + (graph.parameters[$1]?.tensor.elementCount ?? 0) }
        cost.macCount = try graph.nodes.reduce(0) { Counts.sum($0, try macCount(of: $1, in: graph, shapes)) }
        cost.byteCount = graph.parameters.byteCount
        cost.peakActivationByteCount = peakActivationBytes(of: graph, shapes)
        return cost
    }

    /// One row per node that has parameters or multiplies.
    public static func nodeCosts(of graph: Graph) throws -> [NodeCost] {
        let shapes = try ShapeInference.shapes(of: graph, batch: 1)
        let counted = countedParameters(of: graph)
        return try graph.nodes.compactMap { node in
            let parameters = node.parameterInputs.reduce(0) { sum, name in
                sum + (counted.contains(name) ? graph.parameters[name]?.tensor.elementCount ?? 0 : 0)
            }
            let macs = try macCount(of: node, in: graph, shapes)
            guard parameters > 0 || macs > 0 else { return nil }
            return NodeCost(
                node: node.name, operation: node.operation.name, outputShape: shapes[node.name] ?? [],
                parameterCount: parameters, macCount: macs, origin: node.origin)
        }
    }

    /// The names of the parameters whose elements count (`Cost.parameterCount`).
    package static func countedParameters(of graph: Graph) -> Set<String> {
        var counted = Set(graph.parameters.trainableNames)
        for node in graph.nodes {
            switch node.operation {
            // Weight and bias, or scale and shift; statistics come behind them.
            case is Conv2D, is ConvTranspose2D, is Linear, is BatchNorm, is LayerNorm, is PReLU:
                counted.formUnion([1, 2].compactMap { node.parameter(at: $0) })
            default: break
            }
        }
        return counted
    }

    private static func macCount(of node: Node, in graph: Graph, _ shapes: [String: Shape]) throws -> Int {
        let inputs = try ShapeInference.inputShapes(of: node, in: graph, shapes)
        return node.operation.macCount(inputs: inputs, outputs: node.outputs.compactMap { shapes[$0] })
    }

    private static func peakActivationBytes(of graph: Graph, _ shapes: [String: Shape]) -> Int {
        let inputs = graph.inputs.reduce(0) { $0 + (shapes[$1.name]?.elementCount ?? 0) * DType.float32.byteCount }
        return activationBytes(of: graph, shapes).reduce(inputs) { max($0, $1) }
    }

    /// Bytes of activations alive while each node runs, its inputs and outputs among them, for the batch of `shapes`.
    package static func activationBytes(of graph: Graph, _ shapes: [String: Shape]) -> [Int] {
        let lastUse = Liveness.lastUses(of: graph)
        let bytes = { (name: String) in (shapes[name]?.elementCount ?? 0) * DType.float32.byteCount }
        var live = graph.inputs.reduce(0) { $0 + bytes($1.name) }
        return graph.nodes.enumerated().map { index, node in
            live += node.outputs.reduce(0) { $0 + bytes($1) }
            defer {
                for value in Set(node.valueInputs + node.outputs) where lastUse[value] == index { live -= bytes(value) }
            }
            return live
        }
    }
}
