import Operations
public import Tensors

/// A layer with a weight: a convolution, a transposed one or a linear layer, where it taps and whom it follows.
public struct WeightedLayer: Sendable {
    /// The node's name, which is the layer's.
    public let name: String
    public let node: Int
    /// The name of the weight parameter.
    public let weight: String
    public let weightShape: Shape
    /// Shapes for a batch of one.
    public let inputShape: Shape
    public let outputShape: Shape
    /// The value that shows what the layer made of its input: the last one before the next weighted layer or
    /// pooling, so conv → BN → (residual add) → ReLU.
    public let tap: String
    /// The nearest weighted layer before this one on the path; through a residual add, the later of the two.
    public let parent: String?
    /// Whether the model's result comes from it without another layer with a weight, or a junction, between.
    public let isClassifier: Bool
    public let parameterCount: Int
    public let macCount: Int

    /// How many positions of a sample a linear layer is applied to; 1 where the sample is a vector.
    public var positionCount: Int { inputShape.dims.dropFirst().dropLast().reduce(1, *) }
}

/// Finds the weighted layers of a graph.
public enum WeightedLayers {
    public static func layers(of graph: Graph) throws -> [WeightedLayer] {
        let shapes = try ShapeInference.shapes(of: graph, batch: 1)
        let consumers = Liveness.consumers(of: graph)
        var latest: [String: Int] = [:]  // value → the last weighted layer it depends on
        var result: [WeightedLayer] = []
        for (index, node) in graph.nodes.enumerated() {
            let before = node.valueInputs.compactMap { latest[$0] }.max()
            if let weight = weightParameter(of: node), let entry = graph.parameters[weight] {
                let tap = tap(of: node, graph, consumers)
                let inputs = try ShapeInference.inputShapes(of: node, in: graph, shapes)
                let output = shapes[node.name] ?? []
                let parameters = node.parameterInputs.reduce(0) { $0 + (graph.parameters[$1]?.tensor.elementCount ?? 0) }
                result.append(
                    WeightedLayer(
                        name: node.name, node: index, weight: weight, weightShape: entry.tensor.shape,
                        inputShape: inputs[0], outputShape: output, tap: tap,
                        parent: before.map { graph.nodes[result[$0].node].name },
                        isClassifier: leadsToResult(tap, graph, consumers), parameterCount: parameters,
                        macCount: node.operation.macCount(inputs: inputs, outputs: [output])))
                for output in node.outputs { latest[output] = result.count - 1 }
            } else if let before {
                for output in node.outputs { latest[output] = before }
            }
        }
        return result
    }

    /// The weight of a convolution, transposed or not, or of a linear node.
    package static func weightParameter(of node: Node) -> String? {
        guard node.operation is Conv2D || node.operation is ConvTranspose2D || node.operation is Linear, node.inputs.count >= 2,
            case .parameter(let name) = node.inputs[1]
        else { return nil }
        return name
    }

    /// Whether only weightless nodes, such as softmax or pooling, stand between a value and the model's result.
    private static func leadsToResult(_ value: String, _ graph: Graph, _ consumers: [String: [Int]]) -> Bool {
        var value = value
        while !graph.outputs.contains(value) {
            guard let readers = consumers[value], readers.count == 1 else { return false }
            let next = graph.nodes[readers[0]]
            guard weightParameter(of: next) == nil, next.valueInputs.count == 1, next.outputCount == 1 else { return false }
            value = next.name
        }
        return true
    }

    private static func tap(of node: Node, _ graph: Graph, _ consumers: [String: [Int]]) -> String {
        var value = node.name
        while let readers = consumers[value], readers.count == 1, !graph.outputs.contains(value) {
            let next = graph.nodes[readers[0]]
            guard type(of: next.operation).traits.finishesLayer, next.outputCount == 1 else { break }
            value = next.name
        }
        return value
    }
}
