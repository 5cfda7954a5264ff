public import Tensors

/// min(max(x, low), high); ReLU6 with 0 and 6. Where x reaches a limit, the gradient is 0.
public struct Clip: GraphOperation {
    public static let name = "clip"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)
    public var low: Double
    public var high: Double

    public init(low: Double, high: Double) {
        self.low = low
        self.high = high
    }

    public init(attributes: Attributes) throws {
        low = try attributes.float("min")
        high = try attributes.float("max")
        guard low <= high, low.isFinite, high.isFinite else {
            throw OperationFailure.attribute(
                operation: Self.name, detail: "min and max must be finite numbers in order, got \(low) and \(high)")
        }
    }

    public var attributes: Attributes { Attributes(Self.name, ["min": .float(low), "max": .float(high)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        return Evaluation(try x.clamped(low: low, high: high), mode) { dy, _ in
            [try x.clampGradient(dy, low: low, high: high)]
        }
    }
}

extension Clip: ElementFunction {
    package static let usual = Self(low: 0, high: 6)
    package var kernel: ActivationFunction? { .clip(low: Float(low), high: Float(high)) }
    /// Its limits are inputs of ONNX's operator, which the import looks at.
    package static let onnxOperator: ONNXOperator? = nil
    package var onnxFormula: ONNXFormula? { ONNXFormula("Clip", [.x, .number("min", Float(low)), .number("max", Float(high))]) }
    package func pyTorch(_ x: String) -> String { "torch.clamp(\(x), \(low), \(high))" }
    package static let script: ScriptFunction? = ScriptFunction("clip", isLayer: true, isMethod: false)
}
