import Basics
import Graphs
import Operations
import Tensors

/// The graph that is being built of a file's nodes: gives names, keeps shapes with N open, and works out at once
/// whatever does not depend on the input.
struct GraphAssembly {
    /// Tensors that would be larger are not worked out at import.
    static let foldLimit = 1 << 28

    private(set) var graph: Graph
    /// Batch sizes that the shapes are worked out for; what they have in common gives extents with N open.
    private static let probes = [2, 3]
    private var shapes: [String: [Shape]] = [:]
    private var usedNames = Set<String>()
    /// The numbers that names which were wished for again got last.
    private var nameCounts: [String: Int] = [:]
    private var foldCount = 0
    /// The parameters by the name of the tensor in the file.
    private var parameterNames: [String: String] = [:]
    /// The number of samples the file was made for, where it fixes one.
    private(set) var fixedBatch: Int?
    /// By value, the extents that were joined with the batch from the left: 5 for [5·N, 8] made of [5, N, 8].
    private var joinedCounts: [String: Int] = [:]

    init(name: String) { graph = Graph(name: name) }

    mutating func addInput(_ name: String, sampleShape: Shape, fixedBatch: Int?) throws {
        try requireReasonable(sampleShape, name)
        graph.inputs.append(GraphInput(name: name, sampleShape: sampleShape))
        usedNames.insert(name)
        shapes[name] = Self.probes.map { Shape([$0] + sampleShape.dims) }
        if let fixedBatch { self.fixedBatch = fixedBatch }
    }

    mutating func setOutputs(_ names: [String]) { graph.outputs = names }

    /// The extents of a value.
    func extents(of value: ONNXValue) throws -> [Extent]? {
        switch value {
        case .constant(let constant): constant.tensor.shape.dims.map { Extent($0) }
        case .extents(let elements, let isScalar): isScalar ? [] : [Extent(elements.count)]
        case .value(let name): shapes[name].map { zip($0[0].dims, $0[1].dims).map { Extent(two: $0, three: $1) } }
        case .unknown: nil
        }
    }

    // MARK: Names

    /// `wish`, or with a number behind it when that is taken. A colon would mean another output of a node.
    mutating func uniqueName(_ wish: String) -> String {
        let base = String(wish.map { $0 == ":" ? "_" : $0 })
        var name = base
        while !usedNames.insert(name).inserted {
            nameCounts[base, default: 0] += 1
            name = "\(base)_\(nameCounts[base, default: 0])"
        }
        return name
    }

    // MARK: Nodes

    /// Adds an operation under `name` (made unique); an operation on constants is carried out instead.
    mutating func add(_ name: String, _ operation: any GraphOperation, _ inputs: [ONNXValue], weights: Bool = false) throws
        -> ONNXValue
    {
        // Numbers from a file pass the same checks here as those from one of ours.
        _ = try OperationCatalog.make(operation.name, operation.attributes.values)
        if let folded = try fold(name, operation, inputs) { return folded }
        let name = uniqueName(name)
        // Exporters write equal vectors once; for statistics and scales that is chance, and each layer gets its own.
        let isNorm = operation is BatchNorm || operation is LayerNorm
        let sources = try inputs.enumerated().map { position, input in
            let wish = weights ? Self.weightName(name, operation, position) : nil
            return try source(of: input, wish: wish, mayShare: !isNorm, in: name)
        }
        let outputs = try Self.probes.indices.map { probe in
            let inputShapes = sources.map { source -> Shape in
                switch source {
                case .value(let value): shapes[value]?[probe] ?? []
                case .parameter(let parameter): graph.parameters[parameter]?.tensor.shape ?? []
                }
            }
            return try operation.outputShapes(of: inputShapes)[0]
        }
        for output in outputs { try requireReasonable(output, name) }
        guard outputs[0].rank == outputs[1].rank else {
            throw GraphFailure.valueShape(graph: graph.name, value: name, shape: outputs[0])
        }
        shapes[name] = outputs
        joinedCounts[name] = try joinedCount(behind: operation, sources, extents(of: .value(name)) ?? [])
        graph.nodes.append(Node(name, operation, sources))
        return .value(name)
    }

    func joinedCount(of value: ONNXValue) -> Int {
        if case .value(let name) = value { joinedCounts[name] ?? 1 } else { 1 }
    }

    /// What is joined with the batch in a result; `nil` where that is nothing.
    private func joinedCount(behind operation: any GraphOperation, _ sources: [Source], _ made: [Extent]) throws -> Int? {
        for case .value(let name) in sources {
            guard let own = try extents(of: .value(name)), let front = Self.frontCount(own), let new = Self.frontCount(made)
            else { continue }
            let joined = joinedCounts[name] ?? 1
            if operation is Reshape || operation is Flatten {
                let leading = front * joined
                return new < leading && leading % new == 0 ? leading / new : nil
            }
            if joined > 1, own.first(where: { $0.perSample != 0 }) == made.first(where: { $0.perSample != 0 }) { return joined }
        }
        return nil
    }

    /// The elements in front of the extent that depends on N; `nil` where none does.
    static func frontCount(_ extents: [Extent]) -> Int? {
        guard let place = extents.firstIndex(where: { $0.perSample != 0 }) else { return nil }
        return extents[..<place].reduce(1) { $0 * $1.constant }
    }

    private func requireReasonable(_ shape: Shape, _ name: String) throws {
        guard ShapeInference.isReasonable(shape) else {
            throw GraphFailure.valueShape(graph: graph.name, value: name, shape: shape)
        }
    }

    private mutating func fold(_ name: String, _ operation: any GraphOperation, _ inputs: [ONNXValue]) throws -> ONNXValue? {
        var tensors: [Tensor] = []
        for input in inputs {
            switch input {
            case .constant(let constant): tensors.append(constant.tensor)
            case .extents(let elements, let isScalar):
                guard let tensor = try Self.tensor(elements, isScalar: isScalar) else { return nil }
                tensors.append(tensor)
            case .value, .unknown: return nil
            }
        }
        // Operations compute in float32, some on whole numbers too where all are.
        let isWhole = tensors.allSatisfy { $0.dtype == .int64 }
        if !(operation is Gather), !isWhole || !Self.takesWholeNumbers(operation) {
            tensors = try tensors.map { try $0.converted(to: .float32) }
        }
        let shapes = try operation.outputShapes(of: tensors.map(\.shape))
        guard Counts.product(shapes[0].dims) <= Self.foldLimit else {
            throw GraphFailure.valueShape(graph: graph.name, value: name, shape: shapes[0])
        }
        var result = try operation.evaluate(tensors, .inference).outputs[0]
        if isWhole { result = try result.converted(to: .int64) }
        foldCount += 1
        return .constant(ONNXConstant(result, name: name, form: "#\(foldCount)"))
    }

    private static func takesWholeNumbers(_ operation: any GraphOperation) -> Bool {
        switch operation {
        case is Add, is Subtract, is Multiply, is Reshape, is Transpose, is Slice, is Concatenate, is Expand, is Flatten: true
        default: false
        }
    }

    static func tensor(_ elements: [Extent], isScalar: Bool) throws -> Tensor? {
        let numbers = elements.compactMap(\.fixed)
        guard numbers.count == elements.count else { return nil }
        return try Tensor(numbers.map { Int64($0) }, shape: isScalar ? [] : [numbers.count])
    }

    // MARK: Parameters

    private static func weightName(_ layer: String, _ operation: any GraphOperation, _ position: Int) -> String? {
        switch (operation is BatchNorm, position) {
        case (_, 1): layer + ".weight"
        case (_, 2): layer + ".bias"
        case (true, 3): layer + ".running_mean"
        case (true, 4): layer + ".running_var"
        default: nil
        }
    }

    /// - Parameter wish: the name as a weight of a layer; `nil` for other constants, which keep the file's.
    private mutating func source(
        of value: ONNXValue, wish: String?, mayShare: Bool = true, in node: String
    ) throws -> Source {
        switch value {
        case .value(let name): return .value(name)
        case .constant(let constant):
            if mayShare, let known = parameterNames[constant.key] { return .parameter(known) }
            let name = uniqueName(wish ?? constant.name)
            let isStatistic = name.hasSuffix(".running_mean") || name.hasSuffix(".running_var")
            let isWeight = wish != nil && !isStatistic
            let isLearned = isWeight || constant.isInitializer && constant.tensor.dtype == .float32 && constant.tensor.elementCount > 1
            graph.parameters[name] = .init(
                tensor: try constant.tensor.converted(to: .float32), isTrainable: isLearned && !isStatistic)
            parameterNames[constant.key] = name
            return .parameter(name)
        case .extents(let elements, let isScalar):
            guard let tensor = try Self.tensor(elements, isScalar: isScalar) else {
                throw InterchangeFailure.unsupported(
                    source: graph.name, place: node, detail: "computes with the number of samples, \(elements)")
            }
            let constant = ONNXConstant(tensor, name: node + ".constant", form: "\(elements)")
            return try source(of: .constant(constant), wish: wish, mayShare: mayShare, in: node)
        case .unknown:
            throw InterchangeFailure.unsupported(
                source: graph.name, place: node, detail: "needs what an unsupported operator makes")
        }
    }

    /// Replaces the nodes, keeping the parameters that are still used.
    mutating func replaceNodes(_ nodes: [Node]) {
        graph.nodes = nodes
        graph.dropUnusedParameters()
    }
}
