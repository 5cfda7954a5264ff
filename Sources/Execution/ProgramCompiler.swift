import Basics
import COneDNN
import Graphs
import Operations
import Tensors

/// Turns a fused graph into steps: first every value gets a block and every node an emitter, then blocks become
/// memory and emitters bind to it. One plan can be materialised several times, for workers side by side.
struct ProgramCompiler {
    /// Makes a node's steps once the blocks have memory.
    typealias Emitter = (Memory) throws -> [CompiledSteps.Step]

    /// The blocks' memory, the scratch all primitives share, and the ports by name.
    struct Memory {
        let storages: [Storage]
        let scratch: Storage?
        let ports: [String: Port]

        /// The memory of a value that is behind no port.
        func storage(_ value: PlannedValue) -> Storage {
            if case .given(let storage) = value.place { storage } else { storages[value.block.index] }
        }
        func tensor(_ value: PlannedValue) -> Tensor { value.tensor(on: storage(value)) }
        func pointer(_ value: PlannedValue) -> UnsafeMutableRawPointer { storage(value).pointer }

        func port(_ value: PlannedValue) -> Port? {
            if case .port(let name) = value.place { ports[name] } else { nil }
        }
    }

    let graph: Graph
    let precision: Precision
    private let watch: MagnitudeWatch?
    private let shapes: [String: Shape]
    private let lastUses: [String: Int]
    /// By the position of a convolution, that of the function which its kernel applies to its result.
    let activations: [Int: Int]
    private var buffers = BufferPlan()
    private var values: [String: PlannedValue] = [:]
    private var emitters: [(label: CompiledSteps.Label, make: Emitter)] = []
    /// What the steps emitted just now belong to.
    private var nodeName = ""
    private var scratchByteCount = 0
    private var inputPorts: [String] = []
    private var results: [PlannedValue] = []

    /// - Parameter watch: looks at every value as it is made.
    init(_ graph: Graph, batch: Int, precision: Precision, watch: MagnitudeWatch?) throws {
        self.graph = graph
        self.precision = precision
        self.watch = watch
        shapes = try ShapeInference.shapes(of: graph, batch: batch)
        lastUses = Liveness.lastUses(of: graph)
        activations = Self.activations(of: graph)
    }

    /// - Parameters:
    ///   - given: inputs that the caller has already placed, with format and memory; each run says where the others are, in the
    ///     plain format.
    ///   - raw: results that keep their format, unless that is bfloat16.
    ///   - formats: the formats of results that have one of these; the others are plain.
    mutating func plan(
        given: [String: Tensor] = [:], raw: Set<String> = [], formats: [String: ActivationFormat] = [:]
    ) throws {
        for input in graph.inputs { planInput(input, given[input.name]) }
        let isDone = Set(activations.values)
        for (index, node) in graph.nodes.enumerated() {
            nodeName = node.name
            if !isDone.contains(index) {
                try located("\(graph.name) › \(node.name) › \(node.operation.name)") { try plan(node, at: index) }
                for name in activations[index].map({ graph.nodes[$0].outputs }) ?? node.outputs { emitLook(at: name) }
            }
            for name in Set(node.valueInputs + node.outputs) where lastUses[name] == index { release(name) }
        }
        for (position, name) in graph.outputs.enumerated() {
            guard let value = values[name] else { throw GraphFailure.unknownOutput(graph: graph.name, value: name) }
            nodeName = "result " + name
            let own = raw.contains(name) && value.format != .bfloat16 ? value.format : .plain
            try planOutput(value, Self.resultPort(position), in: formats[name] ?? own)
        }
    }

    private static func resultPort(_ position: Int) -> String { "result \(position)" }

    private mutating func planInput(_ input: GraphInput, _ given: Tensor?) {
        let shape = shapes[input.name] ?? []
        let name = input.name
        nodeName = name
        if let given {
            let format = given.rank == 4 ? given.activationFormat ?? .plain : .plain
            values[name] = PlannedValue(shape: shape, format: format, place: .given(given.storage))
            return
        }
        inputPorts.append(name)
        if isReadByPrimitivesOnly(input) {
            values[name] = PlannedValue(shape: shape, format: .plain, place: .port(name))
            return
        }
        let value = define(name, .plain)
        emit { memory in
            guard let port = memory.ports[name] else { return [] }
            let target = memory.pointer(value)
            return [{ port.copy(value.byteCount, to: target) }]
        }
    }

    private func isReadByPrimitivesOnly(_ input: GraphInput) -> Bool {
        shapes[input.name]?.rank == 4 && !graph.outputs.contains(input.name)
            && graph.nodes.allSatisfy { node in
                guard node.valueInputs.contains(input.name) else { return true }
                return Self.route(of: node, graph, shapes).readsPort(input.name, node)
            }
    }

    private mutating func planOutput(_ value: PlannedValue, _ name: String, in format: ActivationFormat) throws {
        var target = value
        target.place = .port(name)
        if value.format != format {
            target = PlannedValue(shape: value.shape, format: format, place: .port(name))
            let primitive = try Reorder.primitive(value.shape, from: value.format, to: format)
            emitPrimitive(primitive, [(cod_src, value), (cod_dst, target)], isAuxiliary: true)
        } else {
            emit(isAuxiliary: true) { memory in
                guard let port = memory.ports[name] else { return [] }
                let source = memory.pointer(value)
                return [{ port.copy(value.byteCount, from: source) }]
            }
        }
        results.append(target)
    }

    private mutating func plan(_ node: Node, at index: Int) throws {
        switch Self.route(of: node, graph, shapes) {
        case .linear(let linear): try planLinear(node, linear)
        case .function(let function): try planActivation(node, function, at: index)
        case .gate(let found): try planGate(node, found, at: index)
        case .channelVector(let found): try planChannelVector(node, found, at: index)
        case .convolution(let conv): try planConvolution(node, conv, at: index)
        case .pooling(let pool): try planPooling(node, pool)
        case .adaptivePooling: try planAdaptivePooling(node)
        case .subsample(let shortcut): try planSubsample(node, shortcut)
        case .sum(let add): try planSum(node, add)
        case .batchNorm(let norm): try planBatchNorm(node, norm, at: index)
        case .concatenation: try planConcatenation(node)
        case .channelSlice(let slice): try planChannelSlice(node, slice)
        case .flatten: try planFlatten(node)
        case .evaluation: try planGeneric(node)
        case .unknown: throw ExecutionFailure.noSteps(operation: node.operation.name)
        }
    }

    /// Whether values and parameters stand where the special ways expect them; in a graph they need not.
    static func isUsual(_ node: Node) -> Bool {
        let hasWeights = node.operation is Conv2D || node.operation is BatchNorm || node.operation is Linear
        let addsResidual = (node.operation as? Conv2D)?.addsResidual == true
        return node.inputs.enumerated().allSatisfy { position, source in
            let expectsValue = !hasWeights || position == 0 || addsResidual && position == node.inputs.count - 1
            if case .value = source { return expectsValue } else { return !expectsValue }
        }
    }

    /// Allocates memory and lets every emitter bind to it.
    func materialize() throws -> CompiledSteps {
        let storages = try buffers.byteCounts.map { try Storage(byteCount: $0) }
        let scratch = scratchByteCount > 0 ? try Storage(byteCount: scratchByteCount) : nil
        let outputPorts = results.indices.map(Self.resultPort)
        let ports = Dictionary((inputPorts + outputPorts).map { ($0, Port()) }, uniquingKeysWith: { first, _ in first })
        let memory = Memory(storages: storages, scratch: scratch, ports: ports)
        return CompiledSteps(
            outputs: results, bufferByteCount: buffers.totalByteCount + scratchByteCount,
            inputPorts: inputPorts.compactMap { ports[$0] }, outputPorts: outputPorts.compactMap { ports[$0] },
            steps: try emitters.flatMap { emitter in try emitter.make(memory).map { (emitter.label, $0) } },
            memory: memory)
    }

    // MARK: What the planners of the operations use

    mutating func define(_ name: String, _ format: ActivationFormat) -> PlannedValue {
        let shape = shapes[name] ?? []
        var value = PlannedValue(shape: shape, format: format)
        value.block = buffers.allocate(max(4, value.byteCount))
        values[name] = value
        return value
    }

    /// Lets `name` take over the block of `other`, which nothing reads afterwards.
    mutating func define(_ name: String, inPlaceOf other: String) -> PlannedValue? {
        guard let value = values.removeValue(forKey: other) else { return nil }
        values[name] = value
        return value
    }

    /// - Parameters:
    ///   - implementation: what does the work, for profiles.
    ///   - isAuxiliary: whether it only copies or looks, so that no profile calls the node by it.
    mutating func emit(_ implementation: String = "loop", isAuxiliary: Bool = false, _ emitter: @escaping Emitter) {
        emitters.append((.init(node: nodeName, implementation: implementation, isAuxiliary: isAuxiliary), emitter))
    }
    private mutating func reserveScratch(_ byteCount: Int) { scratchByteCount = max(scratchByteCount, byteCount) }

    func parameter(_ source: Source, of node: Node) throws -> Tensor {
        guard case .parameter(let name) = source, let parameter = graph.parameters[name] else {
            throw GraphFailure.unknownParameter(graph: graph.name, node: node.name, parameter: "\(source)")
        }
        return parameter.tensor
    }

    func valueName(_ source: Source, of node: Node) throws -> String {
        guard case .value(let name) = source, values[name] != nil else {
            throw GraphFailure.unknownValue(graph: graph.name, node: node.name, value: "\(source)")
        }
        return name
    }

    func planned(_ name: String) throws -> PlannedValue {
        guard let value = values[name] else {
            throw GraphFailure.unknownValue(graph: graph.name, node: name, value: name)
        }
        return value
    }

    /// Whether `name` is read for the last time by node `index`, by nothing from outside, and is no input.
    func dies(_ name: String, at index: Int) -> Bool {
        lastUses[name] == index && !graph.inputs.contains { $0.name == name }
    }

    /// The value as float32, in the format it lies in where it is float32 already.
    mutating func float32Value(_ name: String) throws -> (value: PlannedValue, isCopy: Bool) {
        let format = try planned(name).format
        return try value(name, in: format == .bfloat16 ? .blocked : format)
    }

    /// The value in `format`: itself, or a reordered copy in a block that is free again afterwards.
    mutating func value(_ name: String, in format: ActivationFormat) throws -> (value: PlannedValue, isCopy: Bool) {
        let own = try planned(name)
        if own.format == format { return (own, false) }
        var copy = PlannedValue(shape: own.shape, format: format)
        copy.block = buffers.allocate(copy.byteCount)
        try emitCopy(from: own, to: copy)
        return (copy, true)
    }

    /// Copies a value into another of its shape, in a format of its own.
    mutating func emitCopy(from source: PlannedValue, to target: PlannedValue) throws {
        if source.format == target.format {
            return emit(isAuxiliary: true) { memory in
                let (from, to) = (memory.pointer(source), memory.pointer(target))
                return [{ to.copyMemory(from: from, byteCount: source.byteCount) }]
            }
        }
        let primitive = try Reorder.primitive(source.shape, from: source.format, to: target.format)
        emitPrimitive(primitive, [(cod_src, source), (cod_dst, target)], isAuxiliary: true)
    }

    /// Lets the watch look at a value, where there is one.
    private mutating func emitLook(at name: String) {
        guard let watch, let value = values[name] else { return }
        emit(isAuxiliary: true) { memory in
            let start = memory.pointer(value)
            return [{ watch.look(at: start, value.storedElementCount, isBFloat16: value.format == .bfloat16) }]
        }
    }

    /// Runs a primitive on planned values, and on memory that is kept with the program.
    mutating func emitPrimitive(
        _ primitive: Primitive, _ values: [(cod_argument, PlannedValue)],
        fixed: [(argument: cod_argument, storage: Storage, pointer: UnsafeMutableRawPointer)] = [],
        isAuxiliary: Bool = false
    ) {
        reserveScratch(Int(cod_primitive_scratch_bytes(primitive.handle)))
        emit(primitive.implementation, isAuxiliary: isAuxiliary) { memory in
            let arguments = values.map { ($0.0, memory.port($0.1) == nil ? memory.pointer($0.1) : nil) }
            let bound = try BoundPrimitive(
                primitive, arguments + fixed.map { ($0.argument, $0.pointer) }, scratch: memory.scratch,
                keeping: fixed.map(\.storage))
            for (argument, value) in values { memory.port(value)?.attach(bound, argument) }
            return [{ try bound.run() }]
        }
    }

    mutating func releaseCopy(_ copy: (value: PlannedValue, isCopy: Bool)) {
        if copy.isCopy { buffers.release(copy.value.block) }
    }

    private mutating func release(_ name: String) {
        guard !graph.inputs.contains(where: { $0.name == name }), let value = values.removeValue(forKey: name) else {
            return
        }
        buffers.release(value.block)
    }
}
