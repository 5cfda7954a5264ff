public import Tensors

/// a / b, broadcast.
public struct Divide: PlainOperation {
    public static let name = "divide"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        return [try Shape.broadcast(inputs[0], inputs[1], operation: name)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (a, b) = (inputs[0], inputs[1])
        let y = try a.dividing(b)
        return Evaluation(y, mode) { dy, needed in
            let da = try dy.dividing(b)
            return [
                needed[0] ? try da.summed(to: a.shape) : nil,
                needed[1] ? try da.multiplying(y).negated().summed(to: b.shape) : nil,
            ]
        }
    }
}

/// aᵇ, broadcast. A square or a root, where the exponent is that one number, is taken as such.
public struct Power: PlainOperation {
    public static let name = "power"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        return [try Shape.broadcast(inputs[0], inputs[1], operation: name)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (a, b) = (inputs[0], inputs[1])
        let y = try a.combined(.power, b)
        return Evaluation(y, mode) { dy, needed in
            let da = needed[0] ? try dy.multiplying(b).multiplying(a.combined(.power, b.adding(-1))) : nil
            let db = needed[1] ? try dy.multiplying(y).multiplying(a.logarithm()) : nil
            return [try da?.summed(to: a.shape), try db?.summed(to: b.shape)]
        }
    }
}

/// √x.
public struct SquareRoot: PlainOperation {
    public static let name = "sqrt"
    public static let traits = OperationTraits(finishesLayer: false, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let y = try inputs[0].squareRoot()
        return Evaluation(y, mode) { dy, _ in [try ElementLoops.map(y, dy, name) { 0.5 * $1 / $0 }] }
    }
}

extension SquareRoot: ElementFunction {
    package var kernel: ActivationFunction? { nil }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Sqrt")
    package func pyTorch(_ x: String) -> String { "torch.sqrt(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("sqrt", isLayer: false, isMethod: true)
}

/// 2/√π ∫₀ˣ e^(−t²) dt.
public struct ErrorFunction: PlainOperation {
    public static let name = "erf"
    public static let traits = OperationTraits(finishesLayer: false, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        let y = try ElementLoops.map(x, name) { SmoothFunctions.errorFunction($0) }
        return Evaluation(y, mode) { dy, _ in
            [try ElementLoops.map(x, dy, name) { $1 * 1.128_379_2 * SmoothFunctions.exponential(-$0 * $0) }]
        }
    }
}

extension ErrorFunction: ElementFunction {
    package var kernel: ActivationFunction? { nil }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Erf")
    package func pyTorch(_ x: String) -> String { "torch.erf(\(x))" }
    package static let script: ScriptFunction? = nil
}

/// The whole part of x, towards zero. Its slope is 0, so no gradient passes.
public struct Trunc: PlainOperation {
    public static let name = "truncate"
    public static let traits = OperationTraits(finishesLayer: false, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let y = try ElementLoops.map(inputs[0], name) { $0.rounded(.towardZero) }
        return Evaluation(y, mode) { dy, _ in [try .zeros(dy.shape)] }
    }
}

extension Trunc: ElementFunction {
    package var kernel: ActivationFunction? { nil }
    package static let onnxOperator: ONNXOperator? = nil
    /// To int64 and back to float32.
    package var onnxFormula: ONNXFormula? { ONNXFormula("Cast", [.made(.init("Cast", [.x], ["to": .int(7)]))], ["to": .int(1)]) }
    package func pyTorch(_ x: String) -> String { "torch.trunc(\(x))" }
    package static let script: ScriptFunction? = nil
}
