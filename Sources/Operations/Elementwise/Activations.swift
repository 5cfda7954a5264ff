public import Tensors

/// 1 / (1 + e⁻ˣ).
public struct Sigmoid: PlainOperation {
    public static let name = "sigmoid"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let y = try inputs[0].sigmoid()
        return Evaluation(y, mode) { dy, _ in [try ElementLoops.map(y, dy, name) { $1 * $0 * (1 - $0) }] }
    }
}

extension Sigmoid: ElementFunction {
    package var kernel: ActivationFunction? { .sigmoid }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Sigmoid")
    package func pyTorch(_ x: String) -> String { "torch.sigmoid(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("sigmoid", isLayer: true, isMethod: true)
}

/// (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ).
public struct Tanh: PlainOperation {
    public static let name = "tanh"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let y = try inputs[0].hyperbolicTangent()
        return Evaluation(y, mode) { dy, _ in [try ElementLoops.map(y, dy, name) { $1 * (1 - $0 * $0) }] }
    }
}

extension Tanh: ElementFunction {
    package var kernel: ActivationFunction? { .tanh }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Tanh")
    package func pyTorch(_ x: String) -> String { "torch.tanh(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("tanh", isLayer: true, isMethod: true)
}

/// x where positive, slope · x elsewhere.
public struct LeakyReLU: GraphOperation {
    public static let name = "leaky_relu"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)
    public var slope: Double

    public init(slope: Double) { self.slope = slope }
    public init(attributes: Attributes) throws { slope = try attributes.finite("slope") }
    public var attributes: Attributes { Attributes(Self.name, ["slope": .float(slope)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (x, slope) = (inputs[0], Float(slope))
        let y = try ElementLoops.map(x, name) { $0 > 0 ? $0 : slope * $0 }
        return Evaluation(y, mode) { dy, _ in [try ElementLoops.map(x, dy, name) { $0 > 0 ? $1 : slope * $1 }] }
    }
}

extension LeakyReLU: ElementFunction {
    package static let usual = Self(slope: 0.01)
    package var kernel: ActivationFunction? { .rectifier(slope: Float(slope)) }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("LeakyRelu", [.number("alpha", attribute: "slope", default: 0.01)])
    package func pyTorch(_ x: String) -> String { "F.leaky_relu(\(x), \(slope))" }
    package static let script: ScriptFunction? = ScriptFunction("leaky_relu", isLayer: true, isMethod: false)
}

/// x where positive, slope · x elsewhere, with slopes that are learned.
///
/// - Shape: the slopes broadcast to x.
/// - Reference: He et al., *Delving Deep into Rectifiers*, ICCV 2015, arXiv:1502.01852, eq. 1.
public struct PReLU: PlainOperation {
    public static let name = "prelu"
    public static let traits = OperationTraits(finishesLayer: true, inference: .evaluation)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        guard try Shape.broadcast(inputs[0], inputs[1], operation: name) == inputs[0] else {
            throw OperationFailure.shapes(operation: name, detail: "slopes \(inputs[1]) do not broadcast to \(inputs[0])")
        }
        return [inputs[0]]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: inputs.map(\.shape))
        let x = inputs[0]
        let slopes = try inputs[1].broadcast(to: x.shape)
        let y = try ElementLoops.map(x, slopes, name) { $0 > 0 ? $0 : $0 * $1 }
        return Evaluation(y, mode) { dy, needed in
            let factor = try ElementLoops.map(x, slopes, name) { $0 > 0 ? 1 : $1 }
            let negative = try ElementLoops.map(x, name) { $0 > 0 ? 0 : $0 }
            return [
                needed[0] ? try dy.multiplying(factor) : nil,
                needed[1] ? try dy.multiplying(negative).summed(to: inputs[1].shape) : nil,
            ]
        }
    }
}

/// α · x + β limited to 0…1.
public struct HardSigmoid: GraphOperation {
    public static let name = "hard_sigmoid"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)
    public var alpha: Double
    public var beta: Double

    public init(alpha: Double, beta: Double) {
        self.alpha = alpha
        self.beta = beta
    }
    public init(attributes: Attributes) throws {
        alpha = try attributes.finite("alpha")
        beta = try attributes.finite("beta")
    }
    public var attributes: Attributes { Attributes(Self.name, ["alpha": .float(alpha), "beta": .float(beta)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (alpha, beta) = (Float(alpha), Float(beta))
        let y = try ElementLoops.map(inputs[0], name) { x in
            let line = alpha * x + beta
            return line < 0 ? 0 : (line > 1 ? 1 : line)
        }
        return Evaluation(y, mode) { dy, _ in
            [try ElementLoops.map(y, dy, name) { $0 <= 0 || $0 >= 1 ? 0 : alpha * $1 }]
        }
    }
}

extension HardSigmoid: ElementFunction {
    /// The line that PyTorch takes; ONNX's default is steeper.
    package static let usual = Self(alpha: 1.0 / 6, beta: 0.5)
    package var kernel: ActivationFunction? { .hardSigmoid(slope: Float(alpha), offset: Float(beta)) }
    package static let onnxOperator: ONNXOperator? = ONNXOperator(
        "HardSigmoid", [.number("alpha", attribute: "alpha", default: 0.2), .number("beta", attribute: "beta", default: 0.5)])
    package func pyTorch(_ x: String) -> String { "torch.clamp(\(x) * \(alpha) + \(beta), 0, 1)" }
    package static let script: ScriptFunction? = ScriptFunction("hard_sigmoid", isLayer: true, isMethod: false)
}

/// x · min(max(x / 6 + 1/2, 0), 1).
///
/// - Reference: Howard et al., *Searching for MobileNetV3*, ICCV 2019, arXiv:1905.02244, §5.2.
public struct HardSwish: PlainOperation {
    public static let name = "hard_swish"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        let y = try ElementLoops.map(x, name) { x in
            let gate = x * (1 / 6) + 0.5
            return x * (gate < 0 ? 0 : (gate > 1 ? 1 : gate))
        }
        return Evaluation(y, mode) { dy, _ in
            [try ElementLoops.map(x, dy, name) { $0 <= -3 ? 0 : ($0 >= 3 ? $1 : $1 * ($0 * (1 / 3) + 0.5)) }]
        }
    }
}

extension HardSwish: ElementFunction {
    package var kernel: ActivationFunction? { .hardSwish }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("HardSwish")
    package func pyTorch(_ x: String) -> String { "F.hardswish(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("hard_swish", isLayer: true, isMethod: false)
}

/// x · sigmoid(x), also called SiLU.
///
/// - Reference: Ramachandran, Zoph, Le, *Searching for Activation Functions*, 2017, arXiv:1710.05941, with β = 1.
public struct SiLU: PlainOperation {
    public static let name = "swish"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        let y = try ElementLoops.map(x, name) { $0 * SmoothFunctions.sigmoid($0) }
        return Evaluation(y, mode) { dy, _ in
            [
                try ElementLoops.map(x, dy, name) { x, d in
                    let gate = SmoothFunctions.sigmoid(x)
                    return d * (gate + x * gate * (1 - gate))
                }
            ]
        }
    }
}

extension SiLU: ElementFunction {
    package var kernel: ActivationFunction? { .swish }
    package static let onnxOperator: ONNXOperator? = nil
    package var onnxFormula: ONNXFormula? { ONNXFormula("Mul", [.x, .made(.init("Sigmoid", [.x]))]) }
    package func pyTorch(_ x: String) -> String { "F.silu(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("silu", isLayer: true, isMethod: false)
}

extension Attributes {
    /// A number that is neither infinite nor NaN.
    func finite(_ name: String) throws -> Double {
        let value = try float(name)
        guard value.isFinite else { throw refused(name, "must be a finite number, got \(value)") }
        return value
    }
}
