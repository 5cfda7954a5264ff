public import Tensors

/// A convolution weight [O, C, Kh, Kw] as a train over factors of its channels, c_1 | … | c_m | Kh·Kw | o_1 | … | o_m,
/// where C = c_1⋯c_m and O = o_1⋯o_m.
///
/// It runs as a chain of ordinary convolutions with reshapes between: 1×1 ones contract a factor of the input channels
/// each, with the factors to come as more rows of the image; then the Kh×Kw one; then 1×1 ones that make a factor of the
/// output channels each, with the factors made as more images. No bias: it belongs on the result.
/// - Reference: T. Garipov, D. Podoprikhin, A. Novikov, D. Vetrov, *Ultimate Tensorization: Compressing Convolutional and
///   FC Layers Alike*, 2016, arXiv:1611.03214, section 4.
public struct TensorizedConvolution: Sendable {
    public let train: TensorTrain
    /// c_1 … c_m.
    public let inputFactors: [Int]
    /// o_1 … o_m; there may be more or fewer of them than of the input's.
    public let outputFactors: [Int]
    /// Kh and Kw.
    public let kernel: [Int]
    /// Of the layer, without groups.
    public let geometry: ConvolutionGeometry

    /// - Throws: `shapeMismatch` unless the train has the modes c_1 … c_m, Kh·Kw, o_1 … o_m.
    public init(
        train: TensorTrain, inputFactors: [Int], outputFactors: [Int], kernel: [Int],
        geometry: ConvolutionGeometry = ConvolutionGeometry()
    ) throws {
        guard kernel.count == 2, geometry.groups == 1, !inputFactors.isEmpty, !outputFactors.isEmpty,
            train.modes == inputFactors + [kernel[0].multipliedReportingOverflow(by: kernel[1]).partialValue] + outputFactors
        else {
            throw DecompositionFailure.shapeMismatch(
                operation: "tensorised convolution",
                detail: "the modes \(train.modes) are not the channels \(inputFactors), the kernel \(kernel) and the channels "
                    + "\(outputFactors) of a layer without groups (\(geometry.groups))")
        }
        self.train = train
        self.inputFactors = inputFactors
        self.outputFactors = outputFactors
        self.kernel = kernel
        self.geometry = geometry
    }

    public var inputCount: Int { inputFactors.reduce(1, *) }
    public var outputCount: Int { outputFactors.reduce(1, *) }
    public var parameterCount: Int { train.parameterCount }

    /// A weight [O, C, Kh, Kw] as the tensor [c_1, …, c_m, Kh·Kw, o_1, …, o_m].
    /// - Throws: `shapeMismatch`, `factorMismatch`.
    public static func tensorized(_ weight: Tensor, inputFactors: [Int], outputFactors: [Int]) throws -> Tensor {
        try ConvolutionGrouping.requireWeight(weight.shape)
        try BalancedFactors.require(
            inputFactors, multiplyTo: weight.shape[1], side: "input channels", "tensorised convolution")
        try BalancedFactors.require(
            outputFactors, multiplyTo: weight.shape[0], side: "output channels", "tensorised convolution")
        return try ConvolutionGrouping.tensorized(weight)
            .reshaped(Shape(inputFactors + [weight.shape[2] * weight.shape[3]] + outputFactors))
    }

    /// The weight [O, C, Kh, Kw].
    public func reconstructed() throws -> Tensor {
        try train.reconstructed().reshaped([inputCount, kernel[0], kernel[1], outputCount]).permuted([3, 0, 1, 2]).contiguous()
    }

    /// One convolution of the chain, and how its input is seen.
    struct Step {
        /// The shape that the value before takes.
        let input: Shape
        let factor: ConvolutionFactor
    }

    /// The chain for an input [N, C, H, W].
    func steps(input: Shape) throws -> [Step] {
        guard input.rank == 4, input[1] == inputCount else {
            throw DecompositionFailure.shapeMismatch(
                operation: "tensorised convolution", detail: "needs an input [N, \(inputCount), H, W], but got \(input)")
        }
        let point = ConvolutionGeometry()
        var steps: [Step] = []
        var (open, images) = (inputCount, input[0])
        for (core, c) in zip(train.cores, inputFactors) {
            open /= c
            let (r, next) = (core.shape[0], core.shape[2])
            let weight = try core.reshaped([r * c, next]).transposed().copy().reshaped([next, r * c, 1, 1])
            steps.append(
                Step(input: [images, r * c, open * input[2], input[3]], factor: ConvolutionFactor(weight: weight, geometry: point)))
        }
        let middle = train.cores[inputFactors.count]
        let (r, next) = (middle.shape[0], middle.shape[2])
        let weight = try middle.reshaped([r, kernel[0], kernel[1], next]).permuted([3, 0, 1, 2]).copy()
        var image: Shape = [images, r, input[2], input[3]]
        steps.append(Step(input: image, factor: ConvolutionFactor(weight: weight, geometry: geometry)))
        image = try geometry.outputShape(input: image, weight: weight.shape)
        for (core, o) in zip(train.cores[(inputFactors.count + 1)...], outputFactors) {
            let (r, next) = (core.shape[0], core.shape[2])
            let weight = try core.reshaped([r, o * next]).transposed().copy().reshaped([o * next, r, 1, 1])
            steps.append(
                Step(input: [images, r, image[2], image[3]], factor: ConvolutionFactor(weight: weight, geometry: point)))
            images *= o
        }
        return steps
    }

    /// Multiply-accumulates of the chain per image of H × W.
    public func macCount(rows: Int, columns: Int) throws -> Int {
        try steps(input: [1, inputCount, rows, columns]).reduce(0) { total, step in
            let output = try step.factor.geometry.outputShape(input: step.input, weight: step.factor.weight.shape)
            return total + step.factor.weight.elementCount * output[0] * output[2] * output[3]
        }
    }

    /// The layer's result [N, O, P, Q], without bias, for x [N, C, H, W].
    /// - Throws: `shapeMismatch`.
    public func applied(to x: Tensor) throws -> Tensor {
        var value = x
        for step in try steps(input: x.shape) {
            value = try Convolution.forward(
                value.contiguous().reshaped(step.input), step.factor.weight, nil, step.factor.geometry, training: false)
        }
        return try value.contiguous().reshaped([x.shape[0], outputCount, value.shape[2], value.shape[3]])
    }
}
