public import Tensors

/// Transposed two-dimensional convolution: the gradient of a convolution by its input, taken as a layer.
///
/// - Shape: x [N, C, H, W], w [C, O/g, Kh, Kw], b [O], y [N, O, P, Q] with
///   P = stride · (H − 1) + dilation · (Kh − 1) + 1 − padding above and below + output padding.
/// - Reference: Dumoulin, Visin, *A guide to convolution arithmetic for deep learning*, 2016, arXiv:1603.07285, §4.
public struct ConvTranspose2D: GraphOperation {
    public static let name = "conv_transpose2d"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    public var geometry: ConvolutionGeometry
    /// Rows below and columns right that no window of the convolution reaches; less than the stride.
    public var outputPadding: [Int]
    public var hasBias: Bool

    public init(_ geometry: ConvolutionGeometry, outputPadding: [Int] = [0, 0], hasBias: Bool) {
        self.geometry = geometry
        self.outputPadding = outputPadding
        self.hasBias = hasBias
    }

    public init(attributes: Attributes) throws {
        geometry = ConvolutionGeometry(
            stride: try attributes.ints("stride", count: 2), padding: try attributes.ints("padding", count: 4),
            dilation: try attributes.ints("dilation", count: 2), groups: try attributes.int("groups"))
        outputPadding = try attributes.ints("output_padding", count: 2)
        hasBias = try attributes.bool("bias")
    }

    public var attributes: Attributes {
        Attributes(
            Self.name,
            [
                "stride": .ints(geometry.stride), "padding": .ints(geometry.padding),
                "dilation": .ints(geometry.dilation), "groups": .int(geometry.groups),
                "output_padding": .ints(outputPadding), "bias": .bool(hasBias),
            ])
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        let count = hasBias ? 3 : 2
        try requireInputs(inputs.count, count...count)
        let (x, w) = (inputs[0], inputs[1])
        func refuse(_ detail: String) -> OperationFailure { .shapes(operation: name, detail: detail) }
        guard x.rank == 4, w.rank == 4, w.elementCount > 0, x[1] == w[0] else {
            throw refuse("needs an input [N, C, H, W] and a weight [C, O/g, Kh, Kw], but got \(x) and \(w)")
        }
        let numbers = geometry.stride + geometry.padding + geometry.dilation + outputPadding + x.dims + w.dims
        guard numbers.allSatisfy({ (0..<1 << 30).contains($0) }), geometry.groups >= 1, geometry.groups <= w[0],
            (0..<2).allSatisfy({ outputPadding[$0] < geometry.stride[$0] })
        else {
            throw refuse(
                "stride \(geometry.stride), output padding \(outputPadding) is not a valid geometry for \(x): the output padding must be smaller than the stride"
            )
        }
        let extents = (0..<2).map { axis in
            geometry.stride[axis] * (x[2 + axis] - 1) + geometry.dilation[axis] * (w[2 + axis] - 1) + 1
                - geometry.padding[axis] - geometry.padding[axis + 2] + outputPadding[axis]
        }
        guard extents.allSatisfy({ $0 >= 1 }) else { throw refuse("padding \(geometry.padding) removes the whole output of \(x)") }
        let output = Shape([x[0], Counts.product([w[1], geometry.groups])] + extents)
        guard Counts.product(output.dims) < 1 << 40, try geometry.outputShape(input: output, weight: w) == x else {
            throw refuse("no convolution with weight \(w) makes \(x) of \(output)")
        }
        if hasBias, inputs[2] != [output[1]] { throw refuse("bias \(inputs[2]) is not [\(output[1])]") }
        return [output]
    }

    /// C · H · W · (O/g) · Kh · Kw per image.
    public func macCount(inputs: [Shape], outputs: [Shape]) -> Int {
        Counts.product([inputs[0].elementCount, inputs[1][1], inputs[1][2], inputs[1][3]])
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let output = try outputShapes(of: inputs.map(\.shape))[0]
        for input in inputs { try input.requireType(.float32, name) }
        let (x, w) = (inputs[0], inputs[1])
        var y = try Convolution.gradientOfInput(x, w, input: output, geometry)
        if hasBias { y = try y.adding(inputs[2].reshaped([1, output[1], 1, 1])) }
        return Evaluation(y, mode) { dy, needed in
            let dx = needed[0] ? try Convolution.forward(dy, w, nil, geometry, training: true) : nil
            let dw =
                needed[1]
                ? try Convolution.gradientOfWeights(x, dy, weight: w.shape, hasBias: false, geometry).weights : nil
            return hasBias ? [dx, dw, needed[2] ? try dy.sumOverBatchAndPixels() : nil] : [dx, dw]
        }
    }
}
