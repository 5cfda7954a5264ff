import Graphs
import Operations
import Tensors

/// How each operation is written.
enum TorchNodeWriter {
    static func write(_ node: Node, _ writer: inout TorchWriter) throws {
        if let layer = try layer(node, &writer) { return writer.finish(node, layer) }
        let inputs = try values(node).map { try writer.expression($0) }
        if let function = node.operation as? any ElementFunction { return writer.finish(node, function.pyTorch(inputs[0])) }
        let shape = node.inputs.first.map { writer.shape(of: $0) } ?? []
        guard let text = elementwise(node.operation, inputs) ?? arrangement(node.operation, inputs, shape, &writer) else {
            throw InterchangeFailure.notExportable(
                operation: node.operation.name, detail: "there is no translation to PyTorch")
        }
        writer.finish(node, text)
    }

    /// The inputs that PyTorch is to see.
    private static func values(_ node: Node) -> [Source] {
        // Without its count of draws, which PyTorch does not keep.
        node.operation is Dropout ? [node.inputs[0]] : node.inputs
    }

    // MARK: Layers

    private static func layer(_ node: Node, _ writer: inout TorchWriter) throws -> String? {
        switch node.operation {
        case let conv as Conv2D: try convolution(conv, node, &writer)
        case let conv as ConvTranspose2D: try transposed(conv, node, &writer)
        case let linear as Linear: try self.linear(linear, node, &writer)
        case let norm as BatchNorm: try batchNorm(norm, node, &writer)
        case let norm as LayerNorm: try layerNorm(norm, node, &writer)
        case let dropout as Dropout:
            try writer.layer(node, "Dropout(\(Python.number(dropout.probability)))", [])
                + "(\(try writer.expression(node.inputs[0])))"
        default: nil
        }
    }

    /// What differs from PyTorch's defaults, as arguments.
    private static func arguments(_ geometry: ConvolutionGeometry, padding: [Int], hasBias: Bool) -> String {
        var text = ""
        if geometry.stride != [1, 1] { text += ", stride=\(Python.pair(geometry.stride))" }
        if padding != [0, 0] { text += ", padding=\(Python.pair(padding))" }
        if geometry.dilation != [1, 1] { text += ", dilation=\(Python.pair(geometry.dilation))" }
        if geometry.groups != 1 { text += ", groups=\(geometry.groups)" }
        return text + (hasBias ? "" : ", bias=False")
    }

    private static func weightAndBias(_ node: Node, hasBias: Bool) -> [(key: String, source: Source)] {
        [("weight", node.inputs[1])] + (hasBias ? [("bias", node.inputs[2])] : [])
    }

    /// PyTorch pads both sides alike, so uneven padding is a step of its own.
    private static func isEven(_ padding: [Int]) -> Bool { padding[0] == padding[2] && padding[1] == padding[3] }

    private static func convolution(_ conv: Conv2D, _ node: Node, _ writer: inout TorchWriter) throws -> String {
        let (weight, geometry) = (writer.shape(of: node.inputs[1]), conv.geometry)
        let even = isEven(geometry.padding)
        let padding = even ? Array(geometry.padding.prefix(2)) : [0, 0]
        let layer = try writer.layer(
            node,
            "Conv2d(\(weight[1] * geometry.groups), \(weight[0]), \(Python.pair([weight[2], weight[3]]))"
                + arguments(geometry, padding: padding, hasBias: conv.hasBias) + ")",
            weightAndBias(node, hasBias: conv.hasBias))
        let x = try writer.expression(node.inputs[0])
        var text = "\(layer)(\(even ? x : Python.padded(x, geometry.padding)))"
        if conv.addsResidual, let residual = node.inputs.last { text += " + \(try writer.expression(residual))" }
        return conv.hasReLU ? "F.relu(\(text))" : text
    }

    /// Uneven padding cuts more off one side of the result than off the other.
    private static func transposed(_ conv: ConvTranspose2D, _ node: Node, _ writer: inout TorchWriter) throws -> String {
        let (weight, geometry) = (writer.shape(of: node.inputs[1]), conv.geometry)
        let even = isEven(geometry.padding)
        let padding = even ? Array(geometry.padding.prefix(2)) : [0, 0]
        let extra = conv.outputPadding == [0, 0] ? "" : ", output_padding=\(Python.pair(conv.outputPadding))"
        let layer = try writer.layer(
            node,
            "ConvTranspose2d(\(weight[0]), \(weight[1] * geometry.groups), \(Python.pair([weight[2], weight[3]]))"
                + arguments(geometry, padding: padding, hasBias: conv.hasBias) + extra + ")",
            weightAndBias(node, hasBias: conv.hasBias))
        let text = "\(layer)(\(try writer.expression(node.inputs[0])))"
        if even { return text }
        let (output, before) = (writer.shape(madeBy: node), geometry.padding)
        return text + "[:, :, \(before[0]):\(before[0] + output[2]), \(before[1]):\(before[1] + output[3])]"
    }

    private static func linear(_ linear: Linear, _ node: Node, _ writer: inout TorchWriter) throws -> String {
        let weight = writer.shape(of: node.inputs[1])
        let layer = try writer.layer(
            node, "Linear(\(weight[1]), \(weight[0])\(linear.hasBias ? "" : ", bias=False"))",
            weightAndBias(node, hasBias: linear.hasBias))
        return "\(layer)(\(try writer.expression(node.inputs[0])))"
    }

    private static func batchNorm(_ norm: BatchNorm, _ node: Node, _ writer: inout TorchWriter) throws -> String {
        let channels = writer.shape(of: node.inputs[1])[0]
        let keys = ["weight", "bias", "running_mean", "running_var"]
        // With momentum 0, which exporters write of networks that they set to inference, what is trained further in PyTorch
        // would be evaluated on statistics that never were its own. Here it is trained with the usual one as well.
        let (momentum, word) = norm.momentum == 0 ? (BatchNorm().momentum, "  # was 0: statistics would stand still") : (norm.momentum, "")
        let dimension = writer.shape(of: node.inputs[0]).rank < 4 ? "1d" : "2d"
        let layer = try writer.layer(
            node,
            "BatchNorm\(dimension)(\(channels), eps=\(Python.number(norm.epsilon)), momentum=\(Python.number(momentum)))\(word)",
            zip(keys, node.inputs[1..<5]).map { (key: $0, source: $1) })
        var text = "\(layer)(\(try writer.expression(node.inputs[0])))"
        if norm.addsResidual { text += " + \(try writer.expression(node.inputs[5]))" }
        return norm.hasReLU ? "F.relu(\(text))" : text
    }

    private static func layerNorm(_ norm: LayerNorm, _ node: Node, _ writer: inout TorchWriter) throws -> String {
        let layer = try writer.layer(
            node,
            "LayerNorm(\(Python.tuple(writer.shape(of: node.inputs[1]).dims)), eps=\(Python.number(norm.epsilon))"
                + (norm.hasBias ? ")" : ", bias=False)"),
            weightAndBias(node, hasBias: norm.hasBias))
        return "\(layer)(\(try writer.expression(node.inputs[0])))"
    }

    // MARK: Element by element

    private static func elementwise(_ operation: any GraphOperation, _ x: [String]) -> String? {
        switch operation {
        case let add as Add: add.hasReLU ? "F.relu(\(x[0]) + \(x[1]))" : "\(x[0]) + \(x[1])"
        case is Subtract: "\(x[0]) - \(x[1])"
        case is Multiply: "\(x[0]) * \(x[1])"
        case is Divide: "\(x[0]) / \(x[1])"
        case is MatrixMultiply: "\(x[0]) @ \(x[1])"
        case is Power: "torch.pow(\(x[0]), \(x[1]))"
        // Slopes of any shape that broadcasts, where PyTorch's layer wants one a channel.
        case is PReLU: "torch.where(\(x[0]) > 0, \(x[0]), \(x[0]) * \(x[1]))"
        case is Softmax: "F.softmax(\(x[0]), -1)"
        case is LogSoftmax: "F.log_softmax(\(x[0]), -1)"
        default: nil
        }
    }
}
