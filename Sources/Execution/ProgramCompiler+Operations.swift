import COneDNN
import Graphs
import Operations
import Tensors

/// How each operation becomes steps.
extension ProgramCompiler {
    /// The residual is added in its own block when this is its last reader, and in a copy otherwise.
    mutating func planConvolution(_ node: Node, _ conv: Conv2D, at index: Int) throws {
        let input = try valueName(node.inputs[0], of: node)
        let weight = try parameter(node.inputs[1], of: node)
        let bias = conv.hasBias ? try parameter(node.inputs[2], of: node).contiguous() : nil
        let primitive = try Convolution.primitive(
            cod_forward_inference, input: planned(input).shape, weight: weight.shape, geometry: conv.geometry,
            hasBias: conv.hasBias, hasSum: conv.addsResidual, hasReLU: conv.hasReLU)
        let source = try value(input, in: primitive.format(of: cod_src))
        let target = try planTarget(node, conv, at: index, format: primitive.format(of: cod_dst))
        let packed = try primitive.packed(weight, as: cod_weights)
        emitPrimitive(
            primitive, [(cod_src, source.value), (cod_dst, target)],
            fixed: [(cod_weights, packed, packed.pointer)] + (bias.map { [(cod_bias, $0.storage, $0.rawBase)] } ?? []))
        releaseCopy(source)
    }

    private mutating func planTarget(
        _ node: Node, _ conv: Conv2D, at index: Int, format: ActivationFormat
    ) throws -> PlannedValue {
        guard conv.addsResidual, let last = node.inputs.last else { return define(node.name, format) }
        let residual = try valueName(last, of: node)
        let input = try valueName(node.inputs[0], of: node)
        if dies(residual, at: index), try planned(residual).format == format, residual != input,
            let value = define(node.name, inPlaceOf: residual)
        {
            return value
        }
        let summand = try planned(residual)
        let target = define(node.name, format)
        try emitCopy(from: summand, to: target)
        return target
    }

    mutating func planPooling(_ node: Node, _ pool: Pool2D) throws {
        let input = try valueName(node.inputs[0], of: node)
        let source = try value(input, in: .blocked)
        let primitive = try Pooling.primitive(cod_forward_inference, source.value.shape, pool.geometry, .blocked)
        let target = define(node.name, .blocked)
        emitPrimitive(primitive, [(cod_src, source.value), (cod_dst, target)])
        releaseCopy(source)
    }

    mutating func planSubsample(_ node: Node, _ shortcut: SubsamplePad) throws {
        let input = try valueName(node.inputs[0], of: node)
        let source = try value(input, in: .blocked)
        let target = define(node.name, .blocked)
        emit { memory in
            let (from, to) = (memory.tensor(source.value), memory.tensor(target))
            return [{
                ChannelShift.subsample(
                    from.base(), from.shape, into: to.base(), to.shape, stride: shortcut.stride, before: shortcut.before)
            }]
        }
        releaseCopy(source)
    }

    mutating func planAdaptivePooling(_ node: Node) throws {
        let source = try value(valueName(node.inputs[0], of: node), in: .blocked)
        let target = define(node.name, .plain)
        emit { memory in
            let (from, to) = (memory.tensor(source.value), memory.tensor(target))
            return [{ AdaptivePooling.forward(from, into: to) }]
        }
        releaseCopy(source)
    }

    mutating func planRectifier(_ node: Node) throws {
        let source = try planned(valueName(node.inputs[0], of: node))
        let target = define(node.name, source.format)
        emit { memory in
            let (from, to) = (memory.tensor(source), memory.tensor(target))
            return [{ Elementwise.rectified(from, into: to) }]
        }
    }

    mutating func planFlatten(_ node: Node) throws {
        let source = try value(valueName(node.inputs[0], of: node), in: .plain)
        let target = define(node.name, .plain)
        emit { memory in
            let (from, to) = (memory.pointer(source.value), memory.pointer(target))
            let byteCount = target.byteCount
            return [{ to.copyMemory(from: from, byteCount: byteCount) }]
        }
        releaseCopy(source)
    }

    mutating func planSum(_ node: Node, _ add: Add) throws {
        let (first, second) = (try valueName(node.inputs[0], of: node), try valueName(node.inputs[1], of: node))
        let format = try planned(first).format
        let (a, b) = (try planned(first), try value(second, in: format))
        let target = define(node.name, format)
        emit { memory in
            let (x, y, z) = (memory.tensor(a), memory.tensor(b.value), memory.tensor(target))
            return [{
                if add.hasReLU { Elementwise.rectifiedSum(x, y, into: z) } else { Elementwise.sum(x, y, into: z) }
            }]
        }
        releaseCopy(b)
    }

    /// Over the stored elements, in place where nothing else reads the input. Zeros that fill up blocks of channels
    /// stay zeros, as the limits are on both sides of 0.
    mutating func planClip(_ node: Node, _ clip: Clip, at index: Int) throws {
        let input = try valueName(node.inputs[0], of: node)
        let source = try planned(input)
        let target = (dies(input, at: index) ? define(node.name, inPlaceOf: input) : nil) ?? define(node.name, source.format)
        let (low, high) = (Float(clip.low), Float(clip.high))
        emit { memory in
            let (x, y) = (memory.tensor(source), memory.tensor(target))
            return [{ Elementwise.clamp(x, low: low, high: high, into: y) }]
        }
    }

    /// Evaluates the operation as on the tape and copies its results into place.
    mutating func planGeneric(_ node: Node) throws {
        var sources: [Operand] = []
        for source in node.inputs {
            switch source {
            case .parameter: sources.append(.parameter(try parameter(source, of: node)))
            case .value(let name): sources.append(.value(try planned(name)))
            }
        }
        let arguments = sources
        let targets = node.outputs.map { define($0, .plain) }
        let operation = node.operation
        emit("general") { memory in
            let inputs = arguments.map { argument in
                switch argument {
                case .parameter(let tensor): tensor
                case .value(let value): memory.tensor(value)
                }
            }
            let outputs = targets.map(memory.tensor)
            return [{
                for (result, output) in zip(try operation.evaluate(inputs, .inference).outputs, outputs) {
                    try result.contiguous().reorder(into: output)
                }
            }]
        }
    }

    private enum Operand {
        case parameter(Tensor)
        case value(PlannedValue)
    }
}
