import Graphs
import ONNXMessages
import Operations
import Tensors

/// How each operation is written.
enum ONNXNodeWriter {
    static func write(_ node: Node, _ writer: inout ONNXWriter) throws {
        if let plain = plainOperators[node.operation.name] {
            return writer.finish(node, plain, try node.inputs.map { try writer.input($0) })
        }
        if try writeLayer(node, &writer) { return }
        if try writeElementwise(node, &writer) { return }
        if try writeShape(node, &writer) { return }
        throw InterchangeFailure.notExportable(operation: node.operation.name, detail: "ONNX has no operator for it")
    }

    /// Operations that are one operator without attributes.
    private static let plainOperators: [String: String] = [
        ReLU.name: "Relu", Subtract.name: "Sub", Multiply.name: "Mul", Divide.name: "Div", Power.name: "Pow",
        MatrixMultiply.name: "MatMul", SquareRoot.name: "Sqrt", ErrorFunction.name: "Erf", Sigmoid.name: "Sigmoid",
        Tanh.name: "Tanh", Exponential.name: "Exp", Logarithm.name: "Log", Abs.name: "Abs", PReLU.name: "PRelu", HardSwish.name: "HardSwish",
        GlobalAveragePool2D.name: "GlobalAveragePool", Flatten.name: "Flatten",
    ]

    // MARK: Layers

    private static func writeLayer(_ node: Node, _ writer: inout ONNXWriter) throws -> Bool {
        switch node.operation {
        case let conv as Conv2D: try write(conv, node, &writer)
        case let conv as ConvTranspose2D:
            writer.finish(
                node, "ConvTranspose", try node.inputs.map { try writer.input($0) },
                attributes(conv.geometry) + [.ints("output_padding", conv.outputPadding)])
        case let linear as Linear: try write(linear, node, &writer)
        case let norm as BatchNorm:
            let inputs = try node.inputs.map { try writer.input($0) }
            let attributes: [Onnx_AttributeProto] = [
                .float("epsilon", norm.epsilon), .float("momentum", 1 - norm.momentum),
            ]
            guard norm.hasReLU else { writer.finish(node, "BatchNormalization", inputs, attributes); break }
            writer.finish(
                node, "Relu", [try writer.add("BatchNormalization", inputs, to: node.name + ".norm", attributes)])
        // Without its count of draws, which only training needs.
        case is Dropout: writer.finish(node, "Dropout", [try writer.input(node.inputs[0])])
        case let norm as LayerNorm:
            writer.finish(
                node, "LayerNormalization", try node.inputs.map { try writer.input($0) },
                [.int("axis", -norm.dimensionCount), .float("epsilon", norm.epsilon)])
        case let pool as Pool2D: write(pool.geometry, node, try writer.input(node.inputs[0]), &writer)
        case let pool as AdaptiveAveragePool2D: try write(pool, node, &writer)
        case let mean as ReduceMean:
            writer.finish(
                node, "ReduceMean", [try writer.input(node.inputs[0])],
                [.ints("axes", mean.dimensions), .int("keepdims", mean.keepsDimensions ? 1 : 0)])
        case is Softmax: writer.finish(node, "Softmax", [try writer.input(node.inputs[0])], [.int("axis", -1)])
        case is LogSoftmax: writer.finish(node, "LogSoftmax", [try writer.input(node.inputs[0])], [.int("axis", -1)])
        default: return false
        }
        return true
    }

    private static func attributes(_ geometry: ConvolutionGeometry) -> [Onnx_AttributeProto] {
        [
            .ints("strides", geometry.stride), .ints("pads", geometry.padding), .ints("dilations", geometry.dilation),
            .int("group", geometry.groups),
        ]
    }

    private static func write(_ conv: Conv2D, _ node: Node, _ writer: inout ONNXWriter) throws {
        var inputs = try node.inputs.map { try writer.input($0) }
        let residual = conv.addsResidual ? inputs.removeLast() : nil
        guard residual != nil || conv.hasReLU else {
            return writer.finish(node, "Conv", inputs, attributes(conv.geometry))
        }
        var y = try writer.add("Conv", inputs, to: node.name + ".conv", attributes(conv.geometry))
        guard let residual else { return writer.finish(node, "Relu", [y]) }
        guard conv.hasReLU else { return writer.finish(node, "Add", [y, residual]) }
        y = try writer.add("Add", [y, residual], to: node.name + ".sum")
        writer.finish(node, "Relu", [y])
    }

    /// A Gemm on matrices; on sequences the product and the sum that exporters write.
    private static func write(_ linear: Linear, _ node: Node, _ writer: inout ONNXWriter) throws {
        let inputs = try node.inputs.map { try writer.input($0) }
        guard writer.shape(of: node.inputs[0]).rank > 2 else {
            return writer.finish(node, "Gemm", inputs, [.int("transB", 1)])
        }
        let weight = try writer.add("Transpose", [inputs[1]], to: inputs[1] + ".transposed", [.ints("perm", [1, 0])])
        guard linear.hasBias else { return writer.finish(node, "MatMul", [inputs[0], weight]) }
        writer.finish(node, "Add", [try writer.add("MatMul", [inputs[0], weight], to: node.name + ".product"), inputs[2]])
    }

    private static func write(_ geometry: PoolingGeometry, _ node: Node, _ input: String, _ writer: inout ONNXWriter) {
        let shape: [Onnx_AttributeProto] = [
            .ints("kernel_shape", geometry.window), .ints("strides", geometry.stride), .ints("pads", geometry.padding),
        ]
        switch geometry.kind {
        case .max: writer.finish(node, "MaxPool", [input], shape)
        case .average: writer.finish(node, "AveragePool", [input], shape)
        case .averageWithPadding: writer.finish(node, "AveragePool", [input], shape + [.int("count_include_pad", 1)])
        }
    }

    private static func write(_ pool: AdaptiveAveragePool2D, _ node: Node, _ writer: inout ONNXWriter) throws {
        let x = writer.shape(of: node.inputs[0])
        let input = try writer.input(node.inputs[0])
        if pool.rows == 1, pool.columns == 1 { return writer.finish(node, "GlobalAveragePool", [input]) }
        guard x[2] % pool.rows == 0, x[3] % pool.columns == 0 else {
            throw InterchangeFailure.notExportable(
                operation: node.operation.name, detail: "\(x[2])×\(x[3]) does not divide into \(pool.rows)×\(pool.columns) cells")
        }
        write(PoolingGeometry(kind: .average, window: [x[2] / pool.rows, x[3] / pool.columns]), node, input, &writer)
    }

    // MARK: Element by element

    private static func writeElementwise(_ node: Node, _ writer: inout ONNXWriter) throws -> Bool {
        // Only where they are written: a parameter that is asked for stands in the file.
        func inputs() throws -> [String] { try node.inputs.map { try writer.input($0) } }
        switch node.operation {
        case let add as Add:
            guard add.hasReLU else { writer.finish(node, "Add", try inputs()); break }
            writer.finish(node, "Relu", [try writer.add("Add", inputs(), to: node.name + ".sum")])
        case let scale as Scale:
            writer.finish(
                node, "Mul", [try inputs()[0], try writer.constant([Float(scale.factor)], node.name + ".factor")])
        case let leaky as LeakyReLU: writer.finish(node, "LeakyRelu", try inputs(), [.float("alpha", leaky.slope)])
        case let hard as HardSigmoid:
            writer.finish(node, "HardSigmoid", try inputs(), [.float("alpha", hard.alpha), .float("beta", hard.beta)])
        case let clip as Clip:
            let clipped = try inputs()
            let limits = [
                try writer.constant([Float(clip.low)], node.name + ".min"),
                try writer.constant([Float(clip.high)], node.name + ".max"),
            ]
            writer.finish(node, "Clip", clipped + limits)
        case let gelu as GELU: try write(gelu, node, inputs()[0], &writer)
        case is SiLU:
            let x = try inputs()
            writer.finish(node, "Mul", x + [try writer.add("Sigmoid", x, to: node.name + ".gate")])
        case is Trunc:
            let whole = try writer.add("Cast", inputs(), to: node.name + ".whole", [.int("to", ElementType.int64)])
            writer.finish(node, "Cast", [whole], [.int("to", ElementType.float32)])
        default: return false
        }
        return true
    }

    /// The operator Gelu came with opset 20, so its formula is written.
    private static func write(_ gelu: GELU, _ node: Node, _ x: String, _ writer: inout ONNXWriter) throws {
        func made(_ type: String, _ inputs: [String], _ part: String) throws -> String {
            try writer.add(type, inputs, to: "\(node.name).\(part)")
        }
        func number(_ value: Float, _ part: String) throws -> String {
            try writer.constant([value], "\(node.name).\(part)")
        }
        let curve: String
        if gelu.isApproximate {
            let cube = try made("Mul", [try made("Mul", [x, x], "square"), x], "cube")
            let sum = try made("Add", [x, try made("Mul", [cube, try number(0.044715, "cubic")], "term")], "inner")
            curve = try made("Tanh", [try made("Mul", [sum, try number(0.797_884_56, "root")], "scaled")], "tanh")
        } else {
            curve = try made("Erf", [try made("Mul", [x, try number(0.707_106_78, "root")], "scaled")], "erf")
        }
        let half = try made("Mul", [x, try number(0.5, "half")], "halved")
        writer.finish(node, "Mul", [half, try made("Add", [curve, try number(1, "one")], "gate")])
    }
}
