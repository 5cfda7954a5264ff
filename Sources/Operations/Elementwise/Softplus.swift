public import Tensors

/// log(1 + eˣ).
public struct Softplus: PlainOperation {
    public static let name = "softplus"
    public static let traits = OperationTraits(finishesLayer: true, inference: .elementFunction)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        let y = try ElementLoops.map(x, name) { max($0, 0) + Self.logarithm(onePlus: SmoothFunctions.exponential(-abs($0))) }
        return Evaluation(y, mode) { dy, _ in [try ElementLoops.map(x, dy, name) { $1 * SmoothFunctions.sigmoid($0) }] }
    }

    /// log(1 + t) for t in 0…1: twice the series of artanh(t / (2 + t)), whose terms shrink by 9 at least.
    @inline(__always)
    private static func logarithm(onePlus t: Float) -> Float {
        let z = t / (2 + t)
        let s = z * z
        var p: Float = 1 / 13
        p = p * s + 1 / 11
        p = p * s + 1 / 9
        p = p * s + 1 / 7
        p = p * s + 1 / 5
        p = p * s + 1 / 3
        p = p * s + 1
        return 2 * z * p
    }
}

extension Softplus: ElementFunction {
    package var kernel: ActivationFunction? { .softplus }
    package static let onnxOperator: ONNXOperator? = ONNXOperator("Softplus")
    package func pyTorch(_ x: String) -> String { "F.softplus(\(x))" }
    package static let script: ScriptFunction? = ScriptFunction("softplus", isLayer: true, isMethod: false)
}
