public import Tensors

/// Two-dimensional convolution, y = x ⋆ w (+ b) (+ residual), then ReLU where fused.
///
/// - Shape: x [N, C, H, W], w [O, C/g, Kh, Kw], b [O], residual and y [N, O, P, Q].
public struct Conv2D: GraphOperation {
    public static let name = "conv2d"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)

    public var geometry: ConvolutionGeometry
    public var hasBias: Bool
    /// Whether the last input is added before the activation (made by fusion).
    public var addsResidual: Bool
    /// Whether ReLU follows at once (made by fusion).
    public var hasReLU: Bool

    public init(
        _ geometry: ConvolutionGeometry, hasBias: Bool, addsResidual: Bool = false, hasReLU: Bool = false
    ) {
        self.geometry = geometry
        self.hasBias = hasBias
        self.addsResidual = addsResidual
        self.hasReLU = hasReLU
    }

    public init(attributes: Attributes) throws {
        geometry = ConvolutionGeometry(
            stride: try attributes.ints("stride", count: 2), padding: try attributes.ints("padding", count: 4),
            dilation: try attributes.ints("dilation", count: 2), groups: try attributes.int("groups"))
        hasBias = try attributes.bool("bias")
        addsResidual = try attributes.bool("residual")
        hasReLU = try attributes.bool("relu")
    }

    public var attributes: Attributes {
        Attributes(
            Self.name,
            [
                "stride": .ints(geometry.stride), "padding": .ints(geometry.padding),
                "dilation": .ints(geometry.dilation), "groups": .int(geometry.groups), "bias": .bool(hasBias),
                "residual": .bool(addsResidual), "relu": .bool(hasReLU),
            ])
    }

    private var inputCount: Int { 2 + (hasBias ? 1 : 0) + (addsResidual ? 1 : 0) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, inputCount...inputCount)
        let output = try geometry.outputShape(input: inputs[0], weight: inputs[1])
        if hasBias, inputs[2] != [inputs[1][0]] {
            throw OperationFailure.shapes(operation: name, detail: "bias \(inputs[2]) is not [\(inputs[1][0])]")
        }
        if addsResidual, inputs[inputCount - 1] != output {
            throw OperationFailure.shapes(
                operation: name, detail: "residual \(inputs[inputCount - 1]) is not the output \(output)")
        }
        return [output]
    }

    /// O · P · Q · (C/g) · Kh · Kw per image; bias and residual are additions and do not count.
    public func macCount(inputs: [Shape], outputs: [Shape]) -> Int {
        Counts.product([outputs[0].elementCount, inputs[1][1], inputs[1][2], inputs[1][3]])
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        try requireInputs(inputs.count, inputCount...inputCount)
        let (x, w) = (inputs[0], inputs[1])
        let bias = hasBias ? inputs[2] : nil
        var y = try Convolution.forward(x, w, bias, geometry, training: mode.recordsGradient)
        if addsResidual { y = try y.adding(inputs[inputCount - 1]) }
        if hasReLU { y = try y.rectified() }
        let output = hasReLU ? y : nil
        return Evaluation(y, mode) { gradient, needed in
            let dy = try output?.rectifierGradient(gradient) ?? gradient
            var result: [Tensor?] = [nil, nil]
            if needed[0] {
                result[0] = try Convolution.gradientOfInput(dy, w, input: x.shape, geometry)
            }
            let needsBias = hasBias && needed[2]
            if needed[1] || needsBias {
                let (dw, db) = try Convolution.gradientOfWeights(
                    dy, x, weight: w.shape, hasBias: needsBias, geometry)
                result[1] = dw
                if hasBias { result.append(db) }
            } else if hasBias {
                result.append(nil)
            }
            if addsResidual { result.append(dy) }
            return result
        }
    }
}
