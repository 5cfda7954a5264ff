import ONNXMessages
import Operations
import Tensors

/// Operators that work element by element.
enum ElementwiseTranslations {
    /// One input, and the operation called `name` with attributes that are made of those of the file.
    static func function(_ name: String, _ form: ONNXOperator) -> Translation {
        { node, assembly in
            var attributes: [String: AttributeValue] = [:]
            for parameter in form.parameters {
                switch parameter {
                case .number(let key, let attribute, let standard):
                    attributes[attribute] = .float(try node.float(key, default: standard))
                case .flag(let key, let attribute, let on, let off):
                    attributes[attribute] = .bool(try node.text(key, default: off) == on)
                }
            }
            return [try assembly.add(node.plainName, OperationCatalog.make(name, attributes), [node.input(0)])]
        }
    }

    /// Two inputs, broadcast. A factor that is one number becomes an attribute.
    static func binary(_ operation: any GraphOperation) -> Translation {
        { node, assembly in
            let (a, b) = (try node.input(0), try node.input(1))
            if operation is Multiply {
                for (x, other) in [(a, b), (b, a)] {
                    guard case .value = x, case .constant(let factor) = other, factor.tensor.elementCount == 1,
                        let rank = try assembly.extents(of: x)?.count, factor.tensor.rank <= rank,
                        let number = try? factor.tensor.scalar(), number.isFinite
                    else { continue }
                    return [try assembly.add(node.plainName, Scale(factor: number), [x])]
                }
            }
            return [try assembly.add(node.plainName, operation, [a, b])]
        }
    }

    static func sum(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        var total = try node.input(0)
        for position in node.inputs.indices.dropFirst() {
            total = try assembly.add(node.plainName, Add(), [total, node.input(position)])
        }
        return [total]
    }

    static func parametricRectifier(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        let x = try node.input(0)
        var slope = try node.input(1)
        var name = node.plainName
        if case .constant(let constant) = slope, let extents = try assembly.extents(of: x) {
            name = node.layerName(weight: constant)
            // Older exporters give one slope per channel as a plain vector.
            let isVector = constant.tensor.rank == 1 && extents.count > 2 && constant.tensor.shape[0] > 1
            if isVector, extents.last?.fixed != constant.tensor.shape[0], extents[1].fixed == constant.tensor.shape[0] {
                slope = .constant(try constant.reshaped(Shape([-1] + [Int](repeating: 1, count: extents.count - 2))))
            }
        }
        return [try assembly.add(name, PReLU(), [x, slope], weights: true)]
    }

    static func clip(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        func limit(_ position: Int, _ attribute: String, _ open: Float) throws -> Double {
            if node.opset < 11 { return try node.float(attribute, default: Double(open)) }
            guard let numbers = try node.numbers(position, attribute) else { return Double(open) }
            guard numbers.count == 1, !numbers[0].isNaN else { throw node.malformed("'\(attribute)' is no number") }
            return Double(max(-Float.greatestFiniteMagnitude, min(numbers[0], .greatestFiniteMagnitude)))
        }
        let high = try limit(2, "max", .greatestFiniteMagnitude)
        // Where the limits cross, the upper one wins.
        let low = min(try limit(1, "min", -.greatestFiniteMagnitude), high)
        let x = try node.input(0)
        if low == 0, high == Double(Float.greatestFiniteMagnitude) {
            return [try assembly.add(node.plainName, ReLU(), [x])]
        }
        return [try assembly.add(node.plainName, Clip(low: low, high: high), [x])]
    }

    /// Floating-point values are float32 here, whatever their type in the file; whole numbers are float32 where they
    /// come from the input, and exact up to 2²⁴.
    static func cast(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        guard let number = try node.int("to") else { throw node.malformed("attribute 'to' is missing") }
        guard let target = Onnx_TensorProto.DataType(rawValue: number) else {
            throw node.unsupported("casting to elements of type \(number)")
        }
        let x = try node.input(0)
        switch (x, target) {
        case (.extents, .bool), (_, .string), (_, .complex64), (_, .complex128), (_, .undefined), (.value, .bool):
            throw node.unsupported("casting to \(target)")
        case (.extents(let elements, let isScalar), .float), (.extents(let elements, let isScalar), .double):
            guard let tensor = try GraphAssembly.tensor(elements, isScalar: isScalar) else { return [x] }
            return [node.made(try tensor.converted(to: .float32))]
        case (.constant(let constant), .bool):
            let tensor = try constant.tensor.converted(to: .float32)
            let truth = try tensor.array(of: Float.self).map { Int64($0 == 0 ? 0 : 1) }
            return [node.made(try Tensor(truth, shape: tensor.shape))]
        case (.constant(let constant), .float), (.constant(let constant), .float16), (.constant(let constant), .double),
            (.constant(let constant), .bfloat16):
            return [.constant(constant.changed(try constant.tensor.converted(to: .float32), "float"))]
        case (.constant(let constant), _):
            return [node.made(try constant.tensor.converted(to: .int64))]
        case (_, .float), (_, .float16), (_, .double), (_, .bfloat16), (.extents, _): return [x]
        default: return [try assembly.add(node.plainName, Trunc(), [x])]
        }
    }

    /// Nothing is dropped when a model is only used, and tuning goes without.
    static func dropout(_ node: ONNXNode, _ assembly: inout GraphAssembly) throws -> [ONNXValue] {
        if let training = try node.numbers(2, "training_mode")?.first, training != 0,
            try node.numbers(1, "ratio")?.first ?? 0.5 != 0
        {
            throw node.unsupported("dropping at random")
        }
        return [try node.input(0)] + node.furtherOutputs
    }
}
