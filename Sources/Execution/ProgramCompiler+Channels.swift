import COneDNN
import Graphs
import Operations
import Tensors

/// Operations that treat every channel alike or move whole blocks of channels: all of them on blocked activations.
extension ProgramCompiler {
    /// The gate [N, C, 1, 1] of a product with an activation [N, C, H, W], as squeeze and excitation makes it.
    static func gate(of node: Node, _ shapes: [String: Shape]) -> (input: String, gate: String)? {
        guard node.operation is Multiply, node.valueInputs.count == 2 else { return nil }
        let (a, b) = (node.valueInputs[0], node.valueInputs[1])
        return [(a, b), (b, a)].first { input, gate in
            guard let shape = shapes[input], shape.rank == 4 else { return false }
            return shapes[gate] == [shape[0], shape[1], 1, 1] && shapes[gate] != shape
        }
    }

    /// A parameter [C, 1, 1] or [1, C, 1, 1] that scales or shifts the channels of an activation [N, C, H, W].
    static func channelVector(of node: Node, _ graph: Graph, _ shapes: [String: Shape]) -> (input: String, vector: String)? {
        guard node.operation is Multiply || (node.operation as? Add)?.hasReLU == false, node.valueInputs.count == 1,
            node.parameterInputs.count == 1, let shape = shapes[node.valueInputs[0]], shape.rank == 4,
            let dims = graph.parameters[node.parameterInputs[0]]?.tensor.shape.dims,
            dims == [shape[1], 1, 1] || dims == [1, shape[1], 1, 1]
        else { return nil }
        return (node.valueInputs[0], node.parameterInputs[0])
    }

    /// Whether the inputs of a concatenation of channels fill whole blocks, the last one aside.
    static func movesBlocks(_ concatenation: Concatenate, _ node: Node, _ shapes: [String: Shape]) -> Bool {
        concatenation.dimension == 1 && node.inputs.count == node.valueInputs.count
            && node.valueInputs.allSatisfy { shapes[$0]?.rank == 4 }
            && node.valueInputs.dropLast().allSatisfy { (shapes[$0]?[1] ?? 1) % Layout.channelBlock == 0 }
    }

    /// Whether a slice takes whole blocks of channels, or blocks up to the end.
    static func movesBlocks(_ slice: Slice, _ node: Node, _ shapes: [String: Shape]) -> Bool {
        guard let input = shapes[node.valueInputs[0]], let output = shapes[node.name] else { return false }
        return slice.dimension == 1 && slice.step == 1 && input.rank == 4 && slice.start % Layout.channelBlock == 0
            && (output[1] % Layout.channelBlock == 0 || slice.start + output[1] == input[1])
    }

    mutating func planBatchNorm(_ node: Node, _ norm: BatchNorm, at index: Int) throws {
        let vectors = try node.inputs[1..<5].map { try parameter($0, of: node) }
        let factor = try vectors[0].dividing(vectors[3].adding(norm.epsilon).squareRoot())
        let offset = try vectors[1].subtracting(vectors[2].multiplying(factor))
        try planChannelMap(node, valueName(node.inputs[0], of: node), factor, offset, hasReLU: norm.hasReLU, at: index)
    }

    mutating func planChannelVector(_ node: Node, _ found: (input: String, vector: String), at index: Int) throws {
        let vector = try parameter(.parameter(found.vector), of: node).reshaped([-1])
        let isFactor = node.operation is Multiply
        try planChannelMap(
            node, found.input, isFactor ? vector : .ones(vector.shape), isFactor ? .zeros(vector.shape) : vector,
            hasReLU: false, at: index)
    }

    private mutating func planChannelMap(
        _ node: Node, _ input: String, _ factor: Tensor, _ offset: Tensor, hasReLU: Bool, at index: Int
    ) throws {
        let source = try value(input, in: .blocked)
        let map = try BatchNormalization.ChannelMap(source.value.shape, factor: factor, offset: offset, hasReLU: hasReLU)
        let target = inPlace(node, of: input, unless: source.isCopy, at: index)
        emit { memory in
            let (x, y) = (memory.tensor(source.value), memory.tensor(target))
            return [{ map.run(x.base(), into: y.base()) }]
        }
        releaseCopy(source)
    }

    mutating func planGate(_ node: Node, _ found: (input: String, gate: String), at index: Int) throws {
        let source = try value(found.input, in: .blocked)
        let gate = try value(found.gate, in: .blocked)
        let target = inPlace(node, of: found.input, unless: source.isCopy, at: index)
        emit { memory in
            let (x, factor, y) = (memory.tensor(source.value), memory.tensor(gate.value), memory.tensor(target))
            return [{ BatchNormalization.scaleChannels(x.base(), x.shape, by: factor.base(), into: y.base()) }]
        }
        releaseCopy(source)
        releaseCopy(gate)
    }

    /// The result in the block of `input` where that is blocked and read by nothing else, or in one of its own.
    private mutating func inPlace(_ node: Node, of input: String, unless isCopy: Bool, at index: Int) -> PlannedValue {
        if !isCopy, dies(input, at: index), let value = define(node.name, inPlaceOf: input) { return value }
        return define(node.name, .blocked)
    }

    mutating func planConcatenation(_ node: Node) throws {
        let sources = try node.valueInputs.map { try value($0, in: .blocked) }
        let target = define(node.name, .blocked)
        emit { memory in
            let to = memory.tensor(target)
            var start = 0
            return sources.map { source in
                let from = memory.tensor(source.value)
                defer { start += ChannelBlocks.count(from.shape) }
                let copy = ChannelBlocks(from: 0, to: start, count: ChannelBlocks.count(from.shape))
                return { copy.run(from, into: to) }
            }
        }
        for source in sources { releaseCopy(source) }
    }

    mutating func planChannelSlice(_ node: Node, _ slice: Slice) throws {
        let source = try value(valueName(node.inputs[0], of: node), in: .blocked)
        let target = define(node.name, .blocked)
        let copy = ChannelBlocks(from: slice.start / Layout.channelBlock, to: 0, count: ChannelBlocks.count(target.shape))
        emit { memory in
            let (from, to) = (memory.tensor(source.value), memory.tensor(target))
            return [{ copy.run(from, into: to) }]
        }
        releaseCopy(source)
    }
}

/// Blocks of channels that are copied from one blocked activation to another.
private struct ChannelBlocks {
    /// The first block there and here.
    let from: Int
    let to: Int
    let count: Int

    static func count(_ shape: Shape) -> Int { (shape[1] + Layout.channelBlock - 1) / Layout.channelBlock }

    func run(_ source: Tensor, into target: Tensor) {
        let size = source.shape[2] * source.shape[3] * Layout.channelBlock
        let (there, here) = (Self.count(source.shape), Self.count(target.shape))
        let (x, y) = (source.base(Float.self), target.base(Float.self))
        parallelFor(source.shape[0] * count, grain: max(1, Elementwise.grain / size)) { range in
            for tile in range {
                let (image, block) = (tile / count, tile % count)
                let from = x + (image * there + from + block) * size
                (y + (image * here + to + block) * size).update(from: from, count: size)
            }
        }
    }
}
