import ONNXMessages
import Tensors

/// A node of the file with the values that go in, and typed access to its attributes.
struct ONNXNode {
    let proto: Onnx_NodeProto
    let inputs: [ONNXValue?]
    let opset: Int
    let source: String
    /// The file that the message is of; `nil` for one that was made.
    let outline: ONNXOutline?
    /// The layer's name, where a bias that is added to the result tells it.
    let biasLayer: String?
    /// Whether an export of ours says what layer the node belongs to, by the name that it has in the file.
    let isLinkOfChain: Bool

    var operatorName: String { proto.opType }
    /// The node's name, or that of its first output.
    var title: String { proto.name.isEmpty ? proto.output.first ?? "unnamed node" : proto.name }
    var place: String { "node '\(title)' (\(operatorName), opset \(opset))" }

    var outputCount: Int { proto.output.count }
    /// For outputs behind the first, which nothing here makes.
    var furtherOutputs: [ONNXValue] { [ONNXValue](repeating: .unknown, count: max(0, outputCount - 1)) }

    func malformed(_ detail: String) -> InterchangeFailure {
        .malformed(source: source, place: place, detail: detail)
    }

    /// For what the operator may do but this toolkit cannot.
    func unsupported(_ detail: String) -> InterchangeFailure {
        .unsupported(source: source, place: place, detail: detail)
    }

    func hasInput(_ position: Int) -> Bool { position < inputs.count && inputs[position] != nil }

    func input(_ position: Int) throws -> ONNXValue {
        guard position < inputs.count, let value = inputs[position] else {
            throw malformed("input \(position + 1) is missing")
        }
        return value
    }

    /// A constant that this node makes, named after it.
    func made(_ tensor: Tensor) -> ONNXValue {
        .constant(ONNXConstant(tensor, name: title, form: "=" + (proto.output.first ?? "")))
    }

    // MARK: Attributes

    private func attribute(_ name: String, _ type: Onnx_AttributeProto.AttributeType) throws -> Onnx_AttributeProto? {
        guard let found = proto.attribute.first(where: { $0.name == name }) else { return nil }
        guard found.refAttrName.isEmpty else { throw unsupported("attribute '\(name)' belongs to a function") }
        // Files of the oldest IR carry no type.
        guard found.type == type || !found.hasType else { throw malformed("attribute '\(name)' has another type") }
        return found
    }

    func int(_ name: String) throws -> Int? { try attribute(name, .int).map { Int($0.i) } }
    func int(_ name: String, default value: Int) throws -> Int { try int(name) ?? value }
    func flag(_ name: String, default value: Bool) throws -> Bool { try int(name).map { $0 != 0 } ?? value }
    func float(_ name: String) throws -> Double? { try attribute(name, .float).map { Double($0.f) } }
    func float(_ name: String, default value: Double) throws -> Double { try float(name) ?? value }
    func floats(_ name: String) throws -> [Float]? { try attribute(name, .floats)?.floats }
    func text(_ name: String, default value: String) throws -> String { try attribute(name, .string)?.text ?? value }
    func tensor(_ name: String) throws -> Onnx_TensorProto? { try attribute(name, .tensor)?.t }
    func ints(_ name: String) throws -> [Int]? { try attribute(name, .ints)?.ints.map { Int($0) } }

    /// `count` numbers, none negative and none absurd.
    func counts(_ name: String, count: Int, default value: Int) throws -> [Int] {
        guard let numbers = try ints(name) else { return [Int](repeating: value, count: count) }
        guard numbers.count == count, numbers.allSatisfy({ (0..<1 << 20).contains($0) }) else {
            throw malformed("attribute '\(name)' is \(numbers), but must be \(count) small numbers")
        }
        return numbers
    }

    /// A dimension of a tensor of `rank`, counted from the back when negative.
    func dimension(_ number: Int, rank: Int) throws -> Int {
        let resolved = number < 0 ? number + rank : number
        guard resolved >= 0, resolved < rank else {
            throw malformed("dimension \(number) is out of range for \(rank) dimension(s)")
        }
        return resolved
    }

    // MARK: Inputs that must be known now

    /// The whole numbers of an input that may depend on N; `nil` where there is no such input.
    func extents(_ position: Int, _ what: String) throws -> [Extent]? {
        guard hasInput(position) else { return nil }
        switch try input(position) {
        case .extents(let elements, _): return elements
        case .constant(let constant):
            guard let known = constant.extents else { throw malformed("\(what) must be a vector of int64") }
            return known.elements
        case .value, .unknown: throw unsupported("\(what) is worked out from the data")
        }
    }

    /// The same where N makes no sense.
    func wholeNumbers(_ position: Int, _ what: String) throws -> [Int]? {
        try extents(position, what)?.map { extent in
            guard let number = extent.fixed else { throw unsupported("\(what) depends on the number of samples") }
            return number
        }
    }

    /// A constant input; `nil` where there is none.
    func constant(_ position: Int, _ what: String) throws -> ONNXConstant? {
        guard hasInput(position) else { return nil }
        guard case .constant(let constant) = try input(position) else {
            throw unsupported("\(what) is worked out from the data")
        }
        return constant
    }

    /// A constant float32 input as numbers.
    func numbers(_ position: Int, _ what: String) throws -> [Float]? {
        guard let constant = try constant(position, what) else { return nil }
        guard constant.tensor.elementCount <= 4096 else { throw malformed("\(what) has \(constant.tensor.elementCount) elements") }
        return try constant.tensor.converted(to: .float32).array(of: Float.self)
    }
}
