import Decomposition
import Tensors
import Testing

private struct Case: CustomTestStringConvertible, Sendable {
    let weight: Shape
    let geometry: ConvolutionGeometry
    let rows: Int
    let columns: Int
    var testDescription: String { "\(weight) \(geometry.stride) \(geometry.padding) \(geometry.dilation) on \(rows)×\(columns)" }
}

private let cases = [
    Case(weight: [16, 8, 3, 3], geometry: .init(stride: 1, padding: 1), rows: 7, columns: 9),
    Case(weight: [6, 5, 3, 3], geometry: .init(stride: 2, padding: 1), rows: 8, columns: 11),
    Case(weight: [7, 3, 5, 3], geometry: .init(stride: [1, 2], padding: [2, 1, 0, 3]), rows: 9, columns: 10),
    Case(weight: [4, 6, 3, 3], geometry: .init(padding: [2, 2, 2, 2], dilation: [2, 3]), rows: 11, columns: 13),
    Case(weight: [5, 4, 1, 7], geometry: .init(padding: [0, 3, 0, 3]), rows: 5, columns: 8),
    Case(weight: [9, 4, 1, 1], geometry: .init(stride: 2, padding: 0), rows: 7, columns: 7),
    Case(weight: [1, 1, 3, 3], geometry: .init(stride: 3, padding: 0), rows: 10, columns: 10),
    Case(weight: [33, 17, 3, 2], geometry: .init(stride: [3, 1], padding: [0, 1, 1, 0]), rows: 10, columns: 6),
]

/// The kernel of the one convolution that a chain amounts to: K′[o′, c, i + i′, j + j′] = Σ_o K[o, c, i, j] F[o′, o, i′, j′].
private func composed(_ factors: [ConvolutionFactor]) throws -> Tensor {
    var (kernel, dims) = (try factors[0].weight.array(of: Float.self).map(Double.init), factors[0].weight.shape.dims)
    for factor in factors.dropFirst() {
        let (f, d) = (try factor.weight.array(of: Float.self), factor.weight.shape.dims)
        let result = [d[0], dims[1], dims[2] + d[2] - 1, dims[3] + d[3] - 1]
        var sum = [Double](repeating: 0, count: result.reduce(1, *))
        for o in 0..<d[0] {
            for m in 0..<d[1] {
                for fi in 0..<d[2] {
                    for fj in 0..<d[3] {
                        let weight = Double(f[((o * d[1] + m) * d[2] + fi) * d[3] + fj])
                        for c in 0..<dims[1] {
                            for i in 0..<dims[2] {
                                for j in 0..<dims[3] {
                                    sum[((o * result[1] + c) * result[2] + i + fi) * result[3] + j + fj] +=
                                        weight * kernel[((m * dims[1] + c) * dims[2] + i) * dims[3] + j]
                                }
                            }
                        }
                    }
                }
            }
        }
        (kernel, dims) = (sum, result)
    }
    return try Tensor(kernel.map { Float($0) }, shape: Shape(dims))
}

@MainActor @Suite struct ConvolutionGroupingTests {
    @Test(arguments: ConvolutionGrouping.allCases) func notationIsReadBack(_ grouping: ConvolutionGrouping) throws {
        #expect(try ConvolutionGrouping(parsing: grouping.description) == grouping)
        #expect(try ConvolutionGrouping(parsing: grouping.asciiName) == grouping)
        #expect(try ConvolutionGrouping(parsing: grouping.asciiName.lowercased()) == grouping)
        let isASCII = grouping.asciiName.unicodeScalars.allSatisfy(\.isASCII)
        #expect(isASCII)
    }

    @Test func spacesAndStarsAreRead() throws {
        #expect(try ConvolutionGrouping(parsing: "C | Kh*Kw | O") == .tensorTrain)
    }

    @Test(arguments: [
        (ConvolutionGrouping.tensorTrain, [16, 9, 32], [16, 32]), (.spatial, [48, 96], [48]),
        (.outputChannels, [144, 32], [32]), (.separable, [16, 3, 3, 32], [16, 48, 32]),
    ])
    func modesAndBounds(_ grouping: ConvolutionGrouping, _ modes: [Int], _ bounds: [Int]) throws {
        #expect(try grouping.modes(weight: [32, 16, 3, 3]) == modes)
        #expect(try grouping.maxRanks(weight: [32, 16, 3, 3]) == bounds)
    }

    @Test(arguments: cases, ConvolutionGrouping.allCases)
    private func fullRankChainIsTheLayer(_ layer: Case, _ grouping: ConvolutionGrouping) throws {
        let weight = try sample(layer.weight)
        let bounds = try grouping.maxRanks(weight: layer.weight)
        let prepared = try LayerDecomposition(convolution: weight, grouping: grouping, geometry: layer.geometry)
        // Bounds of neighbouring bonds can exceed what a chain can use; the usable ones are still full rank.
        let full = try prepared.clamped(bounds).ranks
        let factors = try prepared.convolutionFactors(ranks: full)
        #expect(try relativeDistance(composed(factors), weight) < exactness)

        let x = try sample([2, layer.weight[1], layer.rows, layer.columns], seed: 9)
        let dense = try Convolution.forward(x, weight, nil, layer.geometry, training: false).contiguous()
        var y = x
        for factor in factors { y = try Convolution.forward(y, factor.weight, nil, factor.geometry, training: false) }
        #expect(y.shape == dense.shape)
        #expect(try relativeDistance(y.contiguous(), dense) < exactness)
    }

    @Test(arguments: cases, ConvolutionGrouping.allCases)
    private func costsAreThoseOfTheFactors(_ layer: Case, _ grouping: ConvolutionGrouping) throws {
        let weight = try sample(layer.weight)
        let requested = Array([2, 3, 2].prefix(grouping.bondCount))
        let prepared = try LayerDecomposition(convolution: weight, grouping: grouping, geometry: layer.geometry)
        let ranks = try prepared.clamped(requested).ranks
        let factors = try prepared.convolutionFactors(ranks: ranks)
        #expect(factors.map(\.weight.shape.elementCount).reduce(0, +) == prepared.parameterCost(ranks))

        var image: Shape = [1, layer.weight[1], layer.rows, layer.columns]
        var macCount = 0
        for factor in factors {
            image = try factor.geometry.outputShape(input: image, weight: factor.weight.shape)
            macCount += factor.weight.elementCount * image[2] * image[3]
        }
        #expect(try prepared.macCost(rows: layer.rows, columns: layer.columns)(ranks) == macCount)
    }

    @Test func truncatedFactorsComposeToTheTruncatedTrain() throws {
        let weight = try compressibleSample([12, 8, 3, 3])
        for (grouping, ranks) in [
            (ConvolutionGrouping.tensorTrain, [3, 4]), (.spatial, [5]), (.outputChannels, [4]), (.separable, [3, 5, 4]),
        ] {
            let layer = try LayerDecomposition(convolution: weight, grouping: grouping)
            let train = try layer.trains(ranks: ranks)[0].reconstructed().reshaped([8, 3, 3, 12]).permuted([3, 0, 1, 2])
            #expect(try relativeDistance(composed(layer.convolutionFactors(ranks: ranks)), train) < exactness)
        }
    }

    @Test func oneCallGivesFactorsAndClamps() throws {
        let (factors, clamps) = try ConvolutionGrouping.outputChannels.factors(of: sample([6, 4, 3, 3]), ranks: [10])
        #expect(factors.map(\.weight.shape) == [[6, 4, 3, 3], [6, 6, 1, 1]])
        #expect(clamps == [RankClamp(bond: 0, requested: 10, bound: 6)])
    }

    /// 64→64 3×3: r(64·9 + 64) < 36,864 up to r = 57; r·(64·3 + 64·3) up to 95; 64·r1 + 9·r1·r2 + 64·r2 up to 57.
    @Test(arguments: [(ConvolutionGrouping.outputChannels, [57]), (.spatial, [95]), (.tensorTrain, [57, 57])])
    func largestUsefulRanks(_ grouping: ConvolutionGrouping, _ expected: [Int]) throws {
        let cost = try grouping.parameterCost(weight: [64, 64, 3, 3])
        let bounds = try grouping.maxRanks(weight: [64, 64, 3, 3])
        #expect(cost.largestRanks(below: 36864, bounds: bounds) == expected)
        #expect(cost(expected) < 36864)
        #expect(cost(expected.map { $0 + 1 }) >= 36864)
    }

    @Test func aChainThatNeverWinsHasNoUsefulRanks() throws {
        let layer = try LayerDecomposition(convolution: sample([1, 3, 1, 1]), grouping: .tensorTrain)
        #expect(layer.maxUsefulRanks == nil)
    }
}
