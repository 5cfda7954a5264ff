import Decomposition
import Tensors
import Testing

@MainActor @Suite struct TensorTrainMatrixTests {
    private func matrix(_ rows: [Int], _ columns: [Int], error: Double) throws -> (weight: Tensor, matrix: TensorTrainMatrix) {
        let weight = try compressibleSample([rows.reduce(1, *), columns.reduce(1, *)])
        let tensor = try TensorTrainMatrix.tensorized(weight, outputFactors: rows, inputFactors: columns)
        let train = try TensorTrain.decompose(tensor, relativeError: error).train
        return (weight, try TensorTrainMatrix(train: train, outputFactors: rows, inputFactors: columns))
    }

    private nonisolated static let factors: [([Int], [Int])] = [
        ([12], [10]), ([3, 4], [5, 2]), ([2, 3, 2], [4, 1, 5]), ([1, 6], [6, 1]), ([2, 2, 2, 2], [3, 2, 2, 1]),
    ]

    @Test(arguments: factors) func fullRankIsTheMatrix(_ rows: [Int], _ columns: [Int]) throws {
        let (weight, matrix) = try matrix(rows, columns, error: 0)
        #expect(matrix.outputCount == weight.shape[0] && matrix.inputCount == weight.shape[1])
        #expect(try relativeDistance(matrix.reconstructed(), weight) < exactness)
        for batch in [0, 1, 5] {
            let x = try sample([batch, weight.shape[1]], seed: 7)
            let expected = try x.matrixProduct(weight.transposed())
            for order in [nil, TensorTrainMatrix.Order.factorized, .reconstructed] {
                #expect(try relativeDistance(matrix.applied(to: x, order: order), expected) < exactness)
            }
        }
    }

    @Test func errorsAreThoseOfTheTrain() throws {
        let factors = [4, 3, 4]
        let low = try TensorTrain.decompose(sample([16, 9, 16]), ranks: [3, 2]).train
        let weight = try TensorTrainMatrix(train: low, outputFactors: factors, inputFactors: factors).reconstructed()
        let noisy = try weight.adding(sample(weight.shape, seed: 2).multiplying(0.001 * weight.norm()))
        let tensor = try TensorTrainMatrix.tensorized(noisy, outputFactors: factors, inputFactors: factors)
        let found = try TensorTrain.decompose(tensor, relativeError: 0.1)
        let matrix = try TensorTrainMatrix(train: found.train, outputFactors: factors, inputFactors: factors)
        #expect(zip(found.train.ranks, [3, 2]).allSatisfy { $0 <= $1 } && matrix.parameterCount <= low.parameterCount)
        let error = try relativeDistance(matrix.reconstructed(), noisy)
        #expect(error <= 0.1 && abs(error - found.relativeError) < roundingSlack)
    }

    /// Counted by hand for [4·4, 4·4] at rank 2: core by core N·(1·4·(4·1·4·2)) + N·4·(4·2·4·1), or 16·2·16 once.
    @Test func theCheaperOrderDependsOnTheBatch() throws {
        let train = try TensorTrain.decompose(sample([16, 16]), ranks: [2]).train
        let matrix = try TensorTrainMatrix(train: train, outputFactors: [4, 4], inputFactors: [4, 4])
        #expect(matrix.macCount(batch: 3, .factorized) == 3 * (4 * 32 + 4 * 32))
        #expect(matrix.macCount(batch: 3, .reconstructed) == 16 * 2 * 16 + 3 * 256)
        #expect(matrix.order(batch: 1) == .factorized)
        let dense = try TensorTrainMatrix(
            train: TensorTrain.decompose(sample([16, 16]), ranks: [16]).train, outputFactors: [4, 4], inputFactors: [4, 4])
        #expect(dense.order(batch: 1) == .factorized && dense.order(batch: 1000) == .reconstructed)
    }

    @Test func pairsTakeTheCheaperOrderToo() throws {
        let pair = try LayerDecomposition(linear: sample([10, 14])).linearFactors(rank: 7)
        #expect(pair.macCount(batch: 2, .factorized) == 2 * 7 * 24 && pair.macCount(batch: 2, .reconstructed) == 7 * 140 + 280)
        #expect(pair.order(batch: 1) == .factorized && pair.order(batch: 100) == .reconstructed)
        for batch in [1, 100] {
            let x = try sample([batch, 14])
            let expected = try x.matrixProduct(pair.composed().transposed())
            for order in [nil, TensorTrainMatrix.Order.factorized, .reconstructed] {
                #expect(try relativeDistance(pair.applied(to: x, order: order), expected) < exactness)
            }
        }
    }

    @Test(arguments: [
        (4096, 4, [8, 8, 8, 8]), (784, 4, [4, 4, 7, 7]), (1, 3, [1, 1, 1]), (7, 2, [1, 7]), (360, 3, [5, 8, 9]),
        (1000, 3, [10, 10, 10]), (16_777_216, 6, [16, 16, 16, 16, 16, 16]), (9_699_690, 2, [3094, 3135]), (12, 1, [12]),
    ])
    func factorsAreBalanced(_ number: Int, _ count: Int, _ expected: [Int]) throws {
        #expect(try BalancedFactors.of(number, count: count) == expected)
    }

    /// Against every way to write small numbers as a product.
    @Test func noFactorsHaveASmallerSum() throws {
        func smallest(_ number: Int, _ count: Int) -> Int {
            if count == 1 { return number }
            return (1...number).filter { number % $0 == 0 }.map { $0 + smallest(number / $0, count - 1) }.min()!
        }
        for number in 1...72 {
            for count in 1...4 {
                let factors = try BalancedFactors.of(number, count: count)
                #expect(factors.reduce(1, *) == number && factors.count == count && factors == factors.sorted())
                #expect(factors.reduce(0, +) == smallest(number, count), "\(number) in \(count)")
            }
        }
    }
}
