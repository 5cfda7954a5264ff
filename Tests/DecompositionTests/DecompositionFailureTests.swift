import Basics
import Decomposition
import Tensors
import Testing

@MainActor @Suite struct DecompositionFailureTests {
    private func expectFailure(_ code: String, _ words: String, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("nothing was thrown where \(code) was expected")
        } catch let failure as DecompositionFailure {
            #expect(failure.code == code)
            #expect(failure.description.contains(words), "\(failure.description)")
        } catch {
            Issue.record("\(error) was thrown where \(code) was expected")
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func valuesMustBeFinite(_ bad: Float) throws {
        let tensor = try Tensor([1, 2, bad, 4, 5, 6, 7, 8] as [Float], shape: [2, 2, 2])
        expectFailure("decomposition.notFinite", "shape [2, 2, 2]") { _ = try TensorTrain.decompose(tensor, ranks: [1, 1]) }
        let weight = try tensor.reshaped([2, 2, 2, 1])
        expectFailure("decomposition.notFinite", "[2, 2, 2, 1]") {
            _ = try LayerDecomposition(convolution: weight, grouping: .tensorTrain)
        }
        expectFailure("decomposition.notFinite", "linear") {
            _ = try LayerDecomposition(linear: tensor.reshaped([4, 2]))
        }
    }

    @Test func ranksMustFitTheTrain() throws {
        let tensor = try sample([3, 4, 5])
        expectFailure("decomposition.rankCount", "needs 2 rank(s), one per bond, but got [2]") {
            _ = try TensorTrain.decompose(tensor, ranks: [2])
        }
        expectFailure("decomposition.rankNotPositive", "bond 1 must be at least 1, but got 0") {
            _ = try TensorTrain.decompose(tensor, ranks: [2, 0])
        }
        expectFailure("decomposition.rankNotPositive", "got 0") {
            _ = try TensorTrain.decompose(tensor, relativeError: 0.1, maxRank: 0)
        }
    }

    @Test(arguments: [-0.1, 1, 2, Double.nan]) func relativeErrorMustBeAFraction(_ epsilon: Double) throws {
        let tensor = try sample([3, 4, 5])
        expectFailure("decomposition.invalidError", "below 1, but got") {
            _ = try TensorTrain.decompose(tensor, relativeError: epsilon)
        }
    }

    @Test func shapesMustHaveElements() throws {
        expectFailure("decomposition.shapeMismatch", "[3, 0, 5]") {
            _ = try TensorTrain.decompose(.zeros([3, 0, 5]), relativeError: 0.1)
        }
        expectFailure("decomposition.shapeMismatch", "needs a float32 tensor") {
            _ = try TensorTrain.decompose(.zeros([3, 3], dtype: .int64), ranks: [1])
        }
        expectFailure("decomposition.shapeMismatch", "needs a weight [O, C, Kh, Kw], but got [3, 4, 5]") {
            _ = try LayerDecomposition(convolution: sample([3, 4, 5]), grouping: .spatial)
        }
        expectFailure("decomposition.shapeMismatch", "needs a weight [O, I], but got [3, 4, 5]") {
            _ = try LayerDecomposition(linear: sample([3, 4, 5]))
        }
    }

    @Test func coresMustChain() throws {
        expectFailure("decomposition.shapeMismatch", "cores 0 and 1 disagree") {
            _ = try TensorTrain(cores: [sample([1, 3, 2]), sample([3, 4, 1])])
        }
        expectFailure("decomposition.shapeMismatch", "outer ranks must be 1") {
            _ = try TensorTrain(cores: [sample([2, 3, 2]), sample([2, 4, 1])])
        }
        expectFailure("decomposition.shapeMismatch", "core 1 must be float32 [r, n, r′]") {
            _ = try TensorTrain(cores: [sample([1, 3, 2]), sample([2, 4])])
        }
        expectFailure("decomposition.shapeMismatch", "at least one core") { _ = try TensorTrain(cores: []) }
    }

    @Test func groupedConvolutionsAreRefused() throws {
        let geometry = ConvolutionGeometry(stride: 1, padding: 1, groups: 8)
        expectFailure("decomposition.groupedConvolution", "weight [8, 1, 3, 3] with 8 groups") {
            _ = try LayerDecomposition(convolution: sample([8, 1, 3, 3]), grouping: .spatial, geometry: geometry)
        }
    }

    @Test func geometryListsOfAnotherLengthAreRefused() throws {
        let geometry = ConvolutionGeometry(padding: [1, 1])
        expectFailure("decomposition.shapeMismatch", "padding [1, 1]") {
            _ = try LayerDecomposition(convolution: sample([8, 4, 3, 3]), grouping: .spatial, geometry: geometry)
        }
    }

    @Test func factorsOfTheOtherKindAreRefused() throws {
        expectFailure("decomposition.wrongLayerKind", "asked for linear factors of a convolution layer") {
            _ = try LayerDecomposition(convolution: sample([8, 4, 3, 3]), grouping: .spatial).linearFactors(rank: 1)
        }
        expectFailure("decomposition.wrongLayerKind", "asked for convolution factors of a linear layer") {
            _ = try LayerDecomposition(linear: sample([8, 4])).convolutionFactors(ranks: [1])
        }
    }

    @Test func preparedLayersDoNotLowerRanksSilently() throws {
        let layer = try LayerDecomposition(convolution: sample([8, 4, 3, 3]), grouping: .tensorTrain)
        expectFailure("decomposition.rankAboveBound", "bond 0 can be at most 4, but got 5") {
            _ = try layer.train(ranks: [5, 8])
        }
    }

    @Test(arguments: [
        ("C|KhKw", "C|Kh·Kw|O"), ("C·Kh|KwO|", "C·Kh|Kw·O"), ("CKhKw|0", "C·Kh·Kw|O"), ("", "C|Kh·Kw|O"),
    ])
    func unknownGroupingsNameTheNearest(_ name: String, _ nearest: String) {
        expectFailure("decomposition.unknownGrouping", "did you mean \"\(nearest)\"") {
            _ = try ConvolutionGrouping(parsing: name)
        }
    }
}
