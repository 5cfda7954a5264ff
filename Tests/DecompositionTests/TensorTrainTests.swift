import Basics
import Decomposition
import Tensors
import Testing

private let shapes: [Shape] = [
    [5, 6], [6, 1], [4, 5, 6], [16, 9, 32], [3, 4, 5, 6], [2, 3, 2, 3, 2], [1, 8, 1], [7, 1, 3, 2],
]

// Kernels belong to one thread, so every suite that runs them stays on the main actor.
@MainActor @Suite struct TensorTrainTests {
    @Test(arguments: shapes) func fullRankReproducesTheTensor(_ shape: Shape) throws {
        let tensor = try sample(shape)
        let bounds = TensorTrain.maxRanks(modes: shape.dims)
        let result = try TensorTrain.decompose(tensor, ranks: bounds)
        #expect(result.train.ranks == bounds)
        #expect(result.clamps.isEmpty)
        #expect(try relativeDistance(result.train.reconstructed(), tensor) < exactness)
    }

    @Test(arguments: shapes, [0.5, 0.1, 0.01]) func errorStaysBelowEpsilon(_ shape: Shape, _ epsilon: Double) throws {
        let tensor = try compressibleSample(shape, seed: 3)
        let result = try TensorTrain.decompose(tensor, relativeError: epsilon)
        let error = try relativeDistance(result.train.reconstructed(), tensor)
        #expect(error <= epsilon + roundingSlack)
        #expect(abs(error - result.relativeError) < roundingSlack)
        for (rank, bound) in zip(result.train.ranks, TensorTrain.maxRanks(modes: shape.dims)) { #expect(rank <= bound) }
    }

    @Test func epsilonSavesRanks() throws {
        let tensor = try compressibleSample([16, 9, 32])
        let loose = try TensorTrain.decompose(tensor, relativeError: 0.3).train
        let tight = try TensorTrain.decompose(tensor, relativeError: 0.01).train
        #expect(loose.parameterCount < tight.parameterCount)
        #expect(tight.parameterCount < tensor.elementCount)
    }

    /// Every unfolding bounds the best error from below, and their root sum of squares bounds TT-SVD from above, which
    /// is within √(d−1) of the best (theorem 2.2 and corollary 2.4).
    @Test(arguments: [([4, 5, 6], [2, 3]), ([16, 9, 32], [5, 7]), ([3, 4, 5, 6], [2, 5, 3]), ([6, 6, 6, 6], [1, 1, 1])])
    func errorIsQuasiOptimal(_ dims: [Int], _ ranks: [Int]) throws {
        let tensor = try sample(Shape(dims), seed: 7)
        let result = try TensorTrain.decompose(tensor, ranks: ranks)
        #expect(result.train.ranks == ranks)
        let error = try relativeDistance(result.train.reconstructed(), tensor)
        let errors = try ranks.indices.map { try unfoldingError(tensor, bond: $0, rank: ranks[$0]) }
        let upper = errors.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(error <= upper + roundingSlack)
        #expect(error >= errors.max()! - roundingSlack)
        #expect(upper <= errors.max()! * Double(ranks.count).squareRoot() + roundingSlack)
    }

    @Test func spectraAreThoseOfTheUnfoldings() throws {
        let tensor = try sample([4, 5, 6, 3])
        let spectra = try TensorTrain.decompose(tensor, ranks: [4, 18, 3]).bondSpectra
        for (bond, rows) in [4, 20, 120].enumerated() {
            let expected = try tensor.reshaped([rows, -1]).singularValueDecomposition().values
            for (value, reference) in zip(spectra[bond].values, expected) {
                #expect(abs(value - reference) < exactness * expected[0])
            }
        }
    }

    @Test func maxRankCapsEveryBondAndTheErrorIsReported() throws {
        let tensor = try sample([6, 6, 6])
        let result = try TensorTrain.decompose(tensor, relativeError: 0.01, maxRank: 3)
        #expect(result.train.ranks == [3, 3])
        #expect(result.relativeError > 0.01)
        #expect(abs(try relativeDistance(result.train.reconstructed(), tensor) - result.relativeError) < roundingSlack)
    }

    @Test(arguments: [
        ([5, 6], [5]), ([16, 9, 32], [16, 32]), ([64, 9, 2], [18, 2]), ([2, 2, 2, 2], [2, 4, 2]), ([7], []),
    ])
    func maxRanksFollowTheModes(_ modes: [Int], _ expected: [Int]) {
        #expect(TensorTrain.maxRanks(modes: modes) == expected)
    }

    @Test func hugeModesDoNotOverflowTheBound() {
        #expect(TensorTrain.maxRanks(modes: [1 << 40, 1 << 40, 3]) == [1 << 40, 3])
    }

    @Test func ranksAboveTheirBoundAreClampedAndReported() throws {
        let result = try TensorTrain.decompose(sample([4, 5, 6]), ranks: [9, 7])
        #expect(result.train.ranks == [4, 6])
        #expect(
            result.clamps == [RankClamp(bond: 0, requested: 9, bound: 4), RankClamp(bond: 1, requested: 7, bound: 6)])
        #expect(result.clamps[0].description == "bond 1: rank 9 lowered to its bound 4")
    }

    @Test func aSmallLeftRankClampsTheNextOne() throws {
        let result = try TensorTrain.decompose(sample([8, 3, 20]), ranks: [2, 15])
        #expect(result.train.ranks == [2, 6])
        #expect(result.clamps == [RankClamp(bond: 1, requested: 15, bound: 6)])
    }

    @Test func aVectorIsATrainOfOneCore() throws {
        let tensor = try sample([7])
        let result = try TensorTrain.decompose(tensor, ranks: [])
        #expect(result.train.ranks == [])
        #expect(try result.train.reconstructed().array(of: Float.self) == tensor.array(of: Float.self))
    }

    @Test func zeroTensorGetsRankOne() throws {
        let result = try TensorTrain.decompose(.zeros([4, 5, 6]), relativeError: 0.1)
        #expect(result.train.ranks == [1, 1])
        #expect(result.relativeError == 0)
        #expect(try result.train.reconstructed().norm() == 0)
    }

    @Test func parametersAreCountedOverTheCores() throws {
        let train = try TensorTrain.decompose(sample([16, 9, 32]), ranks: [4, 6]).train
        #expect(train.parameterCount == 16 * 4 + 4 * 9 * 6 + 6 * 32)
        #expect(train.description == "TensorTrain 16 –(4)– 9 –(6)– 32")
    }

    @Test func balancingKeepsTheTensorAndEvensTheNorms() throws {
        let train = try TensorTrain.decompose(compressibleSample([8, 9, 10, 4]), ranks: [4, 6, 3]).train
        let balanced = try train.balanced(sweeps: 40)
        #expect(try relativeDistance(balanced.reconstructed(), train.reconstructed()) < exactness)
        for k in 0..<3 {
            let rank = train.ranks[k]
            for i in 0..<rank {
                let left = try balanced.cores[k].selected(dim: 2, index: i).norm()
                let right = try balanced.cores[k + 1].selected(dim: 0, index: i).norm()
                // The scaling is a fixed-point iteration; 40 sweeps leave well under a percent.
                #expect(abs(left / right - 1) < 0.01)
            }
        }
    }
}
