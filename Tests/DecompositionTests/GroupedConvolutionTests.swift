import Decomposition
import Tensors
import Testing

/// Convolutions with groups, depthwise ones among them, are decomposed group by group.
@MainActor @Suite struct GroupedConvolutionTests {
    struct Case: Sendable, CustomStringConvertible {
        let weight: Shape
        let geometry: ConvolutionGeometry
        var description: String { "\(weight) in \(geometry.groups) groups" }
    }

    private nonisolated static let cases = [
        Case(weight: [8, 3, 3, 3], geometry: .init(stride: 1, padding: 1, groups: 2)),
        Case(weight: [12, 2, 3, 2], geometry: .init(stride: [2, 1], padding: [1, 0, 2, 1], dilation: [1, 2], groups: 3)),
        Case(weight: [6, 1, 3, 3], geometry: .init(stride: 2, padding: 1, groups: 6)),
        Case(weight: [10, 1, 5, 3], geometry: .init(stride: 1, padding: 2, groups: 5)),
    ]

    private func run(_ x: Tensor, _ factors: [ConvolutionFactor]) throws -> Tensor {
        var y = x
        for factor in factors { y = try Convolution.forward(y, factor.weight, nil, factor.geometry, training: false) }
        return try y.contiguous()
    }

    @Test(arguments: cases, ConvolutionGrouping.allCases)
    private func fullRankChainIsTheLayer(_ layer: Case, _ grouping: ConvolutionGrouping) throws {
        let weight = try sample(layer.weight)
        let prepared = try LayerDecomposition(convolution: weight, grouping: grouping, geometry: layer.geometry)
        let ranks = try prepared.clamped(prepared.maxRanks).ranks
        let factors = try prepared.convolutionFactors(ranks: ranks)
        #expect(factors.allSatisfy { $0.geometry.groups == layer.geometry.groups })
        #expect(factors.reduce(0) { $0 + $1.parameterCount } == prepared.parameterCost(ranks))
        let x = try sample([2, layer.weight[1] * layer.geometry.groups, 9, 8], seed: 9)
        let dense = try Convolution.forward(x, weight, nil, layer.geometry, training: false).contiguous()
        #expect(try relativeDistance(run(x, factors), dense) < exactness)

        var image: Shape = [1, x.shape[1], 9, 8]
        var macCount = 0
        for factor in factors {
            image = try factor.geometry.outputShape(input: image, weight: factor.weight.shape)
            macCount += factor.weight.elementCount * image[2] * image[3]
        }
        #expect(try prepared.macCost(rows: 9, columns: 8)(ranks) == macCount)
        #expect(try prepared.denseMacCount(rows: 9, columns: 8) == weight.elementCount * dense.shape[2] * dense.shape[3])
    }

    /// Errors and spectra are those of the groups together.
    @Test(arguments: [(ConvolutionGrouping.tensorTrain, [2, 3]), (.spatial, [4]), (.outputChannels, [3]), (.separable, [2, 4, 3])])
    func plannedErrorsAreThoseOfAllGroups(_ grouping: ConvolutionGrouping, _ ranks: [Int]) throws {
        let weight = try sample([12, 4, 3, 3], seed: 2)
        let layer = try LayerDecomposition(
            convolution: weight, grouping: grouping, geometry: .init(stride: 1, padding: 1, groups: 2))
        let parts = try (0..<2).map { try weight.sliced(dim: 0, from: 6 * $0, to: 6 * $0 + 6).copy() }
        var (left, bound) = (0.0, 0.0)
        let trains = try layer.trains(ranks: ranks)
        for (part, train) in zip(parts, trains) {
            let tensor = try part.permuted([1, 2, 3, 0]).reshaped(Shape(layer.modes))
            left += try train.reconstructed().subtracting(tensor).energy()
            for bond in ranks.indices {
                let error = try unfoldingError(tensor, bond: bond, rank: ranks[bond])
                bound += try error * error * tensor.energy()
            }
        }
        let energy = try weight.energy()
        let planned = layer.relativeSquaredError(ranks: ranks)
        #expect(left / energy <= planned + roundingSlack && planned <= bound / energy + roundingSlack)
        if grouping.bondCount == 1 { #expect(abs(left / energy - planned) < roundingSlack) }
        for (bond, spectrum) in layer.bondSpectra.enumerated() {
            #expect(spectrum.count == layer.maxRanks[bond])
            #expect(abs(spectrum.reduce(0) { $0 + Double($1) * Double($1) } / energy - 1) < exactness)
        }
    }

    /// One channel in and one out leave nothing between the channels: only the kernel itself can be split.
    @Test func depthwiseKernelsSplitIntoRowsAndColumns() throws {
        let geometry = ConvolutionGeometry(stride: 1, padding: 2, groups: 8)
        let weight = try sample([8, 1, 5, 5])
        let spatial = try LayerDecomposition(convolution: weight, grouping: .spatial, geometry: geometry)
        #expect(spatial.maxRanks == [5] && spatial.maxUsefulRanks == [2])
        let factors = try spatial.convolutionFactors(ranks: [2])
        #expect(factors.map(\.weight.shape) == [[16, 1, 5, 1], [8, 2, 1, 5]])
        #expect(try LayerDecomposition(convolution: weight, grouping: .tensorTrain, geometry: geometry).maxUsefulRanks == nil)
    }
}
