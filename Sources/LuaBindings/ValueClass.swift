import Basics
import Graphs
import LuaRuntime
import Operations
import Tensors

/// A value inside a network that is being built: what layers are applied to, and what layers written in Lua compute with.
final class ValueObject: LuaObjectConvertible {
    let network: NetworkObject
    let source: Source

    init(_ network: NetworkObject, _ source: Source) {
        self.network = network
        self.source = source
    }

    var isParameter: Bool { if case .parameter = source { true } else { false } }

    var name: String {
        switch source {
        case .value(let name), .parameter(let name): name
        }
    }

    /// With a batch of one, which parameters do not have.
    var fullShape: Shape { network.shape(of: source) }

    /// The shape for one sample; a parameter's own.
    var sampleShape: [Int] { isParameter ? fullShape.dims : Array(fullShape.dims.dropFirst()) }
}

/// `Value` in scripts: the arithmetic and the functions of `Tensor`, as nodes of the network.
///
/// Dimensions count the batch as the first, as those of tensors do, so that one Lua function serves both.
enum ValueClass {
    static func make() -> LuaClass<ValueObject> {
        LuaClass("Value") { members in
            members.byteCount { $0.name.utf8.count }
            members.text { "Value \($0.name) \(Shape($0.sampleShape))" }
            members.property("shape") { $0.sampleShape }
            members.property("name") { $0.name }
            addArithmetic(members)
            addFunctions(members)
            addShapes(members)
        }
    }

    static func concatenated(_ values: [ValueObject], dim: Int) throws -> ValueObject {
        guard dim != 0 || values.allSatisfy(\.isParameter) else { throw BindingFailure.batchDimension(operation: "mr.cat") }
        return try values[0].network.add(Concatenate(dimension: dim), values)
    }

    // MARK: Arithmetic

    /// Operands of which at least one is a value; a number or a tensor beside it is a constant.
    private static func operands(_ call: borrowing LuaCall) throws -> (ValueObject, ValueObject) {
        func isValue(_ position: Int) -> Bool { call.isObject(position, as: ValueObject.self) }
        let anchor = try call.object(isValue(1) ? 1 : 2, "operand", as: ValueObject.self)
        func operand(_ position: Int) throws -> ValueObject {
            if isValue(position) { return try call.object(position, "operand", as: ValueObject.self) }
            let tensor =
                call.isNumber(position)
                ? try Tensor.full([], try call.number(position, "operand"))
                : try call.object(position, "operand", as: TensorObject.self).tensor
            return try anchor.network.parameter("constant", tensor, isTrainable: false)
        }
        return (try operand(1), try operand(2))
    }

    private static func addArithmetic(_ members: LuaClass<ValueObject>) {
        members.metamethod(.add) { call in
            let (a, b) = try operands(call)
            // Values first: a network is walked along them.
            try call.push(try a.network.add(Add(), a.isParameter ? [b, a] : [a, b]))
        }
        members.metamethod(.subtract) { call in
            let (a, b) = try operands(call)
            guard a.isParameter, !b.isParameter else { return try call.push(try a.network.add(Subtract(), [a, b])) }
            try call.push(try a.network.add(Add(), [try a.network.add(Scale(factor: -1), [b]), a]))
        }
        members.metamethod(.multiply) { call in
            for (number, value) in [(1, 2), (2, 1)] where call.isNumber(number) {
                let x = try call.object(value, "operand", as: ValueObject.self)
                return try call.push(try x.network.add(Scale(factor: try finite(call, number)), [x]))
            }
            let (a, b) = try operands(call)
            try call.push(try a.network.add(Multiply(), a.isParameter ? [b, a] : [a, b]))
        }
        members.metamethod(.divide) { call in
            if call.isNumber(2) {
                let x = try call.object(1, "operand", as: ValueObject.self)
                return try call.push(try x.network.add(Scale(factor: 1 / (try finite(call, 2))), [x]))
            }
            let (a, b) = try operands(call)
            guard a.isParameter, !b.isParameter else { return try call.push(try a.network.add(Divide(), [a, b])) }
            let exponent = try b.network.parameter("constant", .full([], -1), isTrainable: false)
            let inverse = try b.network.add(Power(), [b, exponent])
            try call.push(try a.network.add(Multiply(), [inverse, a]))
        }
        members.metamethod(.power) { call in
            let (a, b) = try operands(call)
            try call.push(try a.network.add(Power(), [a, b]))
        }
        members.metamethod(.negate) { call in
            let x = try call.object(1, "operand", as: ValueObject.self)
            try call.push(try x.network.add(Scale(factor: -1), [x]))
        }
        members.method("matmul") { call, x in
            try x.network.add(MatrixMultiply(), [x, try call.object(1, "other", as: ValueObject.self)])
        }
    }

    private static func finite(_ call: borrowing LuaCall, _ position: Int) throws -> Double {
        let number = try call.number(position, "operand")
        guard number.isFinite, position == 1 || number != 0 else {
            throw call.invalid(position, "operand", "must be finite and no divisor of 0, got \(number)")
        }
        return number
    }

    // MARK: Functions

    private static func addFunctions(_ members: LuaClass<ValueObject>) {
        for (name, operation) in TensorClass.functions {
            members.method(name) { _, x in try x.network.add(operation, [x]) }
        }
        members.method("clamp") { call, x in
            let (low, high) = (try call.number(1, "low"), try call.number(2, "high"))
            guard low <= high, low.isFinite, high.isFinite else {
                throw call.invalid(1, "low", "and high must be finite numbers in order, got \(low) and \(high)")
            }
            return try x.network.add(Clip(low: low, high: high), [x])
        }
        for (name, isMean) in [("mean", true), ("sum", false)] {
            members.method(name) { call, x in
                let dim = try inner(call, x)
                let keeping = try call.optionalBoolean(2, "keep") ?? false
                let operation: any GraphOperation =
                    isMean
                    ? ReduceMean(dimensions: [dim], keepsDimensions: keeping)
                    : ReduceSum(dimensions: [dim], keepsDimensions: keeping)
                return try x.network.add(operation, [x])
            }
        }
    }

    /// Argument 1 as a dimension from 0, which is not that of the batch.
    private static func inner(_ call: borrowing LuaCall, _ x: ValueObject) throws -> Int {
        let dim = try call.dimension(1, of: x.fullShape)
        guard dim > 0 || x.isParameter else { throw BindingFailure.batchDimension(operation: call.functionName) }
        return dim
    }

    // MARK: Shapes

    private static func addShapes(_ members: LuaClass<ValueObject>) {
        members.method("reshape") { call, x in
            let sample = try TensorClass.shape(call, from: 1)
            guard sample.allSatisfy({ $0 >= 1 || $0 == -1 }) else {
                throw call.invalid(1, "shape", "must be extents of at least 1, or -1 for what is left, got \(sample)")
            }
            // 0 stands for the batch, however large it is.
            return try x.network.add(Reshape(target: (x.isParameter ? [] : [0]) + sample), [x])
        }
        members.method("permute") { call, x in
            let order = try call.order(1, of: x.fullShape)
            guard order.first == 0 || x.isParameter else { throw BindingFailure.batchDimension(operation: call.functionName) }
            return try x.network.add(Transpose(order: order), [x])
        }
        members.method("slice") { call, x in
            let dim = try inner(call, x)
            let (bounds, step) = try call.range(2, dimension: dim, extent: x.fullShape[dim])
            return try x.network.add(Slice(dimension: dim, from: bounds.lowerBound, to: bounds.upperBound, by: step), [x])
        }
    }
}
