#if canImport(Glibc)
    import Glibc
#endif

/// Elementwise arithmetic of two operands, with broadcasting.
package enum BinaryOperator: String, Sendable {
    case add, subtract, multiply, divide, power, maximum, minimum
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
    /// - Throws: `shapeMismatch` when the shapes do not broadcast, `typeMismatch` when the types differ or are uint8.
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
        case .int64: try Elementwise.combineWhole(operation, lhs, rhs, into: result)
        case .uint8: throw TensorFailure.typeMismatch(operation: operation.rawValue, expected: "float32 or int64", got: .uint8)
        }
        return result
    }
}

/// The loops behind elementwise arithmetic.
package enum Elementwise {
    /// Elements below which a loop stays on one thread.
    package static let grain = 1 << 15

    /// result = a + b over the stored elements of tensors of one layout.
    package static func sum(_ a: Tensor, _ b: Tensor, into result: Tensor) {
        withExtendedLifetime((a.storage, b.storage, result.storage)) {
            let (x, y, z) = (a.base(Float.self), b.base(Float.self), result.base(Float.self))
            parallelFor(a.storedElementCount, grain: grain) { for i in $0 { z[i] = x[i] + y[i] } }
        }
    }

    /// result = max(x, 0) over the stored elements of tensors of one layout.
    package static func rectified(_ x: Tensor, into result: Tensor) {
        withExtendedLifetime((x.storage, result.storage)) {
            let (from, to) = (x.base(Float.self), result.base(Float.self))
            parallelFor(x.storedElementCount, grain: grain) { for i in $0 { to[i] = from[i] > 0 ? from[i] : 0 } }
        }
    }

    /// max(a + b, 0) where both lie in one dense layout; `nil` where they do not.
    package static func rectifiedSum(_ a: Tensor, _ b: Tensor) throws -> Tensor? {
        guard a.shape == b.shape, a.dtype == .float32, b.dtype == .float32, a.layout == b.layout,
            a.layout == .blocked || a.isContiguous
        else { return nil }
        let result = try a.layout == .blocked
            ? Tensor(uninitializedActivation: a.shape, format: .blocked) : Tensor(uninitialized: a.shape)
        rectifiedSum(a, b, into: result)
        return result
    }

    /// The same into a tensor of their layout.
    package static func rectifiedSum(_ a: Tensor, _ b: Tensor, into result: Tensor) {
        withExtendedLifetime((a.storage, b.storage, result.storage)) {
            let (x, y, z) = (a.base(Float.self), b.base(Float.self), result.base(Float.self))
            parallelFor(a.storedElementCount, grain: grain) {
                for i in $0 {
                    let sum = x[i] + y[i]
                    z[i] = sum > 0 ? sum : 0
                }
            }
        }
    }

    static func combine(_ operation: BinaryOperator, _ a: Tensor, _ b: Tensor, into result: Tensor) {
        switch operation {
        case .add: broadcastLoop(a, b, result) { (x: Float, y: Float) in x + y }
        case .subtract: broadcastLoop(a, b, result) { (x: Float, y: Float) in x - y }
        case .multiply: broadcastLoop(a, b, result) { (x: Float, y: Float) in x * y }
        case .divide: broadcastLoop(a, b, result) { (x: Float, y: Float) in x / y }
        case .power: broadcastLoop(a, b, result) { (x: Float, y: Float) in powf(x, y) }
        case .maximum: broadcastLoop(a, b, result) { (x: Float, y: Float) in x > y ? x : y }
        case .minimum: broadcastLoop(a, b, result) { (x: Float, y: Float) in x < y ? x : y }
        case .equal: broadcastLoop(a, b, result) { (x: Float, y: Float) in x == y ? 1 : 0 }
        case .less: broadcastLoop(a, b, result) { (x: Float, y: Float) in x < y ? 1 : 0 }
        case .lessEqual: broadcastLoop(a, b, result) { (x: Float, y: Float) in x <= y ? 1 : 0 }
        }
    }

    /// Whole numbers wrap around like the hardware's; dividing by zero is refused.
    static func combineWhole(_ operation: BinaryOperator, _ a: Tensor, _ b: Tensor, into result: Tensor) throws {
        switch operation {
        case .add: broadcastLoop(a, b, result) { (x: Int64, y: Int64) in x &+ y }
        case .subtract: broadcastLoop(a, b, result) { (x: Int64, y: Int64) in x &- y }
        case .multiply: broadcastLoop(a, b, result) { (x: Int64, y: Int64) in x &* y }
        case .maximum: broadcastLoop(a, b, result) { (x: Int64, y: Int64) in max(x, y) }
        case .minimum: broadcastLoop(a, b, result) { (x: Int64, y: Int64) in min(x, y) }
        case .equal: broadcastLoop(a, b, result) { (x: Int64, y: Int64) in x == y ? 1 : 0 }
        case .less: broadcastLoop(a, b, result) { (x: Int64, y: Int64) in x < y ? 1 : 0 }
        case .lessEqual: broadcastLoop(a, b, result) { (x: Int64, y: Int64) in x <= y ? 1 : 0 }
        case .divide, .power:
            throw TensorFailure.typeMismatch(operation: operation.rawValue, expected: "float32", got: .int64)
        }
    }

    /// Walks the outer dimensions and runs the innermost as one of three tight loops.
    @inline(__always)
    private static func broadcastLoop<Element: TensorElement>(
        _ a: Tensor, _ b: Tensor, _ result: Tensor, _ apply: (Element, Element) -> Element
    ) {
        guard result.elementCount > 0 else { return }
        let (x, y, z) = (a.base(Element.self), b.base(Element.self), result.base(Element.self))
        withExtendedLifetime((a.storage, b.storage, result.storage)) {
            let rowMajor = (a.isContiguous && a.shape == result.shape, b.isContiguous && b.shape == result.shape)
            if rowMajor.0, rowMajor.1 || b.elementCount == 1 {
                let step = b.elementCount == 1 ? 0 : 1
                parallelFor(result.elementCount, grain: grain) { row(x + $0.lowerBound, 1, y + step * $0.lowerBound, step, z + $0.lowerBound, $0.count, apply) }
                return
            }
            let dims = result.shape.dims
            let (sa, sb) = (a.broadcastStrides(to: result.shape), b.broadcastStrides(to: result.shape))
            let inner = dims.last ?? 1
            var walker = StridedWalker(dims: Array(dims.dropLast()), strides: [Array(sa.dropLast()), Array(sb.dropLast())])
            var out = z
            repeat {
                row(x + walker.offsets[0], sa.last ?? 0, y + walker.offsets[1], sb.last ?? 0, out, inner, apply)
                out += inner
            } while walker.advance()
        }
    }

    @inline(__always)
    private static func row<Element>(
        _ x: UnsafePointer<Element>, _ sx: Int, _ y: UnsafePointer<Element>, _ sy: Int,
        _ z: UnsafeMutablePointer<Element>, _ count: Int, _ apply: (Element, Element) -> Element
    ) {
        if sx == 1, sy == 1 {
            for i in 0..<count { z[i] = apply(x[i], y[i]) }
        } else if sx == 1, sy == 0 {
            let value = y[0]
            for i in 0..<count { z[i] = apply(x[i], value) }
        } else {
            for i in 0..<count { z[i] = apply(x[i * sx], y[i * sy]) }
        }
    }
}
