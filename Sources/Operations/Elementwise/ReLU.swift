public import Tensors

/// max(x, 0); a not-a-number stays one.
public struct ReLU: PlainOperation {
    public static let name = "relu"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let y = try inputs[0].rectified()
        return Evaluation(y, mode) { dy, _ in [try y.rectifierGradient(dy)] }
    }
}

extension ReLU: ElementFunction {
    package var kernel: ActivationFunction? { .rectifier() }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Relu")
    package func pyTorch(_ x: String) -> String { "F.relu(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("relu", isLayer: true, isMethod: true)
}
