import Decomposition
import Tensors
import Testing

/// What a truncation says that it gave up, beside what it did: cores in float32, products in double precision.
@MainActor @Suite struct StatedErrorTests {
    /// Of rank 1 and 20, but for the rounding of its elements, which is 2.5e-8 of its norm.
    private func lowRank() throws -> Tensor {
        try sample([400, 1], seed: 1).matrixProduct(sample([1, 400], seed: 2)).reshaped([400, 20, 20])
    }

    private func check(_ result: TruncatedTrain, _ tensor: Tensor, _ note: Comment) throws {
        let lost = try preciseDistance(result.train, tensor)
        // To a thousandth where float32 serves; a bound of what rounding adds is in it.
        #expect(lost <= result.relativeError * (lost > 1e-4 ? 1.001 : 1), note)
        #expect(result.relativeError <= lost * 1.001 + 1e-6 * Double(1 + result.routes.count), note)
    }

    @Test(arguments: [0, 1.1e-7, 1e-6, 2e-6, 1e-5, 1e-3]) func roundingIsNoContent(_ epsilon: Double) throws {
        let tensor = try lowRank()
        let result = try TensorTrain.decompose(tensor, relativeError: epsilon)
        #expect(result.train.ranks == [1, 20])
        try check(result, tensor, "ε \(epsilon)")
        let full = try TensorTrain.decompose(tensor, ranks: [30, 20]).train
        let rounded = try full.rounded(relativeError: max(epsilon, 5e-7))
        #expect(rounded.train.ranks == [1, 20])
        try check(rounded, full.reconstructed(), "rounding, ε \(epsilon)")
    }

    @Test(arguments: [[1, 20], [2, 20], [30, 5], [400, 20]]) func givenRanks(_ ranks: [Int]) throws {
        let tensor = try lowRank()
        try check(TensorTrain.decompose(tensor, ranks: ranks), tensor, "\(ranks)")
    }

    @Test(arguments: [[6, 40], [16, 9, 32], [6, 5, 7, 8], [3, 4, 3, 4, 3]] as [Shape], [0, 1e-6, 1e-5, 1e-4, 1e-3, 0.03, 0.3])
    func everyErrorHolds(_ shape: Shape, _ epsilon: Double) throws {
        let tensor = try compressibleSample(shape, terms: 40, seed: 5)
        let result = try TensorTrain.decompose(tensor, relativeError: epsilon)
        try check(result, tensor, "ε \(epsilon)")
        #expect(result.relativeError <= epsilon || epsilon < 5e-5)
        let full = try TensorTrain.decompose(tensor, ranks: TensorTrain.maxRanks(modes: shape.dims))
        try check(full, tensor, "full")
        let rounded = try full.train.rounded(relativeError: epsilon)
        #expect(try preciseDistance(rounded.train, tensor) <= rounded.relativeError + full.relativeError)
    }

    @Test(arguments: [1e-6, 1e-3, 0.2]) func matricesAndTensorisedConvolutions(_ epsilon: Double) throws {
        let weight = try compressibleSample([36, 60], terms: 30, seed: 2)
        let tensor = try TensorTrainMatrix.tensorized(weight, outputFactors: [4, 9], inputFactors: [10, 6])
        try check(TensorTrain.decompose(tensor, relativeError: epsilon), tensor, "matrix, ε \(epsilon)")
        let kernel = try compressibleSample([12, 8, 3, 3], terms: 30, seed: 3)
        let channels = try TensorizedConvolution.tensorized(kernel, inputFactors: [2, 4], outputFactors: [3, 4])
        try check(TensorTrain.decompose(channels, relativeError: epsilon), channels, "convolution, ε \(epsilon)")
    }
}
