#if canImport(Glibc)
    import Glibc
#endif

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

    /// result = max(x, 0), or x where that is not-a-number, over the stored elements of tensors of one layout.
    package static func rectified(_ x: Tensor, into result: Tensor) {
        withExtendedLifetime((x.storage, result.storage)) {
            let (from, to) = (x.base(Float.self), result.base(Float.self))
            parallelFor(x.storedElementCount, grain: grain) { for i in $0 { to[i] = from[i] < 0 ? 0 : from[i] } }
        }
    }

    /// max(a + b, 0) where both lie in one dense layout; `nil` where they do not.
    package static func rectifiedSum(_ a: Tensor, _ b: Tensor) throws -> Tensor? {
        guard a.shape == b.shape, a.dtype == .float32, b.dtype == .float32, a.layout == b.layout,
            a.layout == .blocked || a.isContiguous
        else { return nil }
        let result =
            try a.layout == .blocked
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
                    z[i] = sum < 0 ? 0 : sum
                }
            }
        }
    }

    /// Whether an element of `x`, which lies row-major or blocked, is not-a-number.
    package static func holdsNotANumber(_ x: Tensor) -> Bool {
        withExtendedLifetime(x.storage) {
            let from = UnsafeRawPointer(x.base(Float.self)).assumingMemoryBound(to: UInt32.self)
            // Without its sign a not-a-number has larger bits than infinity, so that the difference has the highest bit. A
            // comparison of floats in a loop would not vectorise, and blocks give up early.
            return stride(from: 0, to: x.storedElementCount, by: 4096).contains { start in
                var bits: UInt32 = 0
                for i in start..<min(start + 4096, x.storedElementCount) { bits |= 0x7f80_0000 &- (from[i] & 0x7fff_ffff) }
                return bits >> 31 != 0
            }
        }
    }

    static func combine(_ operation: BinaryOperator, _ a: Tensor, _ b: Tensor, into result: Tensor) {
        switch operation {
        case .add: broadcastLoop(a, b, result) { (x: Float, y: Float) in x + y }
        case .subtract: broadcastLoop(a, b, result) { (x: Float, y: Float) in x - y }
        case .multiply: broadcastLoop(a, b, result) { (x: Float, y: Float) in x * y }
        case .divide: broadcastLoop(a, b, result) { (x: Float, y: Float) in x / y }
        case .floorDivide: broadcastLoop(a, b, result) { (x: Float, y: Float) in (x / y).rounded(.down) }
        case .modulo: broadcastLoop(a, b, result, floorRemainder)
        case .power: power(a, b, into: result)
        // No comparison with a not-a-number is true, so that y is taken where it is one.
        case .maximum: broadcastLoop(a, b, result) { (x: Float, y: Float) in x > y || x != x ? x : y }
        case .minimum: broadcastLoop(a, b, result) { (x: Float, y: Float) in x < y || x != x ? x : y }
        case .equal: broadcastLoop(a, b, result) { (x: Float, y: Float) in x == y ? 1 : 0 }
        case .less: broadcastLoop(a, b, result) { (x: Float, y: Float) in x < y ? 1 : 0 }
        case .lessEqual: broadcastLoop(a, b, result) { (x: Float, y: Float) in x <= y ? 1 : 0 }
        }
    }

    /// A square or a root, where the exponent is that one number, is taken as such.
    private static func power(_ a: Tensor, _ b: Tensor, into result: Tensor) {
        let exponent = b.elementCount == 1 && a.shape == result.shape ? b.base(Float.self)[0] : nil
        switch exponent {
        case 2: broadcastLoop(a, b, result) { (x: Float, _: Float) in x * x }
        case 0.5: broadcastLoop(a, b, result) { (x: Float, _: Float) in x.squareRoot() }
        default: broadcastLoop(a, b, result) { (x: Float, y: Float) in powf(x, y) }
        }
    }

    /// x − ⌊x / y⌋ y, with the sign of y.
    @inline(__always)
    private static func floorRemainder(_ x: Float, _ y: Float) -> Float {
        let rest = fmodf(x, y)
        return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest
    }

    /// Whole numbers wrap around like the hardware's.
    static func combineWhole<Whole: FixedWidthInteger & TensorElement>(
        _ operation: BinaryOperator, _ a: Tensor, _ b: Tensor, into result: Tensor, _: Whole.Type
    ) throws {
        switch operation {
        case .add: broadcastLoop(a, b, result) { (x: Whole, y: Whole) in x &+ y }
        case .subtract: broadcastLoop(a, b, result) { (x: Whole, y: Whole) in x &- y }
        case .multiply: broadcastLoop(a, b, result) { (x: Whole, y: Whole) in x &* y }
        case .maximum: broadcastLoop(a, b, result) { (x: Whole, y: Whole) in max(x, y) }
        case .minimum: broadcastLoop(a, b, result) { (x: Whole, y: Whole) in min(x, y) }
        case .equal: broadcastLoop(a, b, result) { (x: Whole, y: Whole) in x == y ? 1 : 0 }
        case .less: broadcastLoop(a, b, result) { (x: Whole, y: Whole) in x < y ? 1 : 0 }
        case .lessEqual: broadcastLoop(a, b, result) { (x: Whole, y: Whole) in x <= y ? 1 : 0 }
        case .floorDivide, .modulo:
            guard try result.elementCount == 0 || !b.array(of: Whole.self).contains(0) else {
                throw TensorFailure.invalidArgument(operation: operation.rawValue, detail: "a whole number cannot be divided by zero")
            }
            if operation == .modulo {
                broadcastLoop(a, b, result) { (x: Whole, y: Whole) in floorDivision(x, y).remainder }
            } else {
                broadcastLoop(a, b, result) { (x: Whole, y: Whole) in floorDivision(x, y).quotient }
            }
        case .divide, .power:
            throw TensorFailure.typeMismatch(operation: operation.rawValue, expected: "float32", got: Whole.dtype)
        }
    }

    /// ⌊x / y⌋ and what is left, which has the sign of y; the least number by −1 wraps around to itself.
    @inline(__always)
    private static func floorDivision<Whole: FixedWidthInteger>(_ x: Whole, _ y: Whole) -> (quotient: Whole, remainder: Whole) {
        let quotient = x.dividedReportingOverflow(by: y).partialValue
        let rest = x.remainderReportingOverflow(dividingBy: y).partialValue
        return rest != 0 && (rest < 0) != (y < 0) ? (quotient &- 1, rest &+ y) : (quotient, rest)
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
