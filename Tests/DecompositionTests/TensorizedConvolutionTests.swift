import Decomposition
import Tensors
import Testing

@MainActor @Suite struct TensorizedConvolutionTests {
    struct Case: Sendable {
        let inputs: [Int]
        let outputs: [Int]
        let kernel: [Int]
        let geometry: ConvolutionGeometry
    }

    private nonisolated static let cases = [
        Case(inputs: [2, 3], outputs: [4, 2], kernel: [3, 3], geometry: .init(stride: 1, padding: 1)),
        Case(inputs: [6], outputs: [8], kernel: [3, 3], geometry: .init(stride: 2, padding: 1)),
        Case(inputs: [2, 1, 2], outputs: [3, 2], kernel: [3, 2], geometry: .init(stride: [2, 1], padding: [1, 0, 2, 1], dilation: [1, 2])),
        Case(inputs: [3, 2], outputs: [2, 2, 2], kernel: [1, 1], geometry: .init()),
        Case(inputs: [1], outputs: [5], kernel: [3, 3], geometry: .init(stride: 1, padding: 0)),
    ]

    private func layer(_ test: Case, error: Double) throws -> (weight: Tensor, layer: TensorizedConvolution) {
        let weight = try sample([test.outputs.reduce(1, *), test.inputs.reduce(1, *), test.kernel[0], test.kernel[1]])
        let tensor = try TensorizedConvolution.tensorized(weight, inputFactors: test.inputs, outputFactors: test.outputs)
        return (
            weight,
            try TensorizedConvolution(
                train: TensorTrain.decompose(tensor, relativeError: error).train, inputFactors: test.inputs,
                outputFactors: test.outputs, kernel: test.kernel, geometry: test.geometry)
        )
    }

    @Test(arguments: cases) private func fullRankIsTheLayer(_ test: Case) throws {
        let (weight, layer) = try layer(test, error: 0)
        #expect(try relativeDistance(layer.reconstructed(), weight) < exactness)
        for batch in [1, 3] {
            let x = try sample([batch, weight.shape[1], 7, 6], seed: 5)
            let dense = try Convolution.forward(x, weight, nil, test.geometry, training: false).contiguous()
            #expect(try relativeDistance(layer.applied(to: x), dense) < exactness)
        }
    }

    @Test(arguments: cases) private func aTruncatedTrainIsTheLayerOfItsWeight(_ test: Case) throws {
        let (weight, layer) = try layer(test, error: 0.5)
        #expect(try relativeDistance(layer.reconstructed(), weight) <= 0.5 + roundingSlack)
        let x = try sample([2, weight.shape[1], 7, 6], seed: 5)
        let dense = try Convolution.forward(x, layer.reconstructed(), nil, test.geometry, training: false).contiguous()
        #expect(try relativeDistance(layer.applied(to: x), dense) < exactness)
    }

    /// 4 = 2·2 channels in, 6 = 2·3 out, 3×3 on 5×4 with stride 1, ranks 2, 3, 3, 2, counted by hand.
    @Test func costsAreCountedOverTheChain() throws {
        let shapes: [Shape] = [[1, 2, 2], [2, 2, 3], [3, 9, 3], [3, 2, 2], [2, 3, 1]]
        let train = try TensorTrain(cores: shapes.map { try sample($0) })
        let layer = try TensorizedConvolution(
            train: train, inputFactors: [2, 2], outputFactors: [2, 3], kernel: [3, 3], geometry: .init(stride: 1, padding: 1))
        let positions = 20
        let expected = [2 * 2 * 2, 2 * 2 * 3, 3 * 9 * 3, 3 * 2 * 2, 2 * 2 * 3].reduce(0, +) * positions
        #expect(try layer.macCount(rows: 5, columns: 4) == expected)
        #expect(layer.parameterCount == 4 + 12 + 81 + 12 + 6)
    }

    @Test func whatDoesNotFitIsNamed() throws {
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "nothing was thrown"
        }
        let weight = try sample([6, 4, 3, 3])
        #expect(
            message { _ = try TensorizedConvolution.tensorized(weight, inputFactors: [2, 3], outputFactors: [2, 3]) }
                .contains("factors of the input channels must be positive and multiply to 4, but got [2, 3]"))
        #expect(
            message { _ = try TensorizedConvolution.tensorized(weight, inputFactors: [2, 2], outputFactors: [6, 0]) }
                .contains("factors of the output channels must be positive and multiply to 6, but got [6, 0]"))
        let tensor = try TensorizedConvolution.tensorized(weight, inputFactors: [2, 2], outputFactors: [2, 3])
        let train = try TensorTrain.decompose(tensor, relativeError: 0.5).train
        #expect(
            message { _ = try TensorizedConvolution(train: train, inputFactors: [4], outputFactors: [2, 3], kernel: [3, 3]) }
                .contains("the modes [2, 2, 9, 2, 3] are not the channels [4], the kernel [3, 3]"))
        let layer = try TensorizedConvolution(train: train, inputFactors: [2, 2], outputFactors: [2, 3], kernel: [3, 3])
        #expect(message { _ = try layer.applied(to: sample([2, 5, 4, 4])) }.contains("needs an input [N, 4, H, W], but got [2, 5, 4, 4]"))
    }
}
