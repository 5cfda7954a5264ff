import Basics
public import Operations
public import Tensors

/// Builds a graph node by node, making and initialising parameters on the way.
public struct GraphBuilder {
    public private(set) var graph: Graph
    private var random: RandomSource
    private var shapes: [String: Shape] = [:]
    /// The shapes of inputs that no value may have.
    private var refused: [String: Shape] = [:]
    /// The names here of parameters that came with adopted nodes.
    private var adopted: [String: String] = [:]

    public init(name: String, seed: UInt64) {
        graph = Graph(name: name)
        random = RandomSource(seed: seed)
    }

    /// Declares an input of samples of `shape`; gives its value. One of a shape that is empty or absurdly large has none:
    /// the first node that reads it fails with `valueShape`.
    public mutating func input(_ name: String, _ shape: Shape) -> String {
        graph.inputs.append(GraphInput(name: name, sampleShape: shape))
        let one = Shape([1] + shape.dims)
        if ShapeInference.isReasonable(one) { shapes[name] = one } else { refused[name] = one }
        return name
    }

    /// Adds a node; gives its value.
    @discardableResult
    public mutating func add(_ name: String, _ operation: any GraphOperation, _ inputs: [Source]) throws -> String {
        try append(Node(name, operation, inputs))
        return name
    }

    /// Adds a node of another graph under its own name, with its parameters.
    /// - Parameters:
    ///   - inputs: what it reads in place of its own values, one for each of them.
    ///   - keepsOrigin: whether it stays a link of the chain that it was made in.
    /// - Returns: its values.
    public mutating func adopt(
        _ node: Node, of other: Graph, inputs: [Source], keepsOrigin: Bool = true
    ) throws -> [String] {
        var rest = inputs[...]
        let sources = try node.inputs.map { source -> Source in
            guard case .parameter(let old) = source else { return rest.popFirst() ?? source }
            // Two nodes that share a parameter go on sharing it.
            if let known = adopted[old] { return .parameter(known) }
            guard let entry = other.parameters[old] else {
                throw GraphFailure.unknownParameter(graph: other.name, node: node.name, parameter: old)
            }
            let new = parameter(old, entry.tensor, isTrainable: entry.isTrainable)
            if case .parameter(let name) = new { adopted[old] = name }
            return new
        }
        return try append(Node(node.name, node.operation, sources, origin: keepsOrigin ? node.origin : nil))
    }

    /// Adds a node whose outputs are as many as its operation makes; gives their names.
    @discardableResult
    private mutating func append(_ node: Node) throws -> [String] {
        var node = node
        let inputShapes = try node.inputs.map { source -> Shape in
            switch source {
            case .value(let value):
                guard let shape = shapes[value] else {
                    if let shape = refused[value] { throw valueShape(value, shape) }
                    throw GraphFailure.unknownValue(graph: graph.name, node: node.name, value: value)
                }
                return shape
            case .parameter(let parameter):
                guard let entry = graph.parameters[parameter] else {
                    throw GraphFailure.unknownParameter(graph: graph.name, node: node.name, parameter: parameter)
                }
                return entry.tensor.shape
            }
        }
        let outputs = try located(graph.name + " › " + node.name) { try node.operation.outputShapes(of: inputShapes) }
        node.outputCount = outputs.count
        for (name, shape) in zip(node.outputs, outputs) where !ShapeInference.isReasonable(shape) {
            throw valueShape(name, shape)
        }
        for (name, shape) in zip(node.outputs, outputs) { shapes[name] = shape }
        graph.nodes.append(node)
        return node.outputs
    }

    private func valueShape(_ value: String, _ shape: Shape) -> GraphFailure {
        .valueShape(graph: graph.name, value: value, shape: shape)
    }

    /// A tensor of the graph's own. Where another has the name already, it gets an underscore behind it.
    public mutating func parameter(_ name: String, _ tensor: Tensor, isTrainable: Bool = true) -> Source {
        let unused = graph.unusedParameter(name)
        graph.parameters[unused] = .init(tensor: tensor, isTrainable: isTrainable)
        return .parameter(unused)
    }

    /// A convolution whose weights are normal with variance 2 / (O · Kh · Kw), as suits ReLU.
    /// - Reference: He et al., *Delving Deep into Rectifiers*, ICCV 2015, arXiv:1502.01852, eq. 14.
    public mutating func convolution(
        _ name: String, _ input: String, channels: Int, kernel: [Int], geometry: ConvolutionGeometry,
        hasBias: Bool = false
    ) throws -> String {
        guard kernel.count == 2, channels >= 1, kernel.allSatisfy({ (1..<1 << 20).contains($0) }) else {
            throw GraphFailure.invalidArchitecture(
                detail: "\(graph.name) › \(name): \(channels) channels of kernel \(kernel) are no convolution")
        }
        let inputChannels = shapes[input]?.dims.dropFirst().first ?? 0
        let shape: Shape = [channels, inputChannels / max(1, geometry.groups), kernel[0], kernel[1]]
        let fanOut = Double(channels) * Double(kernel[0] * kernel[1]) / Double(max(1, geometry.groups))
        let weight = try Tensor.normal(shape, deviation: Float((2 / fanOut).squareRoot()), using: &random)
        var sources: [Source] = [.value(input), parameter(name + ".weight", weight)]
        if hasBias { sources.append(parameter(name + ".bias", try .zeros([channels]))) }
        return try add(name, Conv2D(geometry, hasBias: hasBias), sources)
    }

    /// A transposed convolution whose weights are normal with variance 2 · sₕ · s_w / (C/g · Kh · Kw): what each result
    /// is the sum of, on average over the places of a stride.
    public mutating func transposedConvolution(
        _ name: String, _ input: String, channels: Int, kernel: [Int], geometry: ConvolutionGeometry,
        outputPadding: [Int] = [0, 0], hasBias: Bool = true
    ) throws -> String {
        let groups = max(1, geometry.groups)
        guard kernel.count == 2, channels >= 1, channels % groups == 0, kernel.allSatisfy({ (1..<1 << 20).contains($0) }) else {
            throw GraphFailure.invalidArchitecture(
                detail: "\(graph.name) › \(name): \(channels) channels of kernel \(kernel) in \(groups) group(s) are no convolution")
        }
        let inputChannels = shapes[input]?.dims.dropFirst().first ?? 0
        let terms = Double(inputChannels) * Double(kernel[0] * kernel[1]) / Double(groups)
        let stride = geometry.stride.reduce(1.0) { $0 * Double($1) }
        let weight = try Tensor.normal(
            [inputChannels, channels / groups, kernel[0], kernel[1]],
            deviation: Float((2 * stride / max(1, terms)).squareRoot()), using: &random)
        var sources: [Source] = [.value(input), parameter(name + ".weight", weight)]
        if hasBias { sources.append(parameter(name + ".bias", try .zeros([channels]))) }
        return try add(name, ConvTranspose2D(geometry, outputPadding: outputPadding, hasBias: hasBias), sources)
    }

    /// Normalisation of each sample over its last `dimensionCount` dimensions, with factors of 1 and offsets of 0.
    public mutating func layerNorm(
        _ name: String, _ input: String, dimensionCount: Int = 1, epsilon: Double = 1e-5
    ) throws -> String {
        // The batch, which is the first dimension, is none to normalise over.
        let sample = shapes[input].map { Array($0.dims.dropFirst()) } ?? []
        guard (1...max(1, sample.count)).contains(dimensionCount) else {
            throw GraphFailure.invalidArchitecture(
                detail: "\(graph.name) › \(name): a sample of shape \(Shape(sample)) has no last \(dimensionCount) dimensions")
        }
        let shape = Shape(Array(sample.suffix(dimensionCount)))
        return try add(
            name, LayerNorm(dimensionCount: dimensionCount, epsilon: epsilon),
            [.value(input), parameter(name + ".weight", try .ones(shape)), parameter(name + ".bias", try .zeros(shape))])
    }

    /// A rectifier with a learned slope for each channel, which starts at 1/4.
    public mutating func parametricReLU(_ name: String, _ input: String) throws -> String {
        let sample = shapes[input].map { Array($0.dims.dropFirst()) } ?? []
        let slopes = [sample.first ?? 1] + [Int](repeating: 1, count: max(0, sample.count - 1))
        return try add(name, PReLU(), [.value(input), parameter(name + ".weight", try .full(Shape(slopes), 0.25))])
    }

    /// Batch normalisation of each channel, or of each feature of vectors.
    public mutating func batchNorm(
        _ name: String, _ input: String, epsilon: Double = 1e-5, momentum: Double = 0.1
    ) throws -> String {
        let channels = shapes[input]?.dims.dropFirst().first ?? 0
        return try add(
            name, BatchNorm(epsilon: epsilon, momentum: momentum),
            [
                .value(input), parameter(name + ".weight", try .ones([channels])),
                parameter(name + ".bias", try .zeros([channels])),
                parameter(name + ".running_mean", try .zeros([channels]), isTrainable: false),
                parameter(name + ".running_var", try .ones([channels]), isTrainable: false),
            ])
    }

    /// A linear layer whose weights and bias are uniform in ±1/√I.
    public mutating func linear(
        _ name: String, _ input: String, features: Int, hasBias: Bool = true
    ) throws -> String {
        guard features >= 1 else {
            throw GraphFailure.invalidArchitecture(detail: "\(graph.name) › \(name): \(features) features are no linear layer")
        }
        // Applied to the rows of an image it would be legal, but nobody means that.
        if let shape = shapes[input], shape.rank == 4 {
            throw LocatedFailure(
                path: [graph.name + " › " + name],
                underlying: OperationFailure.shapes(
                    operation: Linear.name, detail: "needs an input [N, I], but got \(shape): flatten it first"))
        }
        let inputs = shapes[input]?.dims.last ?? 0
        let bound = 1 / Float(max(1, inputs)).squareRoot()
        let weight = try Tensor.uniform([features, inputs], low: -bound, high: bound, using: &random)
        var sources: [Source] = [.value(input), parameter(name + ".weight", weight)]
        if hasBias {
            let bias = try Tensor.uniform([features], low: -bound, high: bound, using: &random)
            sources.append(parameter(name + ".bias", bias))
        }
        return try add(name, Linear(hasBias: hasBias), sources)
    }

    /// Adds a learned tensor to every sample, as transformers add embeddings of positions: normal numbers, which training
    /// changes. Its parameter is called like the node.
    public mutating func embedding(_ name: String, _ input: String, deviation: Double = 0.02) throws -> String {
        let sample = shapes[input].map { Array($0.dims.dropFirst()) } ?? []
        let start = try Tensor.normal(Shape([1] + sample), deviation: Float(deviation), using: &random)
        return try add(name, Add(), [.value(input), parameter(name, start)])
    }

    /// Dropout with its pass count, which starts at 0.
    public mutating func dropout(_ name: String, _ input: String, probability: Double) throws -> String {
        // 53 bits: every seed is exact wherever numbers are doubles.
        let operation = Dropout(probability: probability, seed: Int(random.next() >> 11))
        return try add(name, operation, [.value(input), parameter(name + ".count", try .zeros([1]), isTrainable: false)])
    }

    public mutating func apply(_ name: String, _ operation: any GraphOperation, _ inputs: String...) throws -> String {
        try add(name, operation, inputs.map { .value($0) })
    }

    /// The shape of a value for a batch of one.
    public func shape(of value: String) -> Shape? { shapes[value] }

    /// The finished graph with these results, verified.
    public func finish(outputs: [String]) throws -> Graph {
        var graph = graph
        graph.outputs = outputs
        try Verifier.verify(graph)
        return graph
    }
}
