import Basics
import LuaRuntime
import Operations
import Tensors

/// Functions that make tensors, and losses.
enum TensorFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        try table.offer(TensorClass.make(), in: state)
        try table.define("tensor", in: state) { call in
            let numbers = try NestedNumbers(try call.value(1))
            let options = try call.options(2)
            let dtype = try options.choice("dtype", among: DType.allCases.map(\.rawValue))
            try call.push(TensorObject(try numbers.tensor(DType(rawValue: dtype) ?? .float32)))
        }
        for (name, value) in [("zeros", 0.0), ("ones", 1.0)] {
            try table.define(name, in: state) { call in
                try call.push(TensorObject(try .full(Shape(try TensorClass.shape(call, from: 1)), value)))
            }
        }
        try table.define("randn", in: state) { call in
            let shape = Shape(try TensorClass.shape(call, from: 1))
            try call.push(TensorObject(try .normal(shape, using: &randomState.random)))
        }
        try table.define("rand", in: state) { call in
            let shape = Shape(try TensorClass.shape(call, from: 1))
            try call.push(TensorObject(try .uniform(shape, using: &randomState.random)))
        }
        try table.define("arange", in: state) { call in try numbers(call) { try .range($0) } }
        try table.define("randperm", in: state) { call in
            try numbers(call) { try .permutation($0, using: &randomState.random) }
        }
        try table.define("eye", in: state) { call in
            let n = try call.integer(1, "n")
            guard (1..<1 << 16).contains(n) else { throw call.invalid(1, "n", "must be in 1..<65536, got \(n)") }
            try call.push(TensorObject(try .identity(n)))
        }
        try table.define("hits", in: state) { call in
            let logits = try call.object(1, "logits", as: TensorObject.self).tensor
            let labels = try call.object(2, "labels", as: TensorObject.self).tensor.array(of: Int64.self)
            let found = try logits.predictedClasses()
            try call.push(zip(found, labels).count { $0.map { Int64($0) + 1 } == $1 })
            try call.push(found.count { $0 == nil })
        }
        try table.define("cat", in: state) { call in try concatenate(call) }
        try table.define("tape", in: state) { call in try call.push(TapeObject(in: call.state)) }
        try table.set("loss", try losses(in: state))
    }

    /// As many whole numbers as argument 1 says, which `make` gives from 0 on and scripts see from 1 on.
    private static func numbers(_ call: borrowing LuaCall, _ make: (Int) throws -> Tensor) throws {
        let count = try call.integer(1, "count")
        guard (0..<1 << 32).contains(count) else { throw call.invalid(1, "count", "must not be negative or huge, got \(count)") }
        try call.push(TensorObject(try make(count).combined(.add, .full([], 1, dtype: .int64))))
    }

    private static func concatenate(_ call: borrowing LuaCall) throws {
        let elements = try call.values(in: 1, "tensors", "an array of Tensors")
        guard !elements.isEmpty else { throw call.invalid(1, "tensors", "must be an array of at least one Tensor") }
        let values = try elements.compactMap { try call.object(in: $0, as: ValueObject.self) }
        if values.count == elements.count {
            let dim = try dimension(call, of: values.map(\.fullShape))
            return try call.push(try ValueClass.concatenated(values, dim: dim))
        }
        let parts = try elements.map { value -> TensorObject in
            guard let object = try call.object(in: value, as: TensorObject.self) else {
                throw call.invalid(1, "tensors", "must be an array of Tensors")
            }
            return object
        }
        let dim = try dimension(call, of: parts.map(\.tensor.shape))
        if parts.contains(where: { $0.recorded != nil }) {
            return try call.push(try TensorObject.apply(Concatenate(dimension: dim), parts))
        }
        try call.push(TensorObject(try .concatenated(parts.map(\.tensor), dim: dim)))
    }

    /// The dimension along which tensors of these shapes are to be put together; they must agree beside it.
    private static func dimension(_ call: borrowing LuaCall, of shapes: [Shape]) throws -> Int {
        let first = shapes[0]
        let dim = call.isNil(2) && first.rank > 0 ? 0 : try call.dimension(2, of: first)
        for shape in shapes {
            let agrees = shape.rank == first.rank && (0..<first.rank).allSatisfy { $0 == dim || shape[$0] == first[$0] }
            guard agrees else {
                throw call.invalid(1, "tensors", "must agree beside dimension \(dim + 1), got \(first) and \(shape)")
            }
        }
        return dim
    }

    private static func losses(in state: LuaState) throws -> LuaTable {
        let losses = try state.table()
        let module = "mr.loss"
        try losses.define("cross_entropy", in: state, module: module) { call in
            let options = try call.options(3)
            let smoothing = try options.number("smoothing")
            guard (0..<1).contains(smoothing) else { throw options.invalid("smoothing", "must be in 0..<1, got \(smoothing)") }
            let labels = try call.object(2, "labels", as: TensorObject.self)
            let fromZero = TensorObject(try labels.tensor.subtracting(.ones([], dtype: labels.tensor.dtype)))
            let logits = try call.object(1, "logits", as: TensorObject.self)
            do {
                try call.push(try TensorObject.apply(CrossEntropy(smoothing: smoothing), [logits, fromZero]))
            } catch OperationFailure.labelOutOfRange(let label, let position, let count) {
                // Scripts count classes and positions from 1.
                // The least integer went round when it was counted from 0, and comes back here.
                throw BindingFailure.labelOutOfRange(label: label &+ 1, position: position + 1, classCount: count)
            }
        }
        try losses.define("kl", in: state, module: module) { call in
            let options = try call.options(3)
            let temperature = try options.number("temperature")
            guard temperature > 0 else { throw options.invalid("temperature", "must be positive, got \(temperature)") }
            let operands = [
                try call.object(1, "student", as: TensorObject.self), try call.object(2, "teacher", as: TensorObject.self),
            ]
            try call.push(try TensorObject.apply(KLDivergence(temperature: temperature), operands))
        }
        try losses.define("mse", in: state, module: module) { call in
            let operands = [
                try call.object(1, "prediction", as: TensorObject.self), try call.object(2, "target", as: TensorObject.self),
            ]
            try call.push(try TensorObject.apply(MeanSquaredError(), operands))
        }
        return losses
    }
}
