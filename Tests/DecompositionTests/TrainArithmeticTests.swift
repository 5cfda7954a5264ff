import Decomposition
import Tensors
import Testing

/// Arithmetic on cores against the same on full tensors.
@MainActor @Suite struct TrainArithmeticTests {
    private nonisolated static let shapes: [[Int]] = [[7], [5, 6], [1, 5, 1], [4, 5, 6], [3, 2, 4, 3, 2]]

    private func train(_ dims: [Int], seed: UInt64) throws -> TensorTrain {
        let ranks = TensorTrain.maxRanks(modes: dims).map { min(3, $0) }
        return try TensorTrain.decompose(sample(Shape(dims), seed: seed), ranks: ranks).train
    }

    @Test(arguments: shapes) func sumsAndProducts(_ dims: [Int]) throws {
        let (a, b) = (try train(dims, seed: 1), try train(dims, seed: 2))
        let (x, y) = (try a.reconstructed(), try b.reconstructed())
        let sum = try a.adding(b)
        #expect(sum.ranks == zip(a.ranks, b.ranks).map { $0 + $1 })
        #expect(try relativeDistance(sum.reconstructed(), x.adding(y)) < exactness)
        let product = try a.multiplyingElements(by: b)
        #expect(product.ranks == zip(a.ranks, b.ranks).map { $0 * $1 })
        #expect(try relativeDistance(product.reconstructed(), x.multiplying(y)) < exactness)
        #expect(try relativeDistance(a.scaled(by: -2.5).reconstructed(), x.multiplying(-2.5)) < exactness)
        let inner = try x.multiplying(y).total()
        #expect(abs(try a.innerProduct(b) - inner) < exactness * (try x.norm() * y.norm()))
        #expect(abs(try a.innerProduct(a).squareRoot() - a.norm()) < exactness * (try a.norm()))
        #expect(try a.adding(a.scaled(by: -1)).norm() < 1e-3 * a.norm())
    }

    @Test(arguments: shapes) func elements(_ dims: [Int]) throws {
        let a = try train(dims, seed: 3)
        let values = try a.reconstructed().array(of: Float.self)
        for (position, value) in values.enumerated() {
            var (index, rest) = ([Int](repeating: 0, count: dims.count), position)
            for k in dims.indices.reversed() { (index[k], rest) = (rest % dims[k], rest / dims[k]) }
            #expect(abs(try a.element(at: index) - Double(value)) < exactness * max(1, abs(Double(value))))
        }
    }

    @Test(arguments: shapes) func oneCoreCarriesTheNorm(_ dims: [Int]) throws {
        let a = try train(dims, seed: 4).adding(train(dims, seed: 5))
        for position in dims.indices {
            let turned = try a.orthogonalized(at: position)
            #expect(try relativeDistance(turned.reconstructed(), a.reconstructed()) < exactness)
            for (k, core) in turned.cores.enumerated() where k != position {
                let matrix =
                    try k < position
                    ? core.reshaped([-1, core.shape[2]]).transposed() : core.reshaped([core.shape[0], -1])
                let gram = try matrix.matrixProduct(matrix.transposed())
                #expect(try relativeDistance(gram, .identity(gram.shape[0])) < exactness)
            }
            #expect(abs(try turned.cores[position].norm() / a.reconstructed().norm() - 1) < exactness)
        }
    }

    @Test(arguments: [0.05, 0.2, 0.5, 1.0]) func sharesAreKeptAndUsed(_ share: Double) throws {
        let tensor = try compressibleSample([8, 9, 10, 6])
        let result = try TensorTrain.decompose(tensor, keeping: share)
        let limit = share * Double(tensor.elementCount)
        #expect(Double(result.train.parameterCount) <= limit)
        #expect(abs(try relativeDistance(result.train.reconstructed(), tensor) - result.relativeError) < roundingSlack)
        // One rank more at every bond would not fit.
        let bounds = TensorTrain.maxRanks(modes: tensor.shape.dims)
        if result.train.ranks != bounds {
            let larger = try TensorTrain.decompose(tensor, ranks: zip(result.train.ranks, bounds).map { min($0 + 1, $1) }).train
            #expect(Double(larger.parameterCount) > limit)
        }
    }

    @Test func sharesOfATrainAreOfItsOwnParameters() throws {
        let train = try train([8, 9, 10, 6], seed: 1)
        let half = try train.rounded(keeping: 0.5)
        #expect(half.train.parameterCount * 2 <= train.parameterCount && half.relativeError > 0)
        #expect(try train.rounded(keeping: 1).train.ranks == train.ranks)
    }

    /// A bond's curve is the best that a train of its rank can do, and cutting that bond alone does it.
    @Test func curvesSayWhatARankLeavesOut() throws {
        let tensor = try compressibleSample([6, 7, 8])
        let full = TensorTrain.maxRanks(modes: tensor.shape.dims)
        let train = try TensorTrain.decompose(tensor, ranks: full).train
        let curves = try train.errorCurves()
        #expect(curves.map(\.count) == full)
        for (bond, curve) in curves.enumerated() {
            #expect(curve.map(\.rank) == Array(1...full[bond]))
            #expect(zip(curve, curve.dropFirst()).allSatisfy { $0.error >= $1.error && $0.singularValue >= $1.singularValue })
            for rank in [1, 3, full[bond]] {
                var ranks = full
                ranks[bond] = rank
                let cut = try train.rounded(ranks: ranks)
                #expect(abs(cut.relativeError - curve[rank - 1].error) < roundingSlack)
            }
        }
    }
}
