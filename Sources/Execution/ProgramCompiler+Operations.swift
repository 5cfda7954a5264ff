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
        let next = activations[index].map { graph.nodes[$0] }
        let activation = conv.hasReLU ? .rectifier() : next.flatMap(Self.kernel)
        let primitive = try Convolution.primitive(
            cod_forward_inference, input: planned(input).shape, weight: weight.shape, geometry: conv.geometry,
            hasBias: conv.hasBias, hasSum: conv.addsResidual, activation: activation,
            isBFloat16: precision == .bfloat16)
        let source = try value(input, in: primitive.format(of: cod_src))
        let target = try planTarget(next ?? node, node, conv, at: index, format: primitive.format(of: cod_dst))
        let packed = try primitive.packed(weight, as: cod_weights)
        emitPrimitive(
            primitive, [(cod_src, source.value), (cod_dst, target)],
            fixed: [(cod_weights, packed, packed.pointer)] + (bias.map { [(cod_bias, $0.storage, $0.rawBase)] } ?? []))
        releaseCopy(source)
    }

    /// - Parameter maker: the node whose value the result is.
    private mutating func planTarget(
        _ maker: Node, _ node: Node, _ conv: Conv2D, at index: Int, format: ActivationFormat
    ) throws -> PlannedValue {
        guard conv.addsResidual, let last = node.inputs.last else { return define(maker.name, format) }
        let residual = try valueName(last, of: node)
        let input = try valueName(node.inputs[0], of: node)
        if dies(residual, at: index), try planned(residual).format == format, residual != input,
            let value = define(maker.name, inPlaceOf: residual)
        {
            return value
        }
        let summand = try planned(residual)
        let target = define(maker.name, format)
        try emitCopy(from: summand, to: target)
        return target
    }

    mutating func planPooling(_ node: Node, _ pool: Pool2D) throws {
        let input = try valueName(node.inputs[0], of: node)
        let format: ActivationFormat = try planned(input).format == .bfloat16 ? .bfloat16 : .blocked
        let source = try value(input, in: format)
        let primitive = try Pooling.primitive(cod_forward_inference, source.value.shape, pool.geometry, format)
        let target = define(node.name, format)
        emitPrimitive(primitive, [(cod_src, source.value), (cod_dst, target)])
        releaseCopy(source)
    }

    mutating func planSubsample(_ node: Node, _ shortcut: SubsamplePad) throws {
        let input = try valueName(node.inputs[0], of: node)
        let source = try value(input, in: .blocked)
        let target = define(node.name, .blocked)
        emit { memory in
            let (from, to) = (memory.tensor(source.value), memory.tensor(target))
            return [
                {
                    ChannelShift.subsample(
                        from.base(), from.shape, into: to.base(), to.shape, stride: shortcut.stride, before: shortcut.before)
                }
            ]
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
        let a = try float32Value(first)
        let b = try value(second, in: a.value.format)
        let target = define(node.name, a.value.format)
        emit { memory in
            let (x, y, z) = (memory.tensor(a.value), memory.tensor(b.value), memory.tensor(target))
            return [
                {
                    if add.hasReLU { Elementwise.rectifiedSum(x, y, into: z) } else { Elementwise.sum(x, y, into: z) }
                }
            ]
        }
        releaseCopy(a)
        releaseCopy(b)
    }

    /// One matrix product over all positions, with the bias laid down first.
    mutating func planLinear(_ node: Node, _ linear: Linear) throws {
        let source = try value(valueName(node.inputs[0], of: node), in: .plain)
        let weight = try parameter(node.inputs[1], of: node).contiguous()
        let bias = linear.hasBias ? try parameter(node.inputs[2], of: node).contiguous() : nil
        let target = define(node.name, .plain)
        let (width, inner) = (weight.shape[0], weight.shape[1])
        let rows = source.value.shape.elementCount / inner
        emit("sgemm") { memory in
            let (x, y) = (memory.tensor(source.value), memory.tensor(target))
            return [
                {
                    let (from, to) = (x.base(Float.self), y.base(Float.self))
                    try withExtendedLifetime((weight, bias)) {
                        if let bias {
                            let first = bias.base(Float.self)
                            parallelFor(rows, grain: max(1, Elementwise.grain / width)) {
                                for row in $0 { (to + row * width).update(from: first, count: width) }
                            }
                        }
                        try MatrixPieces.multiply(
                            .init(from, stride: inner), .init(weight.base(), isTransposed: true, stride: inner), into: to, rows: rows,
                            columns: width, inner: inner, keeps: bias != nil, operation: "linear")
                    }
                }
            ]
        }
        releaseCopy(source)
    }

    /// Evaluates the operation as on the tape and copies its results into place.
    mutating func planGeneric(_ node: Node) throws {
        var sources: [Operand] = []
        var copies: [(value: PlannedValue, isCopy: Bool)] = []
        for source in node.inputs {
            switch source {
            case .parameter: sources.append(.parameter(try parameter(source, of: node)))
            case .value(let name):
                copies.append(try float32Value(name))
                sources.append(.value(copies[copies.count - 1].value))
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
            return [
                {
                    for (result, output) in zip(try operation.evaluate(inputs, .inference).outputs, outputs) {
                        try result.contiguous().reorder(into: output)
                    }
                }
            ]
        }
        for copy in copies { releaseCopy(copy) }
    }

    private enum Operand {
        case parameter(Tensor)
        case value(PlannedValue)
    }
}
