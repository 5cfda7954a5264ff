import Decomposition
import Tensors
import Testing

@MainActor @Suite struct LayerDecompositionTests {
    /// The error a planner is told against the error of the factors, and both against what theory allows.
    @Test(arguments: [
        (ConvolutionGrouping.outputChannels, [[1], [5], [12]]), (.spatial, [[1], [7], [24]]),
        (.tensorTrain, [[1, 1], [3, 5], [8, 4], [5, 12], [2, 12], [8, 12]]),
        (.separable, [[1, 1, 1], [3, 6, 5], [8, 10, 12], [8, 24, 12]]),
    ])
    func plannedErrorHolds(_ grouping: ConvolutionGrouping, _ choices: [[Int]]) throws {
        for weight in [try sample([12, 8, 3, 3]), try compressibleSample([12, 8, 3, 3])] {
            let layer = try LayerDecomposition(convolution: weight, grouping: grouping)
            let tensor = try weight.permuted([1, 2, 3, 0]).reshaped(Shape(layer.modes))
            for ranks in choices {
                let train = try layer.trains(ranks: ranks)[0]
                let error = try relativeDistance(train.reconstructed(), tensor)
                let planned = layer.relativeSquaredError(ranks: ranks).squareRoot()
                let bonds = try ranks.indices.map { try unfoldingError(tensor, bond: $0, rank: ranks[$0]) }
                #expect(train.ranks == ranks)
                #expect(error <= planned + roundingSlack)
                #expect(planned <= bonds.reduce(0) { $0 + $1 * $1 }.squareRoot() + roundingSlack)
                #expect(error >= bonds.max()! - roundingSlack)
                if grouping.bondCount == 1 { #expect(abs(error - planned) < roundingSlack) }
            }
        }
    }

    @Test func theAlternatingSweepPaysOnRandomWeights() throws {
        let layer = try LayerDecomposition(convolution: sample([32, 32, 3, 3]), grouping: .tensorTrain)
        let tensor = try sample([32, 32, 3, 3]).permuted([1, 2, 3, 0]).reshaped([32, 9, 32])
        let error = try relativeDistance(layer.trains(ranks: [16, 16])[0].reconstructed(), tensor)
        #expect(error * error < layer.relativeSquaredError(ranks: [16, 16]) - 1e-4)
    }

    @Test func preparedLayersAreAtLeastAsCloseAsTheTrainOfTheTensor() throws {
        let weight = try compressibleSample([24, 16, 3, 3], terms: 30)
        let layer = try LayerDecomposition(convolution: weight, grouping: .tensorTrain)
        let tensor = try weight.permuted([1, 2, 3, 0]).reshaped([16, 9, 24])
        for ranks in [[2, 3], [6, 6], [12, 9], [9, 20]] {
            let train = try layer.trains(ranks: ranks)[0]
            let error = try relativeDistance(train.reconstructed(), tensor)
            // TT-SVD fits the second bond to the first but not the first to the second; one sweep does both.
            let direct = try TensorTrain.decompose(tensor, ranks: ranks).relativeError
            #expect(error <= direct * 1.001)
        }
    }

    @Test(arguments: ConvolutionGrouping.allCases) func spectraAreThoseOfTheUnfoldings(_ grouping: ConvolutionGrouping) throws {
        let weight = try sample([10, 6, 3, 5])
        let layer = try LayerDecomposition(convolution: weight, grouping: grouping)
        let tensor = try weight.permuted([1, 2, 3, 0])
        #expect(layer.bondSpectra.map(\.count) == layer.maxRanks)
        for (bond, spectrum) in layer.bondSpectra.enumerated() {
            let rows = layer.modes[...bond].reduce(1, *)
            let expected = try tensor.reshaped([rows, -1]).singularValueDecomposition().values
            for (value, reference) in zip(spectrum, expected) { #expect(abs(value - reference) < exactness * expected[0]) }
            let energy = layer.retainedEnergy(bond: bond)
            #expect(energy.count == layer.maxRanks[bond] + 1)
            #expect(energy.first == 0 && energy.last == 1)
            #expect(zip(energy, energy.dropFirst()).allSatisfy { $0 <= $1 })
        }
    }

    @Test func errorFallsAsAnyRankGrows() throws {
        let layer = try LayerDecomposition(convolution: sample([8, 6, 3, 3]), grouping: .tensorTrain)
        for r1 in 1...6 {
            for r2 in 1...8 {
                let here = layer.relativeSquaredError(ranks: [r1, r2])
                #expect(layer.relativeSquaredError(ranks: [r1 + 1, r2]) <= here)
                #expect(layer.relativeSquaredError(ranks: [r1, r2 + 1]) <= here)
            }
        }
        #expect(layer.relativeSquaredError(ranks: [6, 8]) == 0)
    }

    @Test(arguments: [
        ([64, 64], [16, 32], [0, 1]), ([1, 32], [1, 9], [1]), ([16, 1], [9, 1], [0]), ([4, 4], [4, 4], []),
    ])
    func clampsFollowModesAndNeighbours(_ requested: [Int], _ expected: [Int], _ bonds: [Int]) throws {
        let layer = try LayerDecomposition(convolution: sample([32, 16, 3, 3]), grouping: .tensorTrain)
        let (ranks, clamps) = try layer.clamped(requested)
        #expect(ranks == expected)
        #expect(clamps == bonds.map { RankClamp(bond: $0, requested: requested[$0], bound: expected[$0]) })
    }

    @Test(arguments: [[10, 24], [24, 10], [7, 7], [1, 5]] as [Shape]) func linearPairs(_ shape: Shape) throws {
        let weight = try sample(shape)
        let layer = try LayerDecomposition(linear: weight)
        let full = layer.maxRanks[0]
        #expect(full == min(shape[0], shape[1]))
        #expect(try relativeDistance(layer.linearFactors(rank: full).composed(), weight) < exactness)
        let rank = (full + 1) / 2
        let pair = try layer.linearFactors(rank: rank)
        #expect(pair.first.shape == [rank, shape[1]])
        #expect(pair.second.shape == [shape[0], rank])
        #expect(pair.parameterCount == layer.parameterCost([rank]))
        #expect(try layer.macCost(rows: 1, columns: 1)([rank]) == pair.parameterCount)
        let error = try relativeDistance(pair.composed(), weight)
        #expect(abs(error * error - layer.relativeSquaredError(ranks: [rank])) < roundingSlack)
    }

    /// One bond balances exactly: row i of the first factor and column i of the second have the norm √σ_i.
    @Test func factorsShareTheSingularValuesEvenly() throws {
        let layer = try LayerDecomposition(linear: sample([10, 24]))
        let pair = try layer.linearFactors(rank: 6)
        for i in 0..<6 {
            let root = Double(layer.bondSpectra[0][i]).squareRoot()
            #expect(abs(try pair.first.selected(dim: 0, index: i).norm() - root) < exactness * root * 10)
            #expect(abs(try pair.second.selected(dim: 1, index: i).norm() - root) < exactness * root * 10)
        }
    }

    @Test(arguments: ConvolutionGrouping.allCases) func zeroWeightsDecompose(_ grouping: ConvolutionGrouping) throws {
        let layer = try LayerDecomposition(convolution: .zeros([4, 4, 3, 3]), grouping: grouping)
        let ranks = [Int](repeating: 2, count: grouping.bondCount)
        #expect(layer.relativeSquaredError(ranks: ranks) == 0)
        #expect(try layer.trains(ranks: ranks)[0].reconstructed().norm() == 0)
    }

    /// Maps of any size are counted or refused.
    @Test(arguments: ConvolutionGrouping.allCases) func countsBeyondIntegersAreRefused(_ grouping: ConvolutionGrouping) throws {
        let padded = ConvolutionGeometry(stride: 1, padding: 1)
        let layers = [
            try LayerDecomposition(convolution: sample([16, 16, 3, 3]), grouping: grouping, geometry: padded),
            try LayerDecomposition(linear: sample([10, 24])),
        ]
        for layer in layers {
            for (rows, columns) in [(1 << 40, 1 << 40), (1 << 30, 1 << 29), (1 << 58, 3)] {
                #expect(throws: (any Error).self) { try layer.macCost(rows: rows, columns: columns) }
                #expect(throws: (any Error).self) { try layer.denseMacCount(rows: rows, columns: columns) }
            }
            #expect(try layer.macCost(rows: 1 << 22, columns: 1 << 22).linear[0] > 1 << 44)
        }
    }

    @Test func macCountsOfResNetLayersAreKnown() throws {
        // The 16→16 layers of CIFAR ResNet-20: 16·16·9 weights at 32×32 positions.
        let layer = try LayerDecomposition(
            convolution: sample([16, 16, 3, 3]), grouping: .spatial, geometry: .init(stride: 1, padding: 1))
        #expect(try layer.denseMacCount(rows: 32, columns: 32) == 2_359_296)
        #expect(layer.denseParameterCount == 2304)
        #expect(try layer.macCost(rows: 32, columns: 32)([8]) == 8 * 96 * 1024)
    }

    /// Moments of neighbours that vary alike, and of channels unlike in size.
    private func moments(_ width: Int) throws -> Tensor {
        let mixing = try sample([width, 2 * width], seed: 8).adding(sample([1, 2 * width], seed: 9))
        return try mixing.multiplying(Tensor((0..<width).map { Float(1 + $0 % 5) }, shape: [width, 1])).gram()
    }

    /// What is planned in a metric is the error of the factors in it, and never that of the plain ones.
    @Test(arguments: [
        (ConvolutionGrouping.outputChannels, [[1], [5], [11]]), (.spatial, [[1], [7], [20]]),
        (.tensorTrain, [[1, 1], [3, 5], [8, 4], [5, 12]]),
    ])
    func plannedErrorHoldsInAMetric(_ grouping: ConvolutionGrouping, _ choices: [[Int]]) throws {
        let weight = try sample([12, 8, 3, 3])
        let gram = try moments(72)
        let metric = try #require(try InputGram(moments: gram))
        let layer = try LayerDecomposition(convolution: weight, grouping: grouping, metric: metric)
        let plain = try LayerDecomposition(convolution: weight, grouping: grouping)
        func error(_ layer: LayerDecomposition, _ ranks: [Int]) throws -> Double {
            func energy(_ rows: Tensor) throws -> Double {
                try rows.matrixProduct(gram).multiplying(rows).array(of: Float.self).reduce(0) { $0 + Double($1) }
            }
            let product = try layer.trains(ranks: ranks)[0].reconstructed().reshaped([72, 12]).transposed()
            let flat = try weight.reshaped([12, 72])
            return try energy(product.subtracting(flat)) / energy(flat)
        }
        for ranks in choices {
            let (got, planned) = (try error(layer, ranks), layer.relativeSquaredError(ranks: ranks))
            #expect(got <= planned + 1e-5)
            if grouping.bondCount == 1 { #expect(abs(got - planned) < 1e-5) }
            #expect(try got < error(plain, ranks))
        }
        #expect(try error(layer, layer.maxRanks) < 1e-6)
    }

    @Test func metricsOfOtherLayersAreRefused() throws {
        let metric = try #require(try InputGram(moments: moments(70)))
        #expect(throws: DecompositionFailure.self) {
            try LayerDecomposition(convolution: sample([12, 8, 3, 3]), grouping: .spatial, metric: metric)
        }
        let own = try #require(try InputGram(moments: moments(36)))
        #expect(throws: DecompositionFailure.self) {
            try LayerDecomposition(
                convolution: sample([12, 4, 3, 3]), grouping: .spatial, geometry: .init(stride: 1, padding: 1, groups: 2), metric: own)
        }
        #expect(try InputGram(moments: .zeros([4, 4])) == nil)
        #expect(throws: DecompositionFailure.self) { try InputGram(moments: Tensor([1, .infinity, .infinity, 1] as [Float], shape: [2, 2])) }
    }
}
