public import Tensors

/// x where positive, α · (eˣ − 1) elsewhere.
///
/// - Reference: Clevert, Unterthiner, Hochreiter, *Fast and Accurate Deep Network Learning by Exponential Linear Units*,
///   ICLR 2016, arXiv:1511.07289, eq. 15.
public struct ELU: GraphOperation {
    public static let name = "elu"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)
    public var alpha: Double

    public init(alpha: Double = 1) { self.alpha = alpha }
    public init(attributes: Attributes) throws { alpha = try attributes.finite("alpha") }
    public var attributes: Attributes { Attributes(Self.name, ["alpha": .float(alpha)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (x, alpha) = (inputs[0], Float(alpha))
        let y = try ElementLoops.map(x, name) { x in
            // eˣ − 1 by tanh(x / 2), which keeps the digits that the difference would lose around 0.
            let t = SmoothFunctions.hyperbolicTangent(0.5 * (x > 0 ? 0 : x))
            return x > 0 ? x : alpha * (2 * t / (1 - t))
        }
        return Evaluation(y, mode) { dy, _ in
            [try ElementLoops.map(x, dy, name) { $0 > 0 ? $1 : $1 * alpha * SmoothFunctions.exponential($0) }]
        }
    }
}

extension ELU: ElementFunction {
    package static let usual = Self()
    package var kernel: ActivationFunction? { .elu(alpha: Float(alpha)) }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Elu", [.number("alpha", attribute: "alpha", default: 1)])
    package func pyTorch(_ x: String) -> String { "F.elu(\(x), \(alpha))" }
    package static let script: ScriptFunction? = ScriptFunction("elu", isLayer: true, isMethod: false)
}
