import Tensors
import Testing

/// Whole numbers never go by way of a float: the digits at the ends of their range and just above 2⁵³ stay.
@MainActor @Suite struct WholeNumberTests {
    private nonisolated static let numbers: [Int64] = [
        1 << 53 + 1, -(1 << 53) - 1, .min, .max, 1 << 62 + 1, -(1 << 62) - 1, 0, 1, -1, 1 << 24 + 1, 7, -7,
    ]

    private func tensor(_ shape: Shape? = nil) throws -> Tensor { try Tensor(Self.numbers, shape: shape) }

    @Test(arguments: numbers) func oneNumber(_ number: Int64) throws {
        let scalar = try Tensor.full([], .whole(number), dtype: .int64)
        #expect(try scalar.element() == .whole(number) && scalar.array(of: Int64.self) == [number])
        #expect(scalar.description == "Tensor int64 [] \(number)")
        #expect(try Tensor([number, number]).formattedValues() == "[\(number), \(number)]")
        if Double(exactly: number) == nil {
            expectFailure("tensor.invalidArgument", "\(number) has more digits than a Double") { _ = try scalar.scalar() }
        } else {
            #expect(try scalar.scalar() == Double(number))
        }
        #expect(try Tensor.full([], .whole(number), dtype: .float32).array(of: Float.self) == [Float(number)])
    }

    /// Against the machine's own arithmetic, every number with every other.
    @Test func arithmeticWrapsAround() throws {
        let (column, row) = (try tensor([Self.numbers.count, 1]), try tensor())
        let pairs = Self.numbers.flatMap { x in Self.numbers.map { (x, $0) } }
        let operators: [(BinaryOperator, (Int64, Int64) -> Int64)] = [
            (.add, { $0 &+ $1 }), (.subtract, { $0 &- $1 }), (.multiply, { $0 &* $1 }), (.maximum, { max($0, $1) }),
            (.minimum, { min($0, $1) }), (.equal, { $0 == $1 ? 1 : 0 }), (.less, { $0 < $1 ? 1 : 0 }),
            (.lessEqual, { $0 <= $1 ? 1 : 0 }),
        ]
        for (operation, apply) in operators {
            #expect(try column.combined(operation, row).array(of: Int64.self) == pairs.map { apply($0, $1) }, "\(operation)")
        }
        #expect(try row.negated().array(of: Int64.self) == Self.numbers.map { 0 &- $0 })
        #expect(try row.magnitude().array(of: Int64.self) == Self.numbers.map { $0 < 0 ? 0 &- $0 : $0 })
    }

    /// x = ⌊x / y⌋ y + r with r on the side of y, but for the one quotient that does not fit, which wraps around.
    @Test func divisionRoundsDown() throws {
        let divisors = try Tensor(Self.numbers.filter { $0 != 0 })
        let column = try tensor([Self.numbers.count, 1])
        let quotients = try column.combined(.floorDivide, divisors).array(of: Int64.self)
        let remainders = try column.combined(.modulo, divisors).array(of: Int64.self)
        let pairs = Self.numbers.flatMap { x in Self.numbers.filter { $0 != 0 }.map { (x, $0) } }
        for (i, (x, y)) in pairs.enumerated() {
            #expect(quotients[i] &* y &+ remainders[i] == x, "\(x) by \(y)")
            #expect(remainders[i] == 0 || (remainders[i] < 0) == (y < 0) && remainders[i].magnitude < y.magnitude, "\(x) by \(y)")
        }
        for operation in [BinaryOperator.floorDivide, .modulo] {
            expectFailure("tensor.invalidArgument", "\(operation.rawValue): a whole number cannot be divided by zero") {
                _ = try column.combined(operation, Tensor([1, 0, 2] as [Int64]))
            }
        }
        let fractions = try Tensor([7.5, -7.5, 7.5, -7.5] as [Float]), by = try Tensor([2, 2, -2, -2] as [Float])
        #expect(try fractions.combined(.floorDivide, by).array(of: Float.self) == [3, -4, -4, 3])
        #expect(try fractions.combined(.modulo, by).array(of: Float.self) == [1.5, 0.5, -0.5, -1.5])
    }

    @Test func reductions() throws {
        let all = try tensor()
        let sum = Self.numbers.reduce(0, &+)
        #expect(try all.sum().array(of: Int64.self) == [sum] && all.sum(along: 0).array(of: Int64.self) == [sum])
        #expect(try all.maximum().element() == .whole(.max) && all.minimum().element() == .whole(.min))
        let rows = try tensor([3, 4])
        let slices = (0..<3).map { Self.numbers[($0 * 4)..<($0 * 4 + 4)] }
        #expect(try rows.sum(along: 1).array(of: Int64.self) == slices.map { $0.reduce(0, &+) })
        #expect(try rows.maximum(along: 1).array(of: Int64.self) == slices.map { $0.max()! })
        #expect(try rows.minimum(along: -1, keeping: true).array(of: Int64.self) == slices.map { $0.min()! })
        #expect(try rows.argmax().array(of: Int64.self) == slices.map { Int64($0.firstIndex(of: $0.max()!)! - $0.startIndex) })
        // Neighbours that are one number in float32 and in double.
        #expect(try Tensor([1 << 53, 1 << 53 + 1, 1 << 53] as [Int64]).argmax().element() == .whole(1))
        #expect(try Tensor([1 << 53 + 1, -(1 << 53)] as [Int64]).average() == 0.5)
        #expect(try Tensor([.max, .max] as [Int64]).mean(along: 0).array(of: Float.self) == [0x1p63])
    }

    @Test func moving() throws {
        let all = try tensor()
        #expect(try all.reshaped([3, 4]).permuted([1, 0]).copy().permuted([1, 0]).array(of: Int64.self) == Self.numbers)
        #expect(try Tensor.concatenated([all, all], dim: 0).array(of: Int64.self) == Self.numbers + Self.numbers)
        #expect(try all.gathered(rows: [3, 2, 0]).array(of: Int64.self) == [.max, .min, 1 << 53 + 1])
        #expect(try all.sliced(dim: 0, from: 0, to: 12, by: 3).array(of: Int64.self) == stride(from: 0, to: 12, by: 3).map { Self.numbers[$0] })
        let target = try Tensor.zeros([12], dtype: .int64)
        try target.assign(all)
        #expect(try target.array(of: Int64.self) == Self.numbers)
    }

    @Test func bytes() throws {
        let a = try Tensor([0, 1, 200, 255] as [UInt8]), b = try Tensor([255, 255, 100, 2] as [UInt8])
        #expect(try a.adding(b).array(of: UInt8.self) == [255, 0, 44, 1])
        #expect(try a.subtracting(b).array(of: UInt8.self) == [1, 2, 100, 253])
        #expect(try a.multiplying(b).array(of: UInt8.self) == [0, 255, 32, 254])
        #expect(try a.combined(.less, b).array(of: UInt8.self) == [1, 1, 0, 0])
        #expect(try a.negated().array(of: UInt8.self) == [0, 255, 56, 1])
        #expect(try a.sum().element() == .whole(456) && a.sum(along: 0).element() == .whole(456))
        #expect(try a.maximum().element() == .whole(255) && a.average() == 114)
        #expect(try a.argmax().element() == .whole(3))
    }

    /// What knows float32 alone says so, rather than to round in silence.
    @Test func theOthersRefuse() throws {
        let x = try tensor([3, 4])
        let functions: [(String, (Tensor) throws -> Tensor)] = [
            ("exp", { try $0.exponential() }), ("log", { try $0.logarithm() }), ("sqrt", { try $0.squareRoot() }),
            ("tanh", { try $0.hyperbolicTangent() }), ("sigmoid", { try $0.sigmoid() }), ("relu", { try $0.rectified() }),
            ("clamp", { try $0.clamped(low: 0, high: 1) }), ("softmax", { try $0.softmax() }), ("log_softmax", { try $0.logSoftmax() }),
            ("matmul", { try $0.matrixProduct($0.transposed()) }), ("divide", { try $0.dividing($0) }),
            ("power", { try $0.combined(.power, $0) }), ("norm", { try .full([], $0.norm()) }),
        ]
        for (name, function) in functions {
            expectFailure("tensor.typeMismatch", "\(name): needs float32 elements, but got int64") { _ = try function(x) }
        }
    }
}
