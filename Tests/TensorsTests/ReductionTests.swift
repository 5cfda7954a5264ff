import Tensors
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@MainActor @Suite struct ReductionTests {
    @Test(arguments: [[1], [7], [3, 5], [2, 3, 4], [5, 1, 33]] as [Shape]) func alongEveryDimension(_ shape: Shape) throws {
        let x = try sample(shape)
        let values = try doubles(x)
        for d in 0..<shape.rank {
            let inner = shape.dims[(d + 1)...].reduce(1, *)
            let outer = shape.dims[..<d].reduce(1, *)
            let columns = (0..<outer * inner).map { at in
                (0..<shape[d]).map { values[(at / inner * shape[d] + $0) * inner + at % inner] }
            }
            #expect(try relativeDistance(x.sum(along: d), columns.map { $0.reduce(0, +) }) < elementTolerance * 10)
            #expect(try relativeDistance(x.mean(along: d - shape.rank), columns.map { $0.reduce(0, +) / Double($0.count) }) < elementTolerance * 10)
            #expect(try doubles(x.maximum(along: d)) == columns.map { $0.max()! })
            #expect(try doubles(x.minimum(along: d, keeping: true)) == columns.map { $0.min()! })
            var kept = shape.dims
            kept[d] = 1
            #expect(try x.sum(along: d, keeping: true).shape == Shape(kept))
            kept.remove(at: d)
            #expect(try x.sum(along: d).shape == Shape(kept))
        }
    }

    @Test func overAllElements() throws {
        let x = try sample([9, 111])
        let values = try doubles(x)
        #expect(abs(try x.total() - values.reduce(0, +)) < 1e-9)
        #expect(abs(try x.average() - values.reduce(0, +) / 999) < 1e-12)
        #expect(abs(try x.norm() - values.reduce(0) { $0 + $1 * $1 }.squareRoot()) < 1e-9)
        #expect(try x.largest() == values.max()! && x.smallest() == values.min()!)
        // Views are read in their own order.
        #expect(abs(try x.transposed().total() - values.reduce(0, +)) < 1e-9)
    }

    /// A million ones and tenths: float32 accumulation would be off in the third digit.
    @Test func longSumsKeepTheirDigits() throws {
        let x = try Tensor.full([1_000_001], 0.1)
        let expected = 1_000_001 * Double(Float(0.1))
        #expect(abs(try x.total() - expected) < 1e-6)
        #expect(abs(try x.sum(along: 0).scalar() / expected - 1) < elementTolerance)
        #expect(abs(try x.reshaped([-1, 1]).mean(along: 0).scalar() / Double(Float(0.1)) - 1) < elementTolerance)
    }

    /// 2²⁶ elements of which float32 sums would lose most, along both dimensions; and a mean whose sum is out of range.
    @Test func sumsOfManyElements() throws {
        let x = try Tensor.full([1 << 13, 1 << 13], 0.1)
        let one = Double(Float(0.1))
        #expect(try abs(x.total() / (one * 0x1p26) - 1) < 1e-9 && abs(x.average() / one - 1) < 1e-9)
        #expect(try x.reshaped([1 << 26]).sum(along: 0).scalar() == Double(Float(one * 0x1p26)))
        #expect(try x.sum(along: 0).array(of: Float.self).allSatisfy { $0 == Float(one * 0x1p13) })
        #expect(try x.mean(along: 0).array(of: Float.self).allSatisfy { $0 == 0.1 } && x.mean(along: 1).array(of: Float.self).allSatisfy { $0 == 0.1 })
        #expect(abs(try x.norm() / (one * 0x1p13) - 1) < 1e-9)
        let large = try Tensor.full([1000, 3], 1e38)
        #expect(try large.mean(along: 0).array(of: Float.self) == [1e38, 1e38, 1e38] && large.average() == Double(Float(1e38)))
    }

    @Test func notANumberIsNotLost() throws {
        let x = try Tensor([1, .nan, 3] as [Float])
        #expect(try x.largest().isNaN && x.smallest().isNaN && x.total().isNaN)
        #expect(try x.maximum(along: 0).scalar().isNaN)
        #expect(try x.minimum(along: 0).scalar().isNaN)
    }

    @Test func argmaxTakesTheFirstOfEquals() throws {
        let x = try Tensor([1, 5, 5, -1, -3, -2] as [Float], shape: [2, 3])
        #expect(try x.argmax().array(of: Int64.self) == [1, 0])
        #expect(try x.argmax().shape == [2])
        #expect(try x.transposed().argmax().array(of: Int64.self) == [0, 0, 0])
    }

    @Test func softmaxSumsToOneWithoutOverflow() throws {
        let x = try Tensor([1000, 1001, 999, -5, 0, 5] as [Float], shape: [2, 3])
        let expected = try doubles(x).enumerated().map { i, value in
            let row = i < 3 ? [1000.0, 1001, 999] : [-5.0, 0, 5]
            return exp(value - row.max()!) / row.reduce(0) { $0 + exp($1 - row.max()!) }
        }
        // Logits near 1000 leave softmax 24 bits minus the ten of the logit's size.
        #expect(try relativeDistance(x.softmax(), expected) < 1e-4)
        #expect(try relativeDistance(x.logSoftmax(), expected.map { log($0) }) < 1e-4)
        let sums = try x.softmax().sum(along: 1).array(of: Float.self)
        #expect(sums.allSatisfy { abs($0 - 1) < 1e-4 })
        let mild = try sample([4, 10])
        let naive = try doubles(mild).enumerated().map { i, value in
            let row = try doubles(mild)[(i / 10 * 10)..<(i / 10 * 10 + 10)]
            return exp(value) / row.reduce(0) { $0 + exp($1) }
        }
        #expect(try relativeDistance(mild.softmax(), naive) < elementTolerance)
    }

    @Test func emptyAndWrongInputsAreExplained() throws {
        expectFailure("tensor.shapeMismatch", "mean: needs at least one element, but got [0, 3]") { _ = try Tensor.zeros([0, 3]).average() }
        expectFailure("tensor.shapeMismatch", "max: needs at least one element") { _ = try Tensor.zeros([0]).largest() }
        expectFailure("tensor.indexOutOfRange", "sum: dimension 2 is out of range 0..<2") { _ = try sample([2, 3]).sum(along: 2) }
        expectFailure("tensor.indexOutOfRange", "sum: dimension -3 is out of range 0..<2") { _ = try sample([2, 3]).sum(along: -3) }
        expectFailure("tensor.typeMismatch", "sum: needs float32 elements, but got int64") { _ = try Tensor.range(3).total() }
        expectFailure("tensor.shapeMismatch", "softmax: [2, 0] has no last dimension") { _ = try Tensor.zeros([2, 0]).softmax() }
        #expect(try Tensor.zeros([0, 3]).sum(along: 0).array(of: Float.self) == [0, 0, 0])
        #expect(try Tensor.zeros([3, 0]).sum(along: 0).shape == [0])
    }
}
