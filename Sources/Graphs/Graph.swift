public import Operations
public import Tensors

/// A model as a value: nodes in topological order and a table of parameters.
///
/// Scoring, cost, planning, compression, fusion, running, printing and export are passes over it. Values are named
/// after the node that makes them; further outputs of a node are `name:1`, `name:2`, ….
public struct Graph: Sendable {
    public var name: String
    public var inputs: [GraphInput]
    public var nodes: [Node]
    /// Names of the values that are the results.
    public var outputs: [String]
    public var parameters: ParameterTable

    public init(
        name: String, inputs: [GraphInput] = [], nodes: [Node] = [], outputs: [String] = [],
        parameters: ParameterTable = ParameterTable()
    ) {
        self.name = name
        self.inputs = inputs
        self.nodes = nodes
        self.outputs = outputs
        self.parameters = parameters
    }

    /// The position of the node called `name`.
    public func index(ofNode name: String) -> Int? { nodes.firstIndex { $0.name == name } }

    /// Keeps only the parameters that a node reads, as after nodes were taken away.
    /// - Complexity: O(nodes + parameters).
    public mutating func dropUnusedParameters() { parameters.keep(only: Set(nodes.flatMap(\.parameterInputs))) }
}

/// What comes in from outside.
public struct GraphInput: Sendable, Equatable {
    public let name: String
    /// The shape of one sample; the batch comes before it.
    public let sampleShape: Shape

    public init(name: String, sampleShape: Shape) {
        self.name = name
        self.sampleShape = sampleShape
    }
}

/// Where a node's input comes from.
public enum Source: Hashable, Sendable {
    case value(String)
    case parameter(String)
}

/// One operation at one place.
public struct Node: Sendable {
    public var name: String
    public var operation: any GraphOperation
    public var inputs: [Source]
    public var outputCount: Int
    /// The layer this node was made from, where compression or fusion made it.
    public var origin: Origin?

    public init(
        _ name: String, _ operation: any GraphOperation, _ inputs: [Source], outputCount: Int = 1, origin: Origin? = nil
    ) {
        self.name = name
        self.operation = operation
        self.inputs = inputs
        self.outputCount = outputCount
        self.origin = origin
    }

    /// The name of output `index`.
    public func output(_ index: Int = 0) -> String { index == 0 ? name : "\(name):\(index)" }
    public var outputs: [String] { (0..<outputCount).map(output) }

    public var valueInputs: [String] {
        inputs.compactMap { if case .value(let name) = $0 { name } else { nil } }
    }
    public var parameterInputs: [String] {
        inputs.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }
}

/// The dense layer a node of a decomposed chain stands for.
public struct Origin: Sendable, Hashable {
    /// The name of the layer in the dense model.
    public let layer: String
    /// The family of factorisations, such as `Tucker-2`.
    public let format: String
    /// Position in the chain, from 0, and the chain's length.
    public let position: Int
    public let count: Int
    /// What the layer was, where the chain does not say so because it has more than layers in it.
    public let dense: Dense?

    /// The weight and the geometry of a dense layer.
    public struct Dense: Sendable, Hashable {
        /// [O, C / groups, Kh, Kw] or [O, I].
        public let weight: Shape
        /// `nil` for a linear layer.
        public let geometry: ConvolutionGeometry?

        public init(weight: Shape, geometry: ConvolutionGeometry?) {
            self.weight = weight
            self.geometry = geometry
        }
    }

    public init(layer: String, format: String, position: Int, count: Int, dense: Dense? = nil) {
        self.layer = layer
        self.format = format
        self.position = position
        self.count = count
        self.dense = dense
    }

    /// Whether the node is the last of its chain: what gives the layer's result.
    public var isLast: Bool { position == count - 1 }
}
