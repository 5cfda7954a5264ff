import Graphs
package import ONNXMessages
import Operations
package import Tensors

/// The file that is being written: gives names, collects nodes and constants.
struct ONNXWriter {
    /// Versions that every runtime of the last years reads.
    static let opset = 17
    static let irVersion = 8

    private(set) var message = Onnx_GraphProto()
    private let graph: Graph
    /// Shapes for two samples, of values.
    let shapes: [String: Shape]
    private var usedNames: Set<String>
    /// The numbers that names which were wished for again got last.
    private var nameCounts: [String: Int] = [:]
    /// Names of the values in the file, which must differ from those of the parameters.
    private var valueNames: [String: String] = [:]
    private var writtenParameters: [String: String] = [:]
    private var constants: [[Int64]: String] = [:]

    init(_ graph: Graph) throws {
        self.graph = graph
        shapes = try ShapeInference.shapes(of: graph, batch: 2)
        usedNames = Set(graph.parameters.names)
        message.name = graph.name
    }

    // MARK: Names

    mutating func name(of value: String) -> String {
        if let known = valueNames[value] { return known }
        let name = unique(value)
        valueNames[value] = name
        return name
    }

    mutating func unique(_ wish: String) -> String {
        var name = wish
        while !usedNames.insert(name).inserted {
            nameCounts[wish, default: 0] += 1
            name = "\(wish)_\(nameCounts[wish, default: 0])"
        }
        return name
    }

    // MARK: Inputs of nodes

    func shape(of source: Source) -> Shape {
        switch source {
        case .value(let name): shapes[name] ?? []
        case .parameter(let name): graph.parameters[name]?.tensor.shape ?? []
        }
    }

    mutating func input(_ source: Source) throws -> String {
        switch source {
        case .value(let value): return name(of: value)
        case .parameter(let parameter):
            if let written = writtenParameters[parameter] { return written }
            guard let tensor = graph.parameters[parameter]?.tensor else {
                throw GraphFailure.unknownParameter(graph: graph.name, node: parameter, parameter: parameter)
            }
            message.initializer.append(try ONNXTensorWriter.message(of: tensor, name: parameter))
            writtenParameters[parameter] = parameter
            return parameter
        }
    }

    /// Places to gather from, which are float32 here and int64 in the file.
    mutating func places(_ source: Source, of node: Node) throws -> String {
        if case .parameter(let parameter) = source, let tensor = graph.parameters[parameter]?.tensor {
            let name = unique(parameter + ".places")
            message.initializer.append(try ONNXTensorWriter.message(of: tensor.converted(to: .int64), name: name))
            return name
        }
        return try add("Cast", [input(source)], to: node.name + ".places", [.int("to", ElementType.int64)])
    }

    mutating func constant(_ numbers: [Int]) throws -> String {
        let elements = numbers.map { Int64($0) }
        if let known = constants[elements] { return known }
        let name = unique("constant." + numbers.map(String.init).joined(separator: "."))
        message.initializer.append(try ONNXTensorWriter.message(of: Tensor(elements), name: name))
        constants[elements] = name
        return name
    }

    mutating func constant(_ numbers: [Float], shape: Shape = [], _ wish: String) throws -> String {
        let name = unique(wish)
        message.initializer.append(try ONNXTensorWriter.message(of: Tensor(numbers, shape: shape), name: name))
        return name
    }

    // MARK: Nodes

    /// Adds a node whose result is a value that only this file knows.
    mutating func add(_ type: String, _ inputs: [String], to wish: String, _ attributes: [Onnx_AttributeProto] = []) throws
        -> String
    {
        let output = unique(wish)
        append(type, inputs, output, attributes)
        return output
    }

    /// Adds the node that makes the result of `node`.
    mutating func finish(_ node: Node, _ type: String, _ inputs: [String], _ attributes: [Onnx_AttributeProto] = []) {
        append(type, inputs, name(of: node.name), attributes)
    }

    private mutating func append(_ type: String, _ inputs: [String], _ output: String, _ attributes: [Onnx_AttributeProto]) {
        var node = Onnx_NodeProto()
        node.opType = type
        node.name = output
        node.input = inputs
        node.output = [output]
        node.attribute = attributes
        message.node.append(node)
    }

    mutating func setInterface(inputs: [Onnx_ValueInfoProto], outputs: [Onnx_ValueInfoProto]) {
        message.input = inputs
        message.output = outputs
    }
}

/// Numbers of element types in files.
enum ElementType {
    static let float32 = Onnx_TensorProto.DataType.float.rawValue
    static let int64 = Onnx_TensorProto.DataType.int64.rawValue
    static let uint8 = Onnx_TensorProto.DataType.uint8.rawValue
}

/// Makes the messages that hold weights.
package enum ONNXTensorWriter {
    package static func message(of tensor: Tensor, name: String) throws -> Onnx_TensorProto {
        var message = Onnx_TensorProto()
        message.name = name
        message.dims = tensor.shape.dims.map { Int64($0) }
        let plain = try tensor.contiguous()
        message.dataType =
            switch tensor.dtype {
            case .float32: Int32(ElementType.float32)
            case .int64: Int32(ElementType.int64)
            case .uint8: Int32(ElementType.uint8)
            }
        withExtendedLifetime(plain.storage) {
            message.setRawBytes(UnsafeRawBufferPointer(start: plain.rawBase, count: plain.byteCount))
        }
        return message
    }
}

extension Onnx_AttributeProto {
    static func int(_ name: String, _ value: Int) -> Self {
        var attribute = Self()
        (attribute.name, attribute.type, attribute.i) = (name, .int, Int64(value))
        return attribute
    }

    static func ints(_ name: String, _ values: [Int]) -> Self {
        var attribute = Self()
        (attribute.name, attribute.type, attribute.ints) = (name, .ints, values.map { Int64($0) })
        return attribute
    }

    static func float(_ name: String, _ value: Double) -> Self {
        var attribute = Self()
        (attribute.name, attribute.type, attribute.f) = (name, .float, Float(value))
        return attribute
    }

    static func string(_ name: String, _ value: String) -> Self {
        var attribute = Self()
        (attribute.name, attribute.type, attribute.text) = (name, .string, value)
        return attribute
    }
}
