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
        if let function = node.operation as? any ElementFunction { return try write(function, node, &writer) }
        if try writeLayer(node, &writer) { return }
        if try writeElementwise(node, &writer) { return }
        if try writeShape(node, &writer) { return }
        throw InterchangeFailure.notExportable(operation: node.operation.name, detail: "ONNX has no operator for it")
    }

    /// Operations that are one operator without attributes.
    private static let plainOperators: [String: String] = [
        Subtract.name: "Sub", Multiply.name: "Mul", Divide.name: "Div", Power.name: "Pow", MatrixMultiply.name: "MatMul",
        PReLU.name: "PRelu", GlobalAveragePool2D.name: "GlobalAveragePool", Flatten.name: "Flatten",
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
        guard let add = node.operation as? Add else { return false }
        let inputs = try node.inputs.map { try writer.input($0) }
        guard add.hasReLU else {
            writer.finish(node, "Add", inputs)
            return true
        }
        writer.finish(node, "Relu", [try writer.add("Add", inputs, to: node.name + ".sum")])
        return true
    }

    /// A function of one element by its formula, or as the operator that it is read from.
    private static func write(_ function: any ElementFunction, _ node: Node, _ writer: inout ONNXWriter) throws {
        let x = try writer.input(node.inputs[0])
        if let formula = function.onnxFormula {
            let inputs = try formula.inputs.map { try made($0, x, node, &writer) }
            return writer.finish(node, formula.name, inputs, formula.attributes.sorted { $0.key < $1.key }.map(attribute))
        }
        guard let form = type(of: function).onnxOperator else {
            throw InterchangeFailure.notExportable(operation: function.name, detail: "ONNX has no operator for it")
        }
        let values = function.attributes.values
        let attributes = form.parameters.compactMap { parameter -> Onnx_AttributeProto? in
            switch parameter {
            case .number(let key, let own, _): values[own].map { attribute(key, $0) }
            case .flag(let key, let own, let on, let off): .string(key, values[own] == .bool(true) ? on : off)
            }
        }
        writer.finish(node, form.name, [x], attributes)
    }

    /// The name of a value inside a formula, whose nodes are added first.
    private static func made(_ input: ONNXFormula.Input, _ x: String, _ node: Node, _ writer: inout ONNXWriter) throws -> String {
        switch input {
        case .x: return x
        case .number(let word, let value): return try writer.constant([value], "\(node.name).\(word)")
        case .made(let formula):
            let inputs = try formula.inputs.map { try made($0, x, node, &writer) }
            return try writer.add(
                formula.name, inputs, to: "\(node.name).\(formula.name.lowercased())",
                formula.attributes.sorted { $0.key < $1.key }.map(attribute))
        }
    }

    private static func attribute(_ name: String, _ value: AttributeValue) -> Onnx_AttributeProto {
        switch value {
        case .int(let number): .int(name, number)
        case .ints(let numbers): .ints(name, numbers)
        case .float(let number): .float(name, number)
        case .bool(let flag): .int(name, flag ? 1 : 0)
        case .string(let text): .string(name, text)
        }
    }
}
