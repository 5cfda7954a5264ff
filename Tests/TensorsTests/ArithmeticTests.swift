import Tensors
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@MainActor @Suite struct ArithmeticTests {
    /// Element `index` of the broadcast shape in an operand of `shape`.
    private func place(_ index: Int, in target: Shape, of shape: Shape) -> Int {
        var (rest, place, step) = (index, 0, 1)
        for d in stride(from: target.rank - 1, through: 0, by: -1) {
            let own = d - target.rank + shape.rank
            if own >= 0 {
                place += (shape[own] == 1 ? 0 : rest % target[d]) * step
                step *= shape[own]
            }
            rest /= target[d]
        }
        return place
    }

    private nonisolated static let pairs: [(Shape, Shape, Shape)] = [
        ([], [], []), ([3], [], [3]), ([], [2, 3], [2, 3]), ([2, 3], [2, 3], [2, 3]), ([2, 3], [3], [2, 3]),
        ([2, 1], [1, 3], [2, 3]), ([4, 1, 3], [2, 1], [4, 2, 3]), ([1, 5, 1, 1], [2, 5, 3, 4], [2, 5, 3, 4]),
        ([2, 5, 3, 4], [1, 5, 1, 1], [2, 5, 3, 4]), ([1], [7], [7]), ([0, 3], [1, 3], [0, 3]), ([1, 1], [3], [1, 3]),
    ]

    @Test(arguments: pairs) func broadcastingFollowsTheRule(_ a: Shape, _ b: Shape, _ target: Shape) throws {
        let (x, y) = (try sample(a), try sample(b, seed: 2))
        let (u, v) = (try x.array(of: Float.self), try y.array(of: Float.self))
        let operators: [(BinaryOperator, (Float, Float) -> Float)] = [
            (.add, { $0 + $1 }), (.subtract, { $0 - $1 }), (.multiply, { $0 * $1 }), (.divide, { $0 / $1 }),
            (.maximum, { max($0, $1) }), (.minimum, { min($0, $1) }), (.less, { $0 < $1 ? 1 : 0 }),
            (.lessEqual, { $0 <= $1 ? 1 : 0 }), (.equal, { $0 == $1 ? 1 : 0 }),
        ]
        for (operation, apply) in operators {
            let expected = (0..<target.elementCount).map { apply(u[place($0, in: target, of: a)], v[place($0, in: target, of: b)]) }
            let result = try x.combined(operation, y)
            #expect(result.shape == target)
            #expect(try result.array(of: Float.self) == expected, "\(operation)")
        }
    }

    @Test func viewsAreOperandsLikeOthers() throws {
        let a = try sample([4, 6])
        let view = try a.transposed().sliced(dim: 0, from: 1, to: 6, by: 2)
        let expected = try zip(view.array(of: Float.self), view.copy().array(of: Float.self)).map { $0 + $1 }
        #expect(try view.adding(view.copy()).array(of: Float.self) == expected)
        #expect(try view.copy().adding(view).array(of: Float.self) == expected)
        let scalar = try a.selected(dim: 0, index: 2).selected(dim: 0, index: 3)
        let value = try Float(scalar.scalar())
        #expect(try a.multiplying(scalar).array(of: Float.self) == a.array(of: Float.self).map { $0 * value })
    }

    /// Long enough for several threads and not a multiple of a vector.
    @Test func longTensorsAreCoveredToTheLastElement() throws {
        let a = try sample([100_003])
        #expect(try a.adding(a).array(of: Float.self) == a.array(of: Float.self).map { $0 + $0 })
        #expect(try a.rectified().array(of: Float.self) == a.array(of: Float.self).map { $0 > 0 ? $0 : 0 })
    }

    @Test func wholeNumbers() throws {
        let a = try Tensor([7, -2, .max] as [Int64])
        #expect(try a.adding(1).array(of: Int64.self) == [8, -1, .min])
        #expect(try a.combined(.maximum, Tensor([0, 0, 0] as [Int64])).array(of: Int64.self) == [7, 0, .max])
        expectFailure("tensor.typeMismatch", "divide: needs float32 elements, but got int64") { _ = try a.dividing(a) }
        expectFailure("tensor.typeMismatch", "add: needs float32 elements, but got int64") { _ = try sample([3]).adding(a) }
    }

    @Test func misfitsAreExplained() {
        expectFailure("tensor.shapeMismatch", "add: lhs [2, 3] and rhs [4] do not broadcast (3 ≠ 4)") {
            _ = try Tensor.zeros([2, 3]).adding(.zeros([4]))
        }
    }

    @Test func functionsOfOneOperand() throws {
        let x = try sample([3, 5])
        let values = try x.array(of: Float.self)
        let functions: [(String, (Tensor) throws -> Tensor, (Double) -> Double)] = [
            ("negate", { try $0.negated() }, { -$0 }), ("abs", { try $0.magnitude() }, { abs($0) }),
            ("exp", { try $0.exponential() }, { exp($0) }), ("tanh", { try $0.hyperbolicTangent() }, { tanh($0) }),
            ("sigmoid", { try $0.sigmoid() }, { 1 / (1 + exp(-$0)) }), ("relu", { try $0.rectified() }, { max(0, $0) }),
            ("clamp", { try $0.clamped(low: -0.5, high: 0.25) }, { min(max($0, -0.5), 0.25) }),
            ("log", { try $0.magnitude().logarithm() }, { log(abs($0)) }),
            ("sqrt", { try $0.magnitude().squareRoot() }, { abs($0).squareRoot() }),
            ("power", { try $0.raised(to: 2) }, { $0 * $0 }),
        ]
        for (name, function, reference) in functions {
            for tensor in [x, try x.transposed().copy().transposed()] {
                #expect(try relativeDistance(function(tensor), values.map { reference(Double($0)) }) < elementTolerance, "\(name)")
            }
        }
        expectFailure("tensor.invalidArgument", "low 2.0 is above high 1.0") { _ = try x.clamped(low: 2, high: 1) }
        expectFailure("tensor.typeMismatch", "exp: needs float32") { _ = try Tensor.range(3).exponential() }
    }
}
