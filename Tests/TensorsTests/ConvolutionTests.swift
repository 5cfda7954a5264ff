import Basics
import KernelChecks
import Tensors
import Testing

extension ConvolutionCase: CustomTestStringConvertible {
    public var testDescription: String { description }

    static let chosen: [ConvolutionCase] = [
        .init(input: [2, 3, 5, 7], weight: [4, 3, 3, 3], geometry: .init(stride: 1, padding: 1)),
        .init(input: [1, 1, 6, 6], weight: [1, 1, 3, 3]),
        .init(input: [1, 17, 9, 5], weight: [19, 17, 3, 3], geometry: .init(stride: 2, padding: 1)),
        .init(input: [3, 16, 8, 8], weight: [32, 16, 3, 3], geometry: .init(stride: 1, padding: 1), hasBias: false),
        .init(input: [2, 12, 7, 6], weight: [6, 4, 3, 3], geometry: .init(stride: 1, padding: 1, groups: 3)),
        .init(input: [2, 7, 9, 9], weight: [7, 1, 3, 3], geometry: .init(stride: 2, padding: 1, groups: 7)),
        .init(input: [2, 5, 6, 7], weight: [10, 1, 3, 3], geometry: .init(stride: 1, padding: 1, groups: 5)),
        .init(input: [2, 33, 6, 5], weight: [33, 1, 5, 3], geometry: .init(padding: [2, 1, 2, 1], groups: 33)),
        .init(input: [2, 4, 11, 12], weight: [5, 4, 3, 3], geometry: .init(padding: [2, 2, 2, 2], dilation: [2, 3])),
        .init(input: [1, 3, 11, 10], weight: [4, 3, 2, 2], geometry: .init(stride: [4, 3])),
        .init(input: [1, 3, 7, 6], weight: [4, 3, 3, 2], geometry: .init(stride: [2, 1], padding: [0, 1, 2, 0])),
        // The last row and column are reached by no window.
        .init(input: [2, 3, 8, 10], weight: [5, 3, 3, 3], geometry: .init(stride: 2, padding: 0)),
        // Padding wider than the kernel: whole windows of zeros.
        .init(input: [1, 3, 4, 4], weight: [2, 3, 1, 1], geometry: .init(padding: [2, 1, 1, 2])),
        .init(input: [2, 20, 9, 8], weight: [9, 20, 3, 1], geometry: .init(stride: [2, 1], padding: [1, 0, 1, 0])),
        .init(input: [2, 9, 5, 8], weight: [20, 9, 1, 3], geometry: .init(stride: [1, 2], padding: [0, 1, 0, 1])),
    ]

    /// Seeded random shapes on top of the chosen ones.
    static let random: [ConvolutionCase] = {
        var source = RandomSource(seed: 20_240_804)
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &source) }
        return (0..<30).map { _ in
            let groups = [1, 1, 1, 2, 3][pick(0...4)]
            let (c, o) = (pick(1...19) * groups, pick(1...19) * groups)
            let (kernel, dilation, stride) = ((pick(1...4), pick(1...4)), [pick(1...2), pick(1...2)], [pick(1...3), pick(1...3)])
            let padding = (0..<4).map { _ in pick(0...2) }
            let (h, w) = ((kernel.0 - 1) * dilation[0] + pick(1...6), (kernel.1 - 1) * dilation[1] + pick(1...6))
            return ConvolutionCase(
                input: [pick(1...3), c, h, w], weight: [o, c / groups, kernel.0, kernel.1],
                geometry: .init(stride: stride, padding: padding, dilation: dilation, groups: groups), hasBias: pick(0...1) == 1)
        }
    }()
}

// Kernels belong to one thread, so every suite that runs them stays on the main actor.
@MainActor @Suite struct ConvolutionTests {
    @Test(arguments: ConvolutionCase.chosen + ConvolutionCase.random) func kernelEqualsTheLoops(_ c: ConvolutionCase) throws {
        try poisonFreedMemory()
        let (x, w) = (try sample(c.input), try sample(c.weight, seed: 2))
        let b = c.hasBias ? try sample([c.weight[0]], seed: 3) : nil
        let output = try c.geometry.outputShape(input: c.input, weight: c.weight)
        let dy = try sample(output, seed: 4)
        let expected = try NaiveConvolution(
            c, output: output, x: doubles(x), w: doubles(w), b: b.map(doubles), dy: doubles(dy))

        for training in [true, false] {
            let y = try Convolution.forward(x, w, b, c.geometry, training: training)
            #expect(y.shape == output)
            #expect(try relativeDistance(y, expected.y) < kernelTolerance)
            #expect(try y.surplusLanes().allSatisfy { $0 == 0 })
        }
        let dx = try Convolution.gradientOfInput(dy, w, input: c.input, c.geometry)
        #expect(try relativeDistance(dx, expected.dx) < kernelTolerance)
        let gradients = try Convolution.gradientOfWeights(dy, x, weight: c.weight, hasBias: c.hasBias, c.geometry)
        #expect(try relativeDistance(gradients.weights, expected.dw) < kernelTolerance)
        #expect((gradients.bias != nil) == c.hasBias)
        if let bias = gradients.bias { #expect(try relativeDistance(bias, expected.db) < kernelTolerance) }
    }

    /// Activations arrive in any layout, and weights as views.
    @Test(arguments: [ActivationFormat.plain, .channelsLast, .blocked]) func everyInputLayoutGivesTheSame(_ format: ActivationFormat) throws {
        let c = ConvolutionCase(input: [2, 19, 6, 5], weight: [7, 19, 3, 3], geometry: .init(stride: 1, padding: 1))
        let (x, w) = (try sample(c.input), try sample(c.weight, seed: 2))
        let expected = try doubles(Convolution.forward(x, w, nil, c.geometry, training: false))
        let view = try w.permuted([1, 0, 2, 3]).copy().permuted([1, 0, 2, 3])
        let y = try Convolution.forward(x.inFormat(format), view, nil, c.geometry, training: false)
        #expect(try relativeDistance(y, expected) < kernelTolerance)
        // A part of a larger tensor: its first element is not the storage's.
        let part = try sample([9, 19, 3, 3], seed: 5)
        let slice = try part.sliced(dim: 0, from: 2, to: 9)
        let whole = try Convolution.forward(x, slice.copy(), nil, c.geometry, training: false)
        #expect(try relativeDistance(Convolution.forward(x, slice, nil, c.geometry, training: false), doubles(whole)) == 0)
    }

    @Test func anEmptyBatchGivesAnEmptyOutput() throws {
        let y = try Convolution.forward(.zeros([0, 3, 5, 5]), sample([4, 3, 3, 3]), nil, .init(), training: false)
        #expect(y.shape == [0, 4, 3, 3])
        let dx = try Convolution.gradientOfInput(y, sample([4, 3, 3, 3]), input: [0, 3, 5, 5], .init())
        #expect(dx.shape == [0, 3, 5, 5])
        let gradients = try Convolution.gradientOfWeights(y, .zeros([0, 3, 5, 5]), weight: [4, 3, 3, 3], hasBias: true, .init())
        #expect(try gradients.weights.norm() == 0)
        #expect(try gradients.bias?.norm() == 0)
    }

    @Test func misfitsAreExplained() throws {
        let x = try sample([1, 3, 5, 5])
        func run(_ weight: Shape, _ geometry: ConvolutionGeometry = .init(), bias: Shape? = nil) throws {
            _ = try Convolution.forward(x, sample(weight), bias.map { try sample($0) }, geometry, training: false)
        }
        expectFailure("tensor.shapeMismatch", "input [1, 3, 5, 5] and weight [4, 2, 3, 3] disagree on the channels") { try run([4, 2, 3, 3]) }
        expectFailure("tensor.shapeMismatch", "needs an input [N, C, H, W]") { try run([4, 3, 3]) }
        expectFailure("tensor.shapeMismatch", "kernel of weight [4, 3, 7, 3] is larger") { try run([4, 3, 7, 3]) }
        expectFailure("tensor.shapeMismatch", "are no geometry") { try run([4, 3, 3, 3], .init(stride: 0, padding: 0)) }
        expectFailure("tensor.shapeMismatch", "are no geometry") { try run([4, 3, 3, 3], .init(padding: [1, 1])) }
        expectFailure("tensor.shapeMismatch", "3 group(s)") { try run([4, 1, 3, 3], .init(stride: 1, padding: 0, groups: 3)) }
        expectFailure("tensor.shapeMismatch", "bias [5] is not [4]") { try run([4, 3, 3, 3], bias: [5]) }
        expectFailure("tensor.typeMismatch", "conv2d: needs float32 elements, but got int64") {
            _ = try Convolution.forward(.zeros([1, 3, 5, 5], dtype: .int64), sample([4, 3, 3, 3]), nil, .init(), training: false)
        }
    }
}
