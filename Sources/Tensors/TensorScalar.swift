/// One number as a tensor's element holds it: whole ones keep all their 64 bits, which a `Double` does not from 2⁵³ on.
public enum TensorScalar: Hashable, Sendable {
    case real(Double)
    case whole(Int64)

    /// The number rounded to the nearest `Double`.
    public var approximation: Double {
        switch self {
        case .real(let value): value
        case .whole(let value): Double(value)
        }
    }
}

extension Tensor {
    /// The only element of a one-element tensor, as it is.
    public func element() throws -> TensorScalar {
        guard elementCount == 1 else {
            throw TensorFailure.shapeMismatch(
                operation: "element", detail: "needs exactly one element, but got \(shape)")
        }
        switch dtype {
        case .float32: return try withElements(of: Float.self) { .real(Double($0[0])) }
        case .int64: return try withElements(of: Int64.self) { .whole($0[0]) }
        case .uint8: return try withElements(of: UInt8.self) { .whole(Int64($0[0])) }
        }
    }

    /// The only element of a one-element tensor, as a `Double`.
    /// - Throws: `invalidArgument` for a whole number that is no `Double`; `element` has it.
    public func scalar() throws -> Double {
        guard elementCount == 1 else {
            throw TensorFailure.shapeMismatch(
                operation: "scalar", detail: "needs exactly one element, but got \(shape)")
        }
        switch try element() {
        case .real(let value): return value
        case .whole(let value):
            guard let exact = Double(exactly: value) else {
                throw TensorFailure.invalidArgument(
                    operation: "scalar", detail: "\(value) has more digits than a Double; read it as a whole number")
            }
            return exact
        }
    }

    /// A tensor of one value.
    /// - Throws: `invalidArgument` for a value that is none of the type, such as 1.5 of int64 or 300 of uint8.
    public static func full(_ shape: Shape, _ value: TensorScalar, dtype: DType) throws -> Tensor {
        let result = try Tensor(uninitialized: shape, dtype: dtype)
        switch dtype {
        case .float32:
            // From a whole number at once: by way of a Double it would be rounded twice.
            let number =
                switch value {
                case .real(let value): Float(value)
                case .whole(let value): Float(value)
                }
            try result.withMutableElements(of: Float.self) { $0.update(repeating: number) }
        case .int64: try result.withMutableElements(of: Int64.self) { $0.update(repeating: try value.exactly("full")) }
        case .uint8: try result.withMutableElements(of: UInt8.self) { $0.update(repeating: try value.exactly("full")) }
        }
        return result
    }

    /// A tensor of one value.
    public static func full(_ shape: Shape, _ value: Double, dtype: DType = .float32) throws -> Tensor {
        try full(shape, .real(value), dtype: dtype)
    }
}

extension TensorScalar {
    /// This number as one of type `Whole`.
    /// - Throws: `invalidArgument` when it has a fraction or does not fit.
    func exactly<Whole: FixedWidthInteger>(_ operation: String) throws -> Whole {
        let found =
            switch self {
            case .real(let value): Whole(exactly: value)
            case .whole(let value): Whole(exactly: value)
            }
        guard let found else { throw TensorFailure.invalidArgument(operation: operation, detail: "\(self) is no \(Whole.self)") }
        return found
    }
}

extension TensorScalar: CustomStringConvertible {
    public var description: String {
        switch self {
        case .real(let value): "\(value)"
        case .whole(let value): "\(value)"
        }
    }
}
