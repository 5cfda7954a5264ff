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
        expectFailure("decomposition.rankNotPositive", "bond 2 must be at least 1, but got 0") {
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
        expectFailure("decomposition.shapeMismatch", "cores 1 and 2 disagree") {
            _ = try TensorTrain(cores: [sample([1, 3, 2]), sample([3, 4, 1])])
        }
        expectFailure("decomposition.shapeMismatch", "outer ranks must be 1") {
            _ = try TensorTrain(cores: [sample([2, 3, 2]), sample([2, 4, 1])])
        }
        expectFailure("decomposition.shapeMismatch", "core 2 must be float32 [r, n, r′]") {
            _ = try TensorTrain(cores: [sample([1, 3, 2]), sample([2, 4])])
        }
        expectFailure("decomposition.shapeMismatch", "at least one core") { _ = try TensorTrain(cores: []) }
    }

    @Test(arguments: [3, 16, 0, -1]) func groupsMustDivideTheChannels(_ groups: Int) throws {
        let geometry = ConvolutionGeometry(stride: 1, padding: 1, groups: groups)
        expectFailure("decomposition.unevenGroups", "the 8 output channels do not divide into \(groups) groups (weight [8, 1, 3, 3])") {
            _ = try LayerDecomposition(convolution: sample([8, 1, 3, 3]), grouping: .spatial, geometry: geometry)
        }
    }

    @Test func arithmeticNamesWhatDoesNotFit() throws {
        let a = try TensorTrain.decompose(sample([3, 4, 5]), ranks: [2, 2]).train
        let b = try TensorTrain.decompose(sample([3, 5, 4]), ranks: [2, 2]).train
        for (operation, body) in [
            ("adding trains", { _ = try a.adding(b) }), ("multiplying trains", { _ = try a.multiplyingElements(by: b) }),
            ("inner product of trains", { _ = try a.innerProduct(b) }),
        ] as [(String, () throws -> Void)] {
            expectFailure("decomposition.shapeMismatch", operation + ": needs equal modes, but got [3, 4, 5] and [3, 5, 4]", body)
        }
        for index in [[0, 0], [0, 4, 0], [-1, 0, 0], []] {
            expectFailure("decomposition.invalidIndex", "below the modes [3, 4, 5], counted from 0, but got \(index)") {
                _ = try a.element(at: index)
            }
        }
        expectFailure("decomposition.invalidFactor", "needs a finite factor, but got nan") { _ = try a.scaled(by: .nan) }
        for position in [-1, 3] {
            expectFailure("decomposition.invalidCore", "has the cores 0..<3, but got \(position)") { _ = try a.orthogonalized(at: position) }
        }
    }

    @Test(arguments: [0.0, 0.19, 1.01, -.infinity, .nan]) func sharesMustBeReachable(_ share: Double) throws {
        expectFailure("decomposition.invalidShare", "tensor train: the share of parameters kept must be at most 1 and at least 0.2") {
            _ = try TensorTrain.decompose(sample([3, 4, 5]), keeping: share)
        }
    }

    @Test func matrixFactorsMustMultiplyToTheMatrix() throws {
        let weight = try sample([12, 10])
        expectFailure("decomposition.factorMismatch", "factors of the rows must be positive and multiply to 12, but got [3, 5]") {
            _ = try TensorTrainMatrix.tensorized(weight, outputFactors: [3, 5], inputFactors: [2, 5])
        }
        for factors in [[-2, -5], [0, 5], [.max, 2]] {
            expectFailure("decomposition.factorMismatch", "factors of the columns must be positive and multiply to 10") {
                _ = try TensorTrainMatrix.tensorized(weight, outputFactors: [3, 4], inputFactors: factors)
            }
        }
        expectFailure("decomposition.shapeMismatch", "as many factors of O as of I, but got [12, 10], [12] and [2, 5]") {
            _ = try TensorTrainMatrix.tensorized(weight, outputFactors: [12], inputFactors: [2, 5])
        }
        let train = try TensorTrain.decompose(sample([6, 20]), ranks: [2]).train
        expectFailure("decomposition.shapeMismatch", "the modes [6, 20] are not the products of [3, 4] and [2, 4]") {
            _ = try TensorTrainMatrix(train: train, outputFactors: [3, 4], inputFactors: [2, 4])
        }
        let matrix = try TensorTrainMatrix(train: train, outputFactors: [3, 4], inputFactors: [2, 5])
        expectFailure("decomposition.shapeMismatch", "needs an input [N, 10], but got [2, 9]") { _ = try matrix.applied(to: sample([2, 9])) }
        for (number, count) in [(0, 2), (12, 0), (12, 33), (1 << 30, 2)] {
            expectFailure("decomposition.invalidFactorCount", "balanced factors") { _ = try BalancedFactors.of(number, count: count) }
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
        expectFailure("decomposition.rankAboveBound", "bond 1 can be at most 4, but got 5") {
            _ = try layer.trains(ranks: [5, 8])[0]
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
