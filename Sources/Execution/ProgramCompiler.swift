import Basics
import COneDNN
import Graphs
import Operations
import Tensors

/// Turns a fused graph into steps: first every value gets a block and every node an emitter, then blocks become
/// memory and emitters bind to it.
struct ProgramCompiler {
    typealias Step = InferenceProgram.Step
    /// Makes a node's steps once the blocks have memory.
    typealias Emitter = (Memory) throws -> [Step]

    struct Compiled {
        let inputs: [Tensor]
        let outputs: [Tensor]
        let steps: [Step]
        let bufferByteCount: Int
        let tapRelay: TapRelay
        /// What the steps point into.
        let memory: Memory
    }

    /// The blocks' memory and the scratch all primitives share.
    struct Memory {
        let storages: [Storage]
        let scratch: Storage?

        func tensor(_ value: PlannedValue) -> Tensor { value.tensor(on: storages[value.block.index]) }
        func pointer(_ value: PlannedValue) -> UnsafeMutableRawPointer { storages[value.block.index].pointer }
    }

    let graph: Graph
    private let taps: Set<String>
    private let shapes: [String: Shape]
    private let lastUses: [String: Int]
    private let relay = TapRelay()
    private var buffers = BufferPlan()
    private var values: [String: PlannedValue] = [:]
    private var emitters: [Emitter] = []
    private var scratchByteCount = 0

    init(_ graph: Graph, batch: Int, taps: Set<String>) throws {
        self.graph = graph
        self.taps = taps
        shapes = try ShapeInference.shapes(of: graph, batch: batch)
        lastUses = Liveness.lastUses(of: graph)
    }

    mutating func plan() throws {
        for input in graph.inputs { _ = define(input.name, .plain) }
        for (index, node) in graph.nodes.enumerated() {
            try located("\(graph.name) › \(node.name) › \(node.operation.name)") { try plan(node, at: index) }
            for name in node.outputs where taps.contains(name) {
                guard let value = values[name] else { continue }
                let relay = relay
                emitters.append { memory in
                    let tensor = memory.tensor(value)
                    return [{ try relay.receiver?(name, tensor) }]
                }
            }
            for name in Set(node.valueInputs + node.outputs) where lastUses[name] == index { release(name) }
        }
    }

    private mutating func plan(_ node: Node, at index: Int) throws {
        guard isUsual(node) else { return try planGeneric(node) }
        switch node.operation {
        case let conv as Conv2D: try planConvolution(node, conv, at: index)
        case let pool as Pool2D: try planPooling(node, pool)
        case let shortcut as SubsamplePad: try planSubsample(node, shortcut)
        case let add as Add: try planSum(node, add)
        case let clip as Clip where clip.low <= 0 && clip.high >= 0: try planClip(node, clip, at: index)
        default: try planGeneric(node)
        }
    }

    /// Whether values and parameters stand where the special ways expect them; in a graph they need not.
    private func isUsual(_ node: Node) -> Bool {
        let isConvolution = node.operation is Conv2D
        let addsResidual = (node.operation as? Conv2D)?.addsResidual == true
        return node.inputs.enumerated().allSatisfy { position, source in
            let expectsValue = !isConvolution || position == 0 || addsResidual && position == node.inputs.count - 1
            if case .value = source { return expectsValue } else { return !expectsValue }
        }
    }

    /// Allocates memory and lets every emitter bind to it.
    func materialize() throws -> Compiled {
        let storages = try buffers.byteCounts.map { try Storage(byteCount: $0) }
        let scratch = scratchByteCount > 0 ? try Storage(byteCount: scratchByteCount) : nil
        let memory = Memory(storages: storages, scratch: scratch)
        func named(_ name: String) throws -> Tensor {
            guard let value = values[name] else {
                throw GraphFailure.unknownOutput(graph: graph.name, value: name)
            }
            return memory.tensor(value)
        }
        return Compiled(
            inputs: try graph.inputs.map { try named($0.name) }, outputs: try graph.outputs.map(named),
            steps: try emitters.flatMap { try $0(memory) }, bufferByteCount: buffers.totalByteCount + scratchByteCount,
            tapRelay: relay, memory: memory)
    }

    // MARK: What the planners of the operations use

    mutating func define(_ name: String, _ format: ActivationFormat) -> PlannedValue {
        let shape = shapes[name] ?? []
        var value = PlannedValue(block: .init(index: 0), shape: shape, format: format)
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

    mutating func emit(_ emitter: @escaping Emitter) { emitters.append(emitter) }
    mutating func reserveScratch(_ byteCount: Int) { scratchByteCount = max(scratchByteCount, byteCount) }

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

    /// The value in `format`: itself, or a reordered copy in a block that is free again afterwards.
    mutating func value(_ name: String, in format: ActivationFormat) throws -> (value: PlannedValue, isCopy: Bool) {
        let own = try planned(name)
        if own.format == format { return (own, false) }
        var copy = PlannedValue(block: .init(index: 0), shape: own.shape, format: format)
        copy.block = buffers.allocate(copy.byteCount)
        let target = copy
        emit { memory in
            let (from, to) = (memory.tensor(own), memory.tensor(target))
            return [{ try from.reorder(into: to) }]
        }
        return (copy, true)
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
