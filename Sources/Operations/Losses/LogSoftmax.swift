public import Tensors

/// xᵢ − log Σ exp(xⱼ) over the last dimension.
public struct LogSoftmax: PlainOperation {
    public static let name = "log_softmax"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let y = try inputs[0].logSoftmax()
        return Evaluation(y, mode) { dy, _ in
            [try dy.subtracting(y.exponential().multiplying(dy.sum(along: -1, keeping: true)))]
        }
    }
}
