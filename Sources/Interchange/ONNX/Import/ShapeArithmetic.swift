import Operations
import Tensors

/// What exporters write to work shapes out, done on whole numbers in which the number of samples stays open.
enum ShapeArithmetic {
    /// Whether shapes may be worked out with an operator.
    static func knows(_ name: String) -> Bool {
        others.contains(name) || binary[name] != nil || functions[name] != nil
    }

    private static let others: Set = ["Constant", "ConstantOfShape", "Shape", "Size", "Where", "ReduceProd", "Range"]

    /// The values of a node whose inputs are all known; `nil` where it is nothing of the kind.
    static func fold(_ node: ONNXNode, _ assembly: GraphAssembly) throws -> [ONNXValue]? {
        switch node.operatorName {
        case "Constant": return [try constant(node)]
        case "Shape": return [try shape(node, assembly)]
        case "Size":
            guard let extents = try assembly.extents(of: node.input(0)), let count = Extent.count(extents) else { return nil }
            return [.extents([count], isScalar: true)]
        case "ConstantOfShape": return try constantOfShape(node).map { [$0] }
        default:
            if let function = functions[node.operatorName], case .constant(let x)? = node.inputs.first ?? nil {
                return try folded(node, x, function)
            }
            let operands = node.inputs.map { $0.flatMap(extents) }
            guard !operands.isEmpty, !operands.contains(where: { $0 == nil }) else { return nil }
            return try fold(node, operands.compactMap { $0 })
        }
    }

    typealias Operand = (elements: [Extent], isScalar: Bool)

    private static func extents(_ value: ONNXValue) -> Operand? {
        switch value {
        case .extents(let elements, let isScalar): (elements, isScalar)
        case .constant(let constant): constant.extents
        case .value, .unknown: nil
        }
    }

    private static let binary: [String: Extent.ArithmeticKind] = [
        "Add": .add, "Sub": .subtract, "Mul": .multiply, "Div": .divide, "Mod": .modulo, "Max": .maximum,
        "Min": .minimum, "Equal": .equal,
    ]

    private static func fold(_ node: ONNXNode, _ operands: [Operand]) throws -> [ONNXValue]? {
        let first = operands[0]
        if let kind = binary[node.operatorName], operands.count == 2 { return combine(first, operands[1], kind) }
        switch node.operatorName {
        case "Concat":
            // Each node may double what the one before made, so the bound comes before the numbers.
            let count = operands.reduce(0) { $0 + $1.elements.count }
            guard count <= ONNXConstant.extentLimit else {
                throw node.unsupported("joining \(count) numbers of shapes, more than \(ONNXConstant.extentLimit)")
            }
            return [.extents(operands.flatMap(\.elements), isScalar: false)]
        case "Gather" where operands.count == 2 && !first.isScalar:
            let picked = try operands[1].elements.map { place -> Extent in
                guard let place = place.fixed else { throw node.unsupported("a place that depends on the samples") }
                return first.elements[try node.dimension(place, rank: first.elements.count)]
            }
            return [.extents(picked, isScalar: operands[1].isScalar)]
        case "Squeeze": return first.elements.count == 1 ? [.extents(first.elements, isScalar: true)] : nil
        case "Unsqueeze": return first.isScalar ? [.extents(first.elements, isScalar: false)] : nil
        case "Slice": return try slice(node, first)
        case "Where" where operands.count == 3: return choose(operands)
        case "ReduceProd":
            return Extent.count(first.elements).map { [.extents([$0], isScalar: (try? node.flag("keepdims", default: true)) == false)] }
        case "Range" where operands.count == 3: return try range(node, operands.flatMap(\.elements))
        default: return nil
        }
    }

    private static func broadcast(_ operand: Operand, to count: Int) -> [Extent]? {
        if operand.elements.count == count { return operand.elements }
        return operand.elements.count == 1 ? [Extent](repeating: operand.elements[0], count: count) : nil
    }

    private static func combine(_ a: Operand, _ b: Operand, _ kind: Extent.ArithmeticKind) -> [ONNXValue]? {
        let count = max(a.elements.count, b.elements.count)
        guard let x = broadcast(a, to: count), let y = broadcast(b, to: count) else { return nil }
        let result = zip(x, y).compactMap { Extent.combine($0, $1, kind) }
        return result.count == count ? [.extents(result, isScalar: a.isScalar && b.isScalar)] : nil
    }

    /// Elements of the second operand where the first is not 0, of the third elsewhere.
    private static func choose(_ operands: [Operand]) -> [ONNXValue]? {
        let count = operands.map(\.elements.count).max() ?? 0
        let all = operands.compactMap { broadcast($0, to: count) }
        let conditions = all.first?.compactMap(\.fixed) ?? []
        guard all.count == 3, conditions.count == count else { return nil }
        let result = (0..<count).map { conditions[$0] != 0 ? all[1][$0] : all[2][$0] }
        return [.extents(result, isScalar: operands.allSatisfy(\.isScalar))]
    }

    private static func slice(_ node: ONNXNode, _ operand: Operand) throws -> [ONNXValue]? {
        let isNew = node.opset >= 10
        guard !operand.isScalar, let start = try (isNew ? node.wholeNumbers(1, "starts") : node.ints("starts"))?.first,
            let end = try (isNew ? node.wholeNumbers(2, "ends") : node.ints("ends"))?.first
        else { return nil }
        guard try (isNew ? node.wholeNumbers(4, "steps") : nil)?.first ?? 1 == 1 else { return nil }
        let count = operand.elements.count
        func resolve(_ place: Int) -> Int { min(max(place < 0 ? place.addingReportingOverflow(count).partialValue : place, 0), count) }
        let (first, last) = (resolve(start), resolve(end))
        return [.extents(Array(operand.elements[first..<max(first, last)]), isScalar: false)]
    }

    private static func range(_ node: ONNXNode, _ operands: [Extent]) throws -> [ONNXValue]? {
        let numbers = operands.compactMap(\.fixed)
        guard numbers.count == 3, numbers[2] != 0, numbers.allSatisfy({ $0.magnitude < 1 << 20 }) else { return nil }
        let list = stride(from: numbers[0], to: numbers[1], by: numbers[2]).map { Int64($0) }
        return [node.made(try Tensor(list))]
    }

    // MARK: Sources of known values

    private static func shape(_ node: ONNXNode, _ assembly: GraphAssembly) throws -> ONNXValue {
        guard let extents = try assembly.extents(of: node.input(0)) else { return .unknown }
        func bound(_ place: Int) -> Int { min(max(place < 0 ? place.addingReportingOverflow(extents.count).partialValue : place, 0), extents.count) }
        let first = bound(try node.int("start", default: 0))
        let last = bound(try node.int("end", default: extents.count))
        return .extents(Array(extents[first..<max(first, last)]), isScalar: false)
    }

    private static func constant(_ node: ONNXNode) throws -> ONNXValue {
        if let message = try node.tensor("value") {
            return node.made(try ONNXTensorReader(source: node.source, directory: nil, outline: node.outline).tensor(message))
        }
        if let number = try node.float("value_float") { return node.made(try .full([], number)) }
        if let numbers = try node.floats("value_floats") { return node.made(try Tensor(numbers)) }
        if let number = try node.int("value_int") { return node.made(try Tensor([Int64(number)], shape: [])) }
        if let numbers = try node.ints("value_ints") { return node.made(try Tensor(numbers.map { Int64($0) })) }
        throw node.unsupported("a constant that is no tensor and no number")
    }

    /// One value seen in every place, so that an absurd shape takes no memory; `nil` where N is in the shape.
    private static func constantOfShape(_ node: ONNXNode) throws -> ONNXValue? {
        guard let extents = try node.extents(0, "the shape") else { throw node.malformed("the shape is missing") }
        let dims = extents.compactMap(\.fixed)
        guard dims.count == extents.count else { return nil }
        guard dims.allSatisfy({ $0 >= 0 }), Counts.product(dims) < 1 << 40 else {
            throw node.malformed("the shape \(Shape(dims)) has a negative or absurdly large extent")
        }
        return node.made(try filling(node).broadcast(to: Shape(dims)))
    }

    /// The scalar that a ConstantOfShape repeats.
    static func filling(_ node: ONNXNode) throws -> Tensor {
        guard let message = try node.tensor("value") else { return try .zeros([]) }
        return try ONNXTensorReader(source: node.source, directory: nil, outline: node.outline).tensor(message).reshaped([])
    }

    /// Functions that only occur on constants.
    private static let functions: [String: @Sendable (Float) -> Float] = [
        "Floor": { $0.rounded(.down) }, "Ceil": { $0.rounded(.up) }, "Round": { $0.rounded(.toNearestOrEven) },
        "Neg": { -$0 }, "Abs": { abs($0) }, "Reciprocal": { 1 / $0 }, "Not": { $0 == 0 ? 1 : 0 },
    ]

    private static func folded(_ node: ONNXNode, _ x: ONNXConstant, _ function: (Float) -> Float) throws -> [ONNXValue]? {
        guard x.tensor.elementCount <= 1 << 20 else { return nil }
        let values = try x.tensor.converted(to: .float32).array(of: Float.self).map(function)
        let tensor = try Tensor(values, shape: x.tensor.shape).converted(to: x.tensor.dtype)
        return [node.made(tensor)]
    }
}
