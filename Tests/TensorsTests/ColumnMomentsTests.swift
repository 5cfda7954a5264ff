import Basics
import Tensors
import Testing

@Suite struct ColumnMomentsTests {
    private func columns(_ width: Int, _ count: Int, offset: Double, seed: UInt64) throws -> Tensor {
        var random = RandomSource(seed: seed)
        return try Tensor.normal([width, count], using: &random).adding(Tensor.full([], offset))
    }

    /// Sums of parts of any size against sums in double, element by element.
    @Test(arguments: [(1, 1, 1), (3, 2, 10_000), (40, 5, 4097), (70, 90, 33), (5, 1, 0)])
    func sumsAreThoseOfAllColumns(width: Int, outputs: Int, count: Int) throws {
        let (x, y) = try (columns(width, count, offset: 2, seed: 1), columns(outputs, count, offset: -3, seed: 2))
        let moments = try ColumnMoments(width: width, outputWidth: outputs)
        for start in stride(from: 0, to: count, by: 1700) {
            let end = min(count, start + 1700)
            try moments.add(x.sliced(dim: 1, from: start, to: end), y.sliced(dim: 1, from: start, to: end))
        }
        let totals = moments.totals()
        #expect(totals.count == count)
        let (a, b) = try (x.array(of: Float.self).map(Double.init), y.array(of: Float.self).map(Double.init))
        func dot(_ u: [Double], _ i: Int, _ v: [Double], _ j: Int) -> Double {
            (0..<count).reduce(0) { $0 + u[i * count + $1] * v[j * count + $1] }
        }
        let tolerance = 1e-6 * Double(count) * 10
        for i in 0..<width {
            for j in 0..<width { #expect(abs(totals.gram.row(i)[j] - dot(a, i, a, j)) <= tolerance) }
            for o in 0..<outputs { #expect(abs(totals.mixed.row(o)[i] - dot(b, o, a, i)) <= tolerance) }
            #expect(abs(totals.sums[i] - (0..<count).reduce(0) { $0 + a[i * count + $1] }) <= 1e-9 * Double(count))
        }
        for o in 0..<outputs { #expect(abs(totals.outputSquares[o] - dot(b, o, b, o)) <= 1e-9 * Double(count) * 10) }
    }

    /// A million columns cost no more digits than a few thousand.
    @Test func manyColumnsCostNoDigits() throws {
        let count = 1 << 20
        let moments = try ColumnMoments(width: 1)
        try moments.add(Tensor.full([1, count], 1 + 0x1p-10))
        let right = Double(count) * (1 + 0x1p-10) * (1 + 0x1p-10)
        #expect(abs(moments.totals().gram.row(0)[0] / right - 1) < 1e-6)
        let failure = #expect(throws: TensorFailure.self) { try moments.add(Tensor.zeros([2, 3])) }
        #expect(failure?.code == "tensor.shapeMismatch")
    }

    @Test func productsTakeEitherSideTransposed() throws {
        let (a, b) = try (columns(3, 5, offset: 0, seed: 3), columns(5, 4, offset: 0, seed: 4))
        let right = try a.matrixProduct(b)
        let (ta, tb) = try (a.transposed().contiguous(), b.transposed().contiguous())
        let all = try [
            PreciseMatrix(a).product(PreciseMatrix(b)), PreciseMatrix(ta).product(PreciseMatrix(b), transposingSelf: true),
            PreciseMatrix(a).product(PreciseMatrix(tb), transposingOther: true),
            PreciseMatrix(ta).product(PreciseMatrix(tb), transposingSelf: true, transposingOther: true),
        ]
        for product in all { #expect(try product.tensor().subtracting(right).norm() < 1e-5 * right.norm()) }
    }

    /// Systems as ill-conditioned as float32 cannot solve, and matrices that are not positive definite.
    @Test func positiveDefiniteSystemsAreSolved() throws {
        let n = 12
        let matrix = try PreciseMatrix.zeros(rows: n, columns: n)
        for i in 0..<n { for j in 0..<n { matrix.base[i * n + j] = 1 / Double(i + j + 1) } }
        let wanted = try PreciseMatrix(columns(3, n, offset: 1, seed: 5))
        let ridge = 1e-9
        let right = try wanted.product(matrix)
        for i in 0..<3 * n { right.base[i] += ridge * wanted.base[i] }
        let solution = try #require(try matrix.solving(rows: right, ridge: ridge))
        for i in 0..<3 * n { #expect(abs(solution.base[i] - wanted.base[i]) < 1e-6) }
        #expect(try matrix.solving(rows: right, ridge: -1) == nil)
    }

    @Test func eigenvaluesDescend() throws {
        let x = try columns(6, 40, offset: 0, seed: 6)
        let moments = try ColumnMoments(width: 6)
        try moments.add(x)
        let gram = moments.totals().gram
        let (energies, vectors) = try gram.symmetricEigen()
        let values = try vectors.product(gram, transposingSelf: true).product(vectors)
        for i in 0..<6 {
            #expect(abs(values.row(i)[i] - energies[i]) < 1e-9 * values.trace)
            for j in 0..<6 where j != i { #expect(abs(values.row(i)[j]) < 1e-9 * values.trace) }
            if i > 0 { #expect(energies[i] <= energies[i - 1]) }
        }
    }
}
