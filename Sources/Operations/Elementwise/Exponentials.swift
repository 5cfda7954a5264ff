public import Tensors

/// eˣ.
public struct Exponential: PlainOperation {
    public static let name = "exp"
    public static let traits = OperationTraits(finishesLayer: false, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let y = try inputs[0].exponential()
        return Evaluation(y, mode) { dy, _ in [try dy.multiplying(y)] }
    }
}

extension Exponential: ElementFunction {
    package var kernel: ActivationFunction? { nil }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Exp")
    package func pyTorch(_ x: String) -> String { "torch.exp(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("exp", isLayer: false, isMethod: true)
}

/// The natural logarithm.
public struct Logarithm: PlainOperation {
    public static let name = "log"
    public static let traits = OperationTraits(finishesLayer: false, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        return Evaluation(try x.logarithm(), mode) { dy, _ in [try dy.dividing(x)] }
    }
}

extension Logarithm: ElementFunction {
    package var kernel: ActivationFunction? { nil }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Log")
    package func pyTorch(_ x: String) -> String { "torch.log(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("log", isLayer: false, isMethod: true)
}

/// |x|. Where x is 0 the gradient is 0.
public struct Abs: PlainOperation {
    public static let name = "abs"
    public static let traits = OperationTraits(finishesLayer: false, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        return Evaluation(try x.magnitude(), mode) { dy, _ in
            [try ElementLoops.map(x, dy, name) { $0 > 0 ? $1 : ($0 < 0 ? -$1 : $0 * $1) }]
        }
    }
}

extension Abs: ElementFunction {
    package var kernel: ActivationFunction? { nil }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Abs")
    package func pyTorch(_ x: String) -> String { "torch.abs(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("abs", isLayer: false, isMethod: true)
}
