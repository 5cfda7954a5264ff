import Tensors
import Testing

@MainActor @Suite struct LinearAlgebraTests {
    private nonisolated static let shapes: [Shape] = [[1, 1], [5, 5], [9, 4], [4, 9], [1, 6], [6, 1], [40, 33]]

    private func expectOrthonormalColumns(_ q: Tensor, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let gram = try q.transposed().matrixProduct(q)
        #expect(try relativeDistance(gram, doubles(.identity(q.shape[1]))) < kernelTolerance, sourceLocation: sourceLocation)
    }

    @Test(arguments: shapes) func singularValueDecomposition(_ shape: Shape) throws {
        let a = try sample(shape)
        let svd = try a.singularValueDecomposition()
        let r = min(shape[0], shape[1])
        #expect(svd.u.shape == [shape[0], r] && svd.vt.shape == [r, shape[1]] && svd.values.count == r)
        #expect(zip(svd.values, svd.values.dropFirst()).allSatisfy { $0 >= $1 } && svd.values.allSatisfy { $0 >= 0 })
        try expectOrthonormalColumns(svd.u)
        try expectOrthonormalColumns(svd.vt.transposed())
        let product = try svd.u.multiplying(Tensor(svd.values.map { Float($0) })).matrixProduct(svd.vt)
        #expect(try relativeDistance(product, doubles(a)) < kernelTolerance)
    }

    /// Long matrices are summed up in parts.
    @Test(arguments: [[1, 1], [5, 3], [7, 40], [12, 5000], [130, 64]] as [Shape]) func gramMatrices(_ shape: Shape) throws {
        try poisonFreedMemory()
        let a = try sample(shape)
        #expect(try relativeDistance(a.gram(), doubles(a.matrixProduct(a.transposed()))) < kernelTolerance)
        let view = try a.transposed()
        #expect(try relativeDistance(view.gram(), doubles(view.matrixProduct(a))) < kernelTolerance)
    }

    @Test func triangularInverses() throws {
        let r = try sample([9, 6]).orthogonalFactors().r
        let inverse = try #require(try r.upperTriangularInverse())
        #expect(try relativeDistance(r.matrixProduct(inverse), doubles(.identity(6))) < 1e-5)
        #expect(try Tensor([1, 2, 0, 0] as [Float], shape: [2, 2]).upperTriangularInverse() == nil)
    }

    @Test func decompositionsReadViews() throws {
        let a = try sample([6, 9]).transposed().sliced(dim: 0, from: 1, to: 8)
        let plain = try a.copy()
        #expect(try a.singularValueDecomposition().values == plain.singularValueDecomposition().values)
        #expect(try a.orthogonalFactors().r.array(of: Float.self) == plain.orthogonalFactors().r.array(of: Float.self))
    }

    @Test(arguments: shapes) func orthogonalFactors(_ shape: Shape) throws {
        let a = try sample(shape)
        let (q, r) = try a.orthogonalFactors()
        #expect(q.shape == [shape[0], min(shape[0], shape[1])])
        try expectOrthonormalColumns(q)
        let upper = try r.array(of: Float.self)
        let below = (0..<r.shape[0]).flatMap { i in (0..<min(i, r.shape[1])).map { upper[i * r.shape[1] + $0] } }
        #expect(below.allSatisfy { $0 == 0 })
        #expect(try relativeDistance(q.matrixProduct(r), doubles(a)) < kernelTolerance)
    }

    @Test(arguments: [1, 2, 7, 40]) func symmetricEigen(_ n: Int) throws {
        let root = try sample([n, n])
        let a = try root.matrixProduct(root.transposed())
        let (values, vectors) = try a.symmetricEigen()
        #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 })
        try expectOrthonormalColumns(vectors)
        let product = try vectors.multiplying(Tensor(values)).matrixProduct(vectors.transposed())
        #expect(try relativeDistance(product, doubles(a)) < kernelTolerance)
    }

    @Test(arguments: [(1, 1), (2, 3), (7, 1), (40, 5)]) func solving(_ n: Int, _ k: Int) throws {
        let a = try sample([n, n], seed: 3)
        let x = try sample([n, k], seed: 4)
        let b = try a.matrixProduct(x)
        // A normal matrix of this size loses some thousandths of a unit in the last place per condition number of a few hundred.
        #expect(try relativeDistance(a.solving(b), doubles(x)) < 1e-3)
        let one = try a.solving(b.sliced(dim: 1, from: 0, to: 1).reshaped([n]))
        #expect(one.shape == [n])
        #expect(try relativeDistance(one, doubles(x.sliced(dim: 1, from: 0, to: 1).copy())) < 1e-3)
        #expect(try relativeDistance(a.transposed().solving(x), doubles(a.transposed().copy().solving(x))) == 0)
    }

    @Test func systemsWithoutASolutionAreRefused() throws {
        let twice = try Tensor([1, 2, 2, 4] as [Float], shape: [2, 2])
        expectFailure("tensor.invalidArgument", "solve: the matrix [2, 2] is singular") { _ = try twice.solving(.ones([2])) }
        // Its last pivot is 1e-16 in place of 0.
        let counted = try Tensor([1, 2, 3, 4, 5, 6, 7, 8, 9] as [Float], shape: [3, 3])
        expectFailure("tensor.invalidArgument", "is singular") { _ = try counted.solving(.ones([3])) }
        let uneven = try Tensor([1, 0, 0, 1e-20] as [Float], shape: [2, 2])
        #expect(try uneven.solving(Tensor([2, 1e-20] as [Float])).array(of: Float.self) == [2, 1])
        expectFailure("tensor.shapeMismatch", "needs a square matrix, but got [2, 3]") { _ = try Tensor.ones([2, 3]).solving(.ones([2])) }
        expectFailure("tensor.shapeMismatch", "needs a right side [2] or [2, k], but got [3]") { _ = try Tensor.identity(2).solving(.ones([3])) }
        expectFailure("tensor.invalidArgument", "not finite") { _ = try Tensor.identity(2).solving(.full([2], .nan)) }
    }

    /// Factors of matrices whose squares leave float32's range.
    @Test(arguments: [1e-38, 1e-30, 1e30, 1e38]) func scalesAreNoMatter(_ scale: Double) throws {
        let a = try sample([12, 9], seed: 4)
        let scaled = try a.multiplying(scale / Double(a.largest() - a.smallest()))
        let svd = try scaled.singularValueDecomposition()
        let unit = 1 / svd.values[0]
        let product = try svd.u.multiplying(Tensor(svd.values.map { Float($0 * unit) })).matrixProduct(svd.vt)
        #expect(try relativeDistance(product, doubles(scaled).map { $0 * unit }) < 1e-5)
        let (q, r) = try scaled.orthogonalFactors()
        try expectOrthonormalColumns(q)
        let exponent = PowerOfTwo.exponent(energy: try r.energy())
        let whole = try q.matrixProduct(r.multiplied(byPowerOfTwo: -exponent))
        #expect(try relativeDistance(whole, doubles(scaled).map { $0 / PowerOfTwo.value(exponent) }) < 1e-5)
        let (values, vectors) = try Tensor.identity(5).multiplying(scale).symmetricEigen()
        try expectOrthonormalColumns(vectors)
        #expect(values.allSatisfy { abs(Double($0) / scale - 1) < 1e-5 })
    }

    @Test func resultsBeyondFloat32AreRefused() throws {
        let huge = try Tensor.full([20, 20], 1e38)
        expectFailure("tensor.invalidArgument", "eigen: the eigenvalues of [20, 20] are beyond float32") { _ = try huge.symmetricEigen() }
        expectFailure("tensor.invalidArgument", "qr: the factor R of [20, 20] holds values beyond float32") { _ = try huge.orthogonalFactors() }
    }

    @Test func badMatricesAreRefused() throws {
        let bad = try Tensor([1, .nan, 3, 4] as [Float], shape: [2, 2])
        expectFailure("tensor.invalidArgument", "svd: [2, 2] holds values that are not finite") { _ = try bad.singularValueDecomposition() }
        expectFailure("tensor.invalidArgument", "qr: [2, 2] holds") { _ = try bad.orthogonalFactors() }
        expectFailure("tensor.invalidArgument", "eigen: [2, 2] holds") { _ = try bad.symmetricEigen() }
        expectFailure("tensor.shapeMismatch", "needs a square matrix, but got [2, 3]") { _ = try Tensor.zeros([2, 3]).symmetricEigen() }
        expectFailure("tensor.shapeMismatch", "svd: [0, 3] has no elements") { _ = try Tensor.zeros([0, 3]).singularValueDecomposition() }
        expectFailure("tensor.shapeMismatch", "svd: needs a tensor of rank 2, but got [2, 2, 2]") {
            _ = try Tensor.zeros([2, 2, 2]).singularValueDecomposition()
        }
    }
}
