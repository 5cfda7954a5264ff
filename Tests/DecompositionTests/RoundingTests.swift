import Decomposition
import Tensors
import Testing

@MainActor @Suite struct RoundingTests {
    private func fullTrain(_ shape: Shape, seed: UInt64 = 5) throws -> (tensor: Tensor, train: TensorTrain) {
        let tensor = try compressibleSample(shape, seed: seed)
        return (tensor, try TensorTrain.decompose(tensor, ranks: TensorTrain.maxRanks(modes: shape.dims)).train)
    }

    @Test(arguments: [([16, 9, 32], [4, 6]), ([3, 4, 5, 6], [2, 5, 3]), ([12, 20], [4])])
    func roundingAFullTrainEqualsDecomposingTheTensor(_ dims: [Int], _ ranks: [Int]) throws {
        let (tensor, train) = try fullTrain(Shape(dims))
        let rounded = try train.rounded(ranks: ranks)
        let direct = try TensorTrain.decompose(tensor, ranks: ranks)
        #expect(rounded.train.ranks == ranks)
        #expect(abs(rounded.relativeError - direct.relativeError) < roundingSlack)
        #expect(try relativeDistance(rounded.train.reconstructed(), direct.train.reconstructed()) < exactness)
        let error = try relativeDistance(rounded.train.reconstructed(), tensor)
        #expect(abs(error - rounded.relativeError) < roundingSlack)
    }

    @Test(arguments: [0.3, 0.05]) func errorStaysBelowEpsilon(_ epsilon: Double) throws {
        let (tensor, train) = try fullTrain([8, 9, 10, 6])
        let rounded = try train.rounded(relativeError: epsilon)
        #expect(try relativeDistance(rounded.train.reconstructed(), tensor) <= epsilon + roundingSlack)
        #expect(rounded.train.parameterCount < train.parameterCount)
    }

    @Test func roundingIsIdempotent() throws {
        let (_, train) = try fullTrain([8, 9, 10, 6])
        let once = try train.rounded(relativeError: 0.1).train
        let twice = try once.rounded(relativeError: 1e-5).train
        #expect(twice.ranks == once.ranks)
        #expect(try relativeDistance(twice.reconstructed(), once.reconstructed()) < exactness)
    }

    /// The sum of a train with itself has doubled ranks, all of them redundant.
    @Test func redundantRanksDisappear() throws {
        let train = try TensorTrain.decompose(sample([5, 6, 7]), ranks: [3, 4]).train
        let (first, middle, last) = (train.cores[0], train.cores[1], train.cores[2])
        let zero = try Tensor.zeros(middle.shape)
        let upper = try Tensor.concatenated([middle, zero], dim: 2)
        let lower = try Tensor.concatenated([zero, middle], dim: 2)
        let doubled = try TensorTrain(cores: [
            .concatenated([first, first], dim: 2), .concatenated([upper, lower], dim: 0),
            .concatenated([last, last], dim: 0),
        ])
        #expect(doubled.ranks == [6, 8])
        let rounded = try doubled.rounded(relativeError: 1e-5).train
        #expect(rounded.ranks == [3, 4])
        #expect(try relativeDistance(rounded.reconstructed(), train.reconstructed().multiplying(2)) < exactness)
    }

    @Test func higherRanksThanTheTrainHasAreClamped() throws {
        let train = try TensorTrain.decompose(sample([5, 6, 7]), ranks: [3, 4]).train
        let rounded = try train.rounded(ranks: [5, 2])
        #expect(rounded.train.ranks == [3, 2])
        #expect(rounded.clamps == [RankClamp(bond: 0, requested: 5, bound: 3)])
    }

    @Test func normAndSpectraComeFromTheCores() throws {
        let (tensor, train) = try fullTrain([6, 7, 8])
        #expect(abs(try train.norm() / tensor.norm() - 1) < exactness)
        let spectra = try train.bondSpectra()
        for (bond, rows) in [6, 42].enumerated() {
            let expected = try tensor.reshaped([rows, -1]).singularValueDecomposition().values
            #expect(spectra[bond].count == expected.count)
            for (value, reference) in zip(spectra[bond], expected) {
                #expect(abs(value - reference) < exactness * expected[0])
            }
        }
    }
}
