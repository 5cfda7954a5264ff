public import Tensors

/// x · Φ(x), with Φ the distribution function of a standard normal variable; or its approximation by tanh.
///
/// - Reference: Hendrycks, Gimpel, *Gaussian Error Linear Units*, 2016, arXiv:1606.08415, eq. 2.
public struct GELU: GraphOperation {
    public static let name = "gelu"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)
    /// Whether ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) is meant.
    public var isApproximate: Bool

    public init(isApproximate: Bool = false) { self.isApproximate = isApproximate }
    public init(attributes: Attributes) throws { isApproximate = try attributes.bool("approximate") }
    public var attributes: Attributes { Attributes(Self.name, ["approximate": .bool(isApproximate)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        let y = try isApproximate ? ElementLoops.map(x, name) { $0 * 0.5 * (1 + Self.tanhOfCubic($0)) } : GaussianErrorLinear.forward(x)
        return Evaluation(y, mode) { dy, _ in
            [try isApproximate ? Self.gradientOfApproximation(x, dy) : GaussianErrorLinear.gradient(x, dy)]
        }
    }

    @inline(__always)
    private static func tanhOfCubic(_ x: Float) -> Float {
        SmoothFunctions.hyperbolicTangent(0.797_884_56 * (x + 0.044_715 * x * x * x))
    }

    private static func gradientOfApproximation(_ x: Tensor, _ dy: Tensor) throws -> Tensor {
        try ElementLoops.map(x, dy, name) { x, d in
            let t = tanhOfCubic(x)
            let inner = 0.797_884_56 * (1 + 3 * 0.044_715 * x * x)
            return d * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner)
        }
    }
}

extension GELU: ElementFunction {
    package static let usual = Self()
    package var kernel: ActivationFunction? { isApproximate ? .geluByTanh : .gelu }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Gelu", [.flag("approximate", attribute: "approximate", on: "tanh", off: "none")])

    /// The operator came with opset 20, which is later than what is written.
    package var onnxFormula: ONNXFormula? {
        let curve: ONNXFormula
        if isApproximate {
            let cube = ONNXFormula("Mul", [.made(.init("Mul", [.x, .x])), .x])
            let sum = ONNXFormula("Add", [.x, .made(.init("Mul", [.made(cube), .number("cubic", 0.044715)]))])
            curve = .init("Tanh", [.made(.init("Mul", [.made(sum), .number("root", 0.797_884_56)]))])
        } else {
            curve = .init("Erf", [.made(.init("Mul", [.x, .number("root", 0.707_106_78)]))])
        }
        let half = ONNXFormula("Mul", [.x, .number("half", 0.5)])
        return ONNXFormula("Mul", [.made(half), .made(.init("Add", [.made(curve), .number("one", 1)]))])
    }

    package func pyTorch(_ x: String) -> String { isApproximate ? "F.gelu(\(x), approximate=\"tanh\")" : "F.gelu(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("gelu", isLayer: true, isMethod: false)
}
