import Tensors
import Testing

@MainActor @Suite struct MatrixProductTests {
    private func naive(_ a: [Double], _ b: [Double], _ m: Int, _ k: Int, _ n: Int) -> [Double] {
        (0..<m * n).map { at in (0..<k).reduce(0) { $0 + a[at / n * k + $1] * b[$1 * n + at % n] } }
    }

    private enum View: CaseIterable { case plain, transposed, sliced, stepped }

    /// A matrix of the given shape that lies in memory in one of several ways.
    private func matrix(_ rows: Int, _ columns: Int, _ view: View, seed: UInt64) throws -> Tensor {
        switch view {
        case .plain: try sample([rows, columns], seed: seed)
        case .transposed: try sample([columns, rows], seed: seed).transposed()
        case .sliced: try sample([rows + 3, columns + 2], seed: seed).sliced(dim: 0, from: 2, to: rows + 2).sliced(dim: 1, from: 1, to: columns + 1)
        case .stepped: try sample([rows, columns * 2], seed: seed).sliced(dim: 1, from: 0, to: columns * 2, by: 2)
        }
    }

    @Test(arguments: [(1, 1, 1), (3, 4, 5), (1, 7, 3), (7, 1, 2), (5, 6, 1), (33, 17, 65), (64, 128, 10)])
    func productEqualsTheLoopsForEveryView(_ m: Int, _ k: Int, _ n: Int) throws {
        try poisonFreedMemory()
        for lhs in View.allCases {
            for rhs in View.allCases {
                let (a, b) = (try matrix(m, k, lhs, seed: 1), try matrix(k, n, rhs, seed: 2))
                let expected = try naive(doubles(a), doubles(b), m, k, n)
                #expect(try relativeDistance(a.matrixProduct(b), expected) < kernelTolerance, "\(lhs) · \(rhs)")
            }
        }
    }

    @Test func aBroadcastOperandIsReadRight() throws {
        let row = try sample([1, 4]).broadcast(to: [3, 4])
        let b = try sample([4, 2], seed: 2)
        #expect(try relativeDistance(row.matrixProduct(b), naive(doubles(row), doubles(b), 3, 4, 2)) < kernelTolerance)
    }

    @Test func emptySumsAreZero() throws {
        let product = try Tensor.zeros([2, 0]).matrixProduct(.zeros([0, 3]))
        #expect(product.shape == [2, 3])
        #expect(try product.array(of: Float.self) == [0, 0, 0, 0, 0, 0])
        #expect(try Tensor.zeros([0, 2]).matrixProduct(.zeros([2, 3])).shape == [0, 3])
    }

    @Test func misfitsAreExplained() throws {
        expectFailure("tensor.shapeMismatch", "matmul: lhs [32, 64] and rhs [32, 10] disagree on the inner dimension (64 ≠ 32)") {
            _ = try Tensor.zeros([32, 64]).matrixProduct(.zeros([32, 10]))
        }
        expectFailure("tensor.shapeMismatch", "needs two matrices, but got [4] and [4, 2]") {
            _ = try Tensor.zeros([4]).matrixProduct(.zeros([4, 2]))
        }
        expectFailure("tensor.typeMismatch", "matmul: needs float32 elements, but got int64") {
            _ = try Tensor.zeros([4, 4]).matrixProduct(.zeros([4, 2], dtype: .int64))
        }
    }
}
