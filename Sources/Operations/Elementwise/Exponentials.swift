public import Tensors

/// eˣ.
public struct Exponential: PlainOperation {
    public static let name = "exp"

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

/// The natural logarithm.
public struct Logarithm: PlainOperation {
    public static let name = "log"

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

/// |x|. Where x is 0 the gradient is 0.
public struct Abs: PlainOperation {
    public static let name = "abs"

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
