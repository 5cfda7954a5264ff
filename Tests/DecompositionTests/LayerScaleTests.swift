import Decomposition
import Tensors
import Testing

/// Layers whose weights' squares leave float32's range, and errors stated of layers.
@MainActor @Suite struct LayerScaleTests {
    @Test(arguments: ConvolutionGrouping.allCases, [1e-36, 1e30, 1e36]) func convolutions(_ grouping: ConvolutionGrouping, _ scale: Double) throws {
        let plain = try compressibleSample([12, 8, 3, 3], seed: 4)
        let weight = try plain.multiplying(scale)
        let (layer, same) = (
            try LayerDecomposition(convolution: weight, grouping: grouping), try LayerDecomposition(convolution: plain, grouping: grouping)
        )
        let ranks = layer.maxRanks.map { max(1, $0 / 2) }
        let allowed = try layer.clamped(ranks).ranks
        #expect(abs(layer.relativeSquaredError(ranks: allowed) - same.relativeSquaredError(ranks: allowed)) < 1e-5)
        #expect(abs(layer.bondSpectra[0][0] / same.bondSpectra[0][0] / scale - 1) < 1e-5)
        let unit = 1 / scale
        let (made, expected) = try (layer.trains(ranks: allowed)[0].reconstructed(), same.trains(ranks: allowed)[0].reconstructed())
        #expect(try relativeDistance(made.multiplying(unit), expected) < 1e-4)
    }

    @Test func statedErrorsHoldAtEveryRank() throws {
        let weight = try sample([40, 2], seed: 1).matrixProduct(sample([2, 270], seed: 2)).reshaped([40, 30, 3, 3])
        for grouping in ConvolutionGrouping.allCases {
            let layer = try LayerDecomposition(convolution: weight, grouping: grouping)
            let tensor = try weight.permuted([1, 2, 3, 0]).contiguous()
            for divisor in [1, 2, 5] {
                let ranks = try layer.clamped(layer.maxRanks.map { max(1, $0 / divisor) }).ranks
                let lost = try preciseDistance(layer.trains(ranks: ranks)[0], tensor)
                #expect(lost <= (try layer.relativeSquaredError(at: ranks)).squareRoot(), "\(grouping) \(ranks)")
            }
        }
        let layer = try LayerDecomposition(linear: weight.reshaped([40, 270]))
        #expect(
            try preciseDistance(layer.trains(ranks: [2])[0], weight.reshaped([40, 270]).transposed().contiguous())
                <= layer.relativeSquaredError(at: [2]).squareRoot())
        func code(_ body: () throws -> Void) -> String? { #expect(throws: DecompositionFailure.self) { try body() }?.code }
        #expect(code { _ = try layer.relativeSquaredError(at: [1, 2]) } == "decomposition.rankCount")
        #expect(code { _ = try layer.parameterCost.cost(at: []) } == "decomposition.rankCount")
        #expect(code { _ = try layer.parameterCost.cost(at: [.max]) } == "decomposition.tooLarge")
        #expect(try layer.parameterCost.cost(at: [3]) == layer.parameterCost([3]))
    }
}
