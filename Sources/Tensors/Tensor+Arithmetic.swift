/// Elementwise arithmetic of two operands, with broadcasting.
package enum BinaryOperator: String, Sendable {
    case add, subtract, multiply, divide, power, maximum, minimum, modulo
    case floorDivide = "floor_divide"
    case equal, less, lessEqual
}

extension Tensor {
    public func adding(_ other: Tensor) throws -> Tensor { try combined(.add, other) }
    public func subtracting(_ other: Tensor) throws -> Tensor { try combined(.subtract, other) }
    public func multiplying(_ other: Tensor) throws -> Tensor { try combined(.multiply, other) }
    public func dividing(_ other: Tensor) throws -> Tensor { try combined(.divide, other) }
    public func adding(_ value: Double) throws -> Tensor { try combined(.add, .full([], value, dtype: dtype)) }
    public func multiplying(_ value: Double) throws -> Tensor { try combined(.multiply, .full([], value, dtype: dtype)) }
    public func raised(to exponent: Double) throws -> Tensor { try combined(.power, .full([], exponent, dtype: dtype)) }

    /// This tensor plus `other` of its shape, in this tensor's memory when nobody else holds it.
    package consuming func accumulating(_ other: Tensor) throws -> Tensor {
        guard shape == other.shape, layout == other.layout, dtype == .float32, other.dtype == .float32,
            layout == .blocked || isContiguous, isSoleOwner
        else { return try adding(other) }
        Elementwise.sum(self, other, into: self)
        return self
    }

    /// The operator applied element by element after broadcasting; comparisons give 1 where true and 0 elsewhere.
    ///
    /// Whole numbers are exact and wrap around at the ends of their type, as in NumPy and PyTorch. The larger or smaller
    /// of a number and a not-a-number is a not-a-number, on either side. Quotients and remainders of floor division
    /// round towards −∞, so that the remainder has the divisor's sign, as in Lua.
    /// - Throws: `shapeMismatch` when the shapes do not broadcast, `typeMismatch` when the types differ or for whole
    ///   numbers' quotients and powers, `invalidArgument` where whole numbers are divided by zero.
    package func combined(_ operation: BinaryOperator, _ other: Tensor) throws -> Tensor {
        guard dtype == other.dtype else {
            throw TensorFailure.typeMismatch(operation: operation.rawValue, expected: dtype.rawValue, got: other.dtype)
        }
        if layout == .blocked, other.layout == .blocked, shape == other.shape, operation == .add {
            let result = try Tensor(uninitializedActivation: shape, format: .blocked)
            Elementwise.sum(self, other, into: result)
            return result
        }
        let target = try Shape.broadcast(shape, other.shape, operation: operation.rawValue)
        let result = try Tensor(uninitialized: target, dtype: dtype)
        let lhs = layout == .blocked ? try copy() : self
        let rhs = other.layout == .blocked ? try other.copy() : other
        switch dtype {
        case .float32: Elementwise.combine(operation, lhs, rhs, into: result)
        case .int64: try Elementwise.combineWhole(operation, lhs, rhs, into: result, Int64.self)
        case .uint8: try Elementwise.combineWhole(operation, lhs, rhs, into: result, UInt8.self)
        }
        return result
    }
}
