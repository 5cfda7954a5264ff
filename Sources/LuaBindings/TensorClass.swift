import Autograd
import Basics
import LuaRuntime
import Operations
import Tensors

/// `Tensor` in scripts. Dimensions and indices count from 1; methods make new tensors.
enum TensorClass {
    static func make() -> LuaClass<TensorObject> {
        LuaClass("Tensor") { members in
            members.byteCount { $0.tensor.byteCount }
            members.text { object in
                let tensor = object.tensor
                guard tensor.elementCount <= 64, tensor.elementCount > 1 else { return tensor.description }
                return tensor.description + "\n" + (try tensor.formattedValues())
            }
            members.length { $0.tensor.shape.dims.first ?? 1 }
            addProperties(members)
            addArithmetic(members)
            addFunctions(members)
            addLinearAlgebra(members)
            addShapes(members)
            addReductions(members)
            members.elements { call, object, index in
                let count = object.tensor.shape.dims.first ?? 0
                // One behind the last is nil, which ends ipairs.
                if object.tensor.rank > 0, index == count + 1 { return try call.push(LuaValue.nil) }
                guard object.tensor.rank > 0, index >= 1, index <= count else {
                    throw BindingFailure.rowOutOfRange(row: index, count: object.tensor.rank > 0 ? count : nil)
                }
                if object.recorded != nil { return try call.push(try selected(object, index - 1)) }
                let part = try object.tensor.selected(dim: 0, index: index - 1)
                if part.rank == 0 { try call.push(try number(part)) } else { try call.push(TensorObject(part)) }
            }
        }
    }

    /// A scalar as a Lua number: whole numbers stay whole, with all their digits.
    static func number(_ tensor: Tensor) throws -> LuaValue {
        switch try tensor.element() {
        case .real(let value): .number(value)
        case .whole(let value): .integer(Int(value))
        }
    }

    /// One row of a tensor on a tape; also of a vector a tensor, so that its gradient is not lost.
    private static func selected(_ object: TensorObject, _ index: Int) throws -> TensorObject {
        let row = try TensorObject.apply(Slice(dimension: 0, from: index, to: index + 1), [object])
        return try TensorObject.apply(Reshape(target: Array(object.tensor.shape.dims.dropFirst())), [row])
    }

    private static func addProperties(_ members: LuaClass<TensorObject>) {
        members.property("shape") { $0.tensor.shape.dims }
        members.property("dtype") { $0.tensor.dtype.rawValue }
        members.property("rank") { $0.tensor.rank }
        members.property("count") { $0.tensor.elementCount }
        members.method("item") { _, object in try number(object.tensor) }
        members.method("totable") { call, object in
            switch object.tensor.dtype {
            case .float32: try call.push(try object.tensor.array(of: Float.self))
            default: try call.push(try object.tensor.converted(to: .int64).array(of: Int64.self).map(Int.init))
            }
        }
        members.method("to") { call, object in
            let name = try call.string(1, "dtype")
            guard let dtype = DType(rawValue: name) else {
                let names = DType.allCases.map(\.rawValue)
                throw call.invalid(1, "dtype", "must be one of \(names.joined(separator: ", ")), got '\(name)'")
            }
            return TensorObject(try object.tensor.converted(to: dtype))
        }
        members.method("clone") { _, object in TensorObject(try object.tensor.copy()) }
        members.method("detach") { _, object in TensorObject(object.tensor) }
        members.method("backward") { _, object in
            guard let recorded = object.recorded else { throw BindingFailure.notOnTape }
            return try recorded.pass.gradients(of: recorded.variable)
        }
    }

    // MARK: Arithmetic

    private static func addArithmetic(_ members: LuaClass<TensorObject>) {
        members.metamethod(.add) { call in
            try binary(call, onTape: Add()) { try $0.adding($1) }
        }
        members.metamethod(.subtract) { call in
            try binary(call, onTape: Subtract()) { try $0.subtracting($1) }
        }
        members.metamethod(.multiply) { call in
            try binary(call, onTape: Multiply()) { try $0.multiplying($1) }
        }
        members.metamethod(.divide) { call in
            if call.isNumber(2) {
                let dividend = try call.object(1, "operand", as: TensorObject.self)
                if dividend.tensor.dtype == .float32 {
                    let factor = 1 / (try call.number(2, "divisor"))
                    return try call.push(try TensorObject.apply(Scale(factor: factor), [dividend]))
                }
            }
            try binary(call, onTape: Divide(), leavesWhole: true) { try $0.dividing($1) }
        }
        members.metamethod(.power) { call in
            try binary(call, onTape: Power(), leavesWhole: true) { try $0.combined(.power, $1) }
        }
        for (metamethod, kind) in [(LuaMetamethod.floorDivide, BinaryOperator.floorDivide), (.modulo, .modulo)] {
            members.metamethod(metamethod) { call in
                let (first, second) = try operands(call, 1, 2)
                for operand in [first, second] { try operand.requirePlain(call.functionName) }
                try call.push(TensorObject(try first.tensor.combined(kind, second.tensor)))
            }
        }
        members.metamethod(.negate) { call in
            let object = try call.object(1, "operand", as: TensorObject.self)
            if object.tensor.dtype != .float32 { return try call.push(TensorObject(try object.tensor.negated())) }
            try call.push(try TensorObject.apply(Scale(factor: -1), [object]))
        }
        members.method("matmul") { call, object in
            try TensorObject.apply(MatrixMultiply(), [object, try call.object(1, "other", as: TensorObject.self)])
        }
        for (name, kind) in [("eq", BinaryOperator.equal), ("lt", .less), ("le", .lessEqual)] {
            members.method(name) { call, object in
                if object.tensor.dtype != .float32, call.isNumber(1) {
                    return TensorObject(try compared(object.tensor, kind, try call.scalar(1, "operand")))
                }
                let (first, second) = try operands(call, 0, 1)
                return TensorObject(try first.tensor.combined(kind, second.tensor).converted(to: object.tensor.dtype))
            }
        }
        for (name, isMaximum) in [("maximum", true), ("minimum", false)] {
            members.method(name) { call, _ in
                let (object, other) = try operands(call, 0, 1)
                return try TensorObject.apply(Extremum(isMaximum: isMaximum), [object, other])
            }
        }
    }

    /// Two operands in one type, of which one may be a number: a number takes the type of the tensor beside it. Whole
    /// numbers become float32 where a number has a fraction, or where the operation leaves the whole numbers.
    private static func operands(
        _ call: borrowing LuaCall, _ first: Int, _ second: Int, leavesWhole: Bool = false
    ) throws -> (TensorObject, TensorObject) {
        var tensors: [TensorObject?] = []
        var hasFraction = false
        for position in [first, second] {
            if call.isNumber(position) {
                if case .real(let number) = try call.scalar(position, "operand"), Int64(exactly: number) == nil { hasFraction = true }
                tensors.append(nil)
            } else {
                tensors.append(try call.object(position, "operand", as: TensorObject.self))
            }
        }
        let types = tensors.compactMap(\.?.tensor.dtype)
        let promotes = (hasFraction || leavesWhole) && types.contains { $0 != .float32 }
        let type = promotes ? .float32 : types.first ?? .float32
        func operand(_ position: Int, _ tensor: TensorObject?) throws -> TensorObject {
            guard let tensor else { return TensorObject(try .full([], try call.scalar(position, "operand"), dtype: type)) }
            return promotes ? try tensor.inFloats() : tensor
        }
        return (try operand(first, tensors[0]), try operand(second, tensors[1]))
    }

    /// Whole numbers against any number, without rounding either: 1 where it is so and 0 elsewhere, in the tensor's type.
    private static func compared(_ tensor: Tensor, _ kind: BinaryOperator, _ bound: TensorScalar) throws -> Tensor {
        var (kind, whole) = (kind, Int64(0))
        switch bound {
        case .whole(let value): whole = value
        case .real(let value):
            // What is less than 2.5 is at most 2, and what is beyond all whole numbers decides by its sign.
            let floor = value.rounded(.down)
            if floor != value || Int64(exactly: value) == nil {
                guard kind != .equal, !value.isNaN, floor >= -0x1p63 else { return try .zeros(tensor.shape, dtype: tensor.dtype) }
                guard floor < 0x1p63 else { return try .ones(tensor.shape, dtype: tensor.dtype) }
                kind = .lessEqual
            }
            whole = Int64(floor)
        }
        let limit = try Tensor.full([], .whole(whole), dtype: .int64)
        return try tensor.converted(to: .int64).combined(kind, limit).converted(to: tensor.dtype)
    }

    private static func binary(
        _ call: borrowing LuaCall, onTape operation: any GraphOperation, leavesWhole: Bool = false,
        _ plain: (Tensor, Tensor) throws -> Tensor
    ) throws {
        let (first, second) = try operands(call, 1, 2, leavesWhole: leavesWhole)
        if first.recorded != nil || second.recorded != nil {
            return try call.push(try TensorObject.apply(operation, [first, second]))
        }
        try call.push(TensorObject(try plain(first.tensor, second.tensor)))
    }

    // MARK: Functions

    private static func addFunctions(_ members: LuaClass<TensorObject>) {
        // One operation with and without a tape, so that asking for a gradient changes no digit.
        for (name, operation) in functions {
            members.method(name) { _, object in try TensorObject.apply(operation, [object]) }
        }
        members.method("clamp") { call, object in
            let (low, high) = (try call.number(1, "low"), try call.number(2, "high"))
            guard low <= high else { throw call.invalid(1, "low", "must not be above high, got \(low) and \(high)") }
            return try TensorObject.apply(Clip(low: low, high: high), [object])
        }
    }

    /// Functions of one operand that tensors and values inside networks share.
    static let functions: [(String, any GraphOperation)] =
        OperationCatalog.elementFunctions.compactMap { type in
            type.script.flatMap { $0.isMethod ? ($0.name, type.usual) : nil }
        } + [("softmax", Softmax()), ("log_softmax", LogSoftmax())]

    // MARK: Shapes

    private static func addShapes(_ members: LuaClass<TensorObject>) {
        members.method("reshape") { call, object in
            try TensorObject.apply(Reshape(target: try shape(call, from: 1)), [object])
        }
        members.method("permute") { call, object in
            let order = try call.order(1, of: object.tensor.shape)
            return try object.mapped(Transpose(order: order)) { try $0.permuted(order) }
        }
        members.method("t") { _, object in
            guard object.tensor.rank == 2 else { return TensorObject(try object.tensor.transposed()) }
            return try object.mapped(Transpose(order: [1, 0])) { try $0.transposed() }
        }
        members.method("slice") { call, object in
            let d = try call.dimension(1, of: object.tensor.shape)
            let (bounds, step) = try call.range(2, dimension: d, extent: object.tensor.shape[d])
            return try TensorObject.apply(
                Slice(dimension: d, from: bounds.lowerBound, to: bounds.upperBound, by: step), [object])
        }
        members.method("expand") { call, object in
            let target = try shape(call, from: 1)
            guard target.allSatisfy({ $0 >= 1 }) else {
                throw call.invalid(1, "shape", "must be extents of at least 1, got \(target)")
            }
            return try object.mapped(Expand(target: target)) { try $0.broadcast(to: Shape(target)).contiguous() }
        }
        members.method("rows") { call, object in
            let count = object.tensor.shape.dims.first ?? 0
            let rows = try indices(call).map { row in
                guard (1...max(1, count)).contains(row) else {
                    throw call.invalid(1, "indices", "must be in 1…\(count), got \(row)")
                }
                return row - 1
            }
            if object.recorded == nil { return TensorObject(try object.tensor.gathered(rows: rows)) }
            return try TensorObject.apply(Gather(dimension: 0), [object, TensorObject(try Tensor(rows.map { Int64($0) }))])
        }
    }

    /// Whole numbers given as an array or as a tensor.
    private static func indices(_ call: borrowing LuaCall) throws -> [Int] {
        guard call.isObject(1, as: TensorObject.self) else { return try call.integers(1, "indices") }
        let tensor = try call.object(1, "indices", as: TensorObject.self).tensor
        return try tensor.converted(to: .int64).array(of: Int64.self).map(Int.init)
    }

    /// Extents given as numbers or as one array.
    static func shape(_ call: borrowing LuaCall, from position: Int) throws -> [Int] {
        if call.isTable(position) { return try call.integers(position, "shape") }
        guard call.argumentCount >= position else { return [] }
        return try (position...call.argumentCount).map { try call.integer($0, "extent") }
    }

    // MARK: Reductions

    private static func addReductions(_ members: LuaClass<TensorObject>) {
        for (name, isMean) in [("sum", false), ("mean", true)] {
            members.method(name) { call, object in
                let tensor = object.tensor
                if !call.isNil(1) {
                    let d = try call.dimension(1, of: tensor.shape)
                    let keeping = try call.optionalBoolean(2, "keep") ?? false
                    if tensor.dtype == .float32 {
                        let operation: any GraphOperation =
                            isMean
                            ? ReduceMean(dimensions: [d], keepsDimensions: keeping)
                            : ReduceSum(dimensions: [d], keepsDimensions: keeping)
                        return try TensorObject.apply(operation, [object])
                    }
                    return TensorObject(
                        try isMean ? tensor.mean(along: d, keeping: keeping) : tensor.sum(along: d, keeping: keeping))
                }
                if tensor.dtype == .float32 { return try TensorObject.apply(Sum(isMean: isMean), [object]) }
                return TensorObject(try isMean ? .full([], tensor.average()) : tensor.sum())
            }
        }
        members.method("max") { call, object in
            try extreme(call, object, whole: { try $0.maximum() }) { try $0.maximum(along: $1, keeping: $2) }
        }
        members.method("min") { call, object in
            try extreme(call, object, whole: { try $0.minimum() }) { try $0.minimum(along: $1, keeping: $2) }
        }
        members.method("argmax") { call, object in
            var tensor = object.tensor
            if !call.isNil(1) {
                // The one to search goes to the end; the others keep their order.
                let dim = try call.dimension(1, of: tensor.shape)
                tensor = try tensor.permuted(tensor.shape.dims.indices.filter { $0 != dim } + [dim]).contiguous()
            }
            return TensorObject(try tensor.argmax().combined(.add, .full([], 1, dtype: .int64)))
        }
    }

    /// The largest or smallest of all elements as a number, or of each line along a dimension.
    private static func extreme(
        _ call: borrowing LuaCall, _ object: TensorObject, whole: (Tensor) throws -> Tensor,
        along: (Tensor, Int, Bool) throws -> Tensor
    ) throws {
        if call.isNil(1) { return try call.push(try number(try whole(object.tensor))) }
        try object.requirePlain(call.functionName)
        let dim = try call.dimension(1, of: object.tensor.shape)
        try call.push(TensorObject(try along(object.tensor, dim, try call.optionalBoolean(2, "keep") ?? false)))
    }
}

extension LuaCall {
    /// A number as it is: Lua's integers keep all their digits.
    func scalar(_ position: Int, _ name: String) throws -> TensorScalar {
        if case .integer(let whole) = try value(position) { return .whole(Int64(whole)) }
        return .real(try number(position, name))
    }
}
