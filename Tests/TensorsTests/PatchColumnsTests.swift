import Basics
import KernelChecks
import Tensors
import Testing

@MainActor @Suite struct PatchColumnsTests {
    /// A weight's product with the patches is the convolution.
    @Test(arguments: (ConvolutionCase.chosen + ConvolutionCase.random).filter { $0.geometry.groups == 1 })
    func weightsTimesPatchesAreTheConvolution(_ c: ConvolutionCase) throws {
        try poisonFreedMemory()
        let (x, w) = (try sample(c.input), try sample(c.weight, seed: 2))
        let expected = try Convolution.forward(x, w, nil, c.geometry, training: false).permuted([1, 0, 2, 3]).copy()
        for format in [ActivationFormat.plain, .blocked] {
            let patches = try x.inFormat(format).im2col(kernel: (w.shape[2], w.shape[3]), c.geometry)
            let product = try w.reshaped([w.shape[0], -1]).matrixProduct(patches)
            #expect(try relativeDistance(product, doubles(expected)) < kernelTolerance)
        }
    }

    @Test func shapesMustFit() throws {
        #expect(throws: TensorFailure.self) { try sample([3, 4]).im2col(kernel: (1, 1), ConvolutionGeometry()) }
        #expect(throws: TensorFailure.self) { try sample([1, 2, 3, 3]).im2col(kernel: (4, 1), ConvolutionGeometry()) }
    }

    /// What is taken off each row is taken off the padding too.
    @Test func anOriginIsTakenOff() throws {
        var random = RandomSource(seed: 9)
        let x = try Tensor.normal([2, 3, 7, 6], using: &random)
        for geometry in [ConvolutionGeometry(), .init(stride: 1, padding: 1), .init(stride: [2, 1], padding: [0, 2, 1, 0], dilation: [1, 2])] {
            let plain = try x.im2col(kernel: (3, 2), geometry)
            let origin = (0..<18).map { Float($0 % 5) - 2 }
            let moved = try x.im2col(kernel: (3, 2), geometry, less: origin)
            #expect(try moved.adding(Tensor(origin, shape: [18, 1])).subtracting(plain).norm() < 1e-5)
        }
    }
}
