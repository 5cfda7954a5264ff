public import Tensors

/// x · tanh(log(1 + eˣ)).
///
/// - Reference: Misra, *Mish: A Self Regularized Non-Monotonic Activation Function*, BMVC 2020, arXiv:1908.08681, eq. 1.
public struct Mish: PlainOperation {
    public static let name = "mish"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        let y = try ElementLoops.map(x, name) { $0 * Self.gate($0) }
        return Evaluation(y, mode) { dy, _ in
            [
                try ElementLoops.map(x, dy, name) { x, d in
                    let gate = Self.gate(x)
                    return d * (gate + x * (1 - gate * gate) * SmoothFunctions.sigmoid(x))
                }
            ]
        }
    }

    /// tanh(log(1 + eˣ)) = (e²ˣ + 2eˣ) / (e²ˣ + 2eˣ + 2), which is 1 in float32 from 20 on.
    @inline(__always)
    private static func gate(_ x: Float) -> Float {
        let e = SmoothFunctions.exponential(x > 20 ? 20 : x)
        let n = e * (e + 2)
        return n / (n + 2)
    }
}

extension Mish: ElementFunction {
    package var kernel: ActivationFunction? { .mish }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Mish")
    /// The operator came with opset 18, which is later than what is written.
    package var onnxFormula: ONNXFormula? { ONNXFormula("Mul", [.x, .made(.init("Tanh", [.made(.init("Softplus", [.x]))]))]) }
    package func pyTorch(_ x: String) -> String { "F.mish(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("mish", isLayer: true, isMethod: false)
}
