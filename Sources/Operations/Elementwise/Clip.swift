public import Tensors

/// min(max(x, low), high); ReLU6 with 0 and 6. Where x reaches a limit, the gradient is 0.
public struct Clip: GraphOperation {
    public static let name = "clip"
    public var low: Double
    public var high: Double

    public init(low: Double, high: Double) {
        self.low = low
        self.high = high
    }

    public init(attributes: Attributes) throws {
        low = try attributes.float("min")
        high = try attributes.float("max")
        guard low <= high, low.isFinite, high.isFinite else {
            throw OperationFailure.attribute(
                operation: Self.name, detail: "needs finite min ≤ max, but got \(low) and \(high)")
        }
    }

    public var attributes: Attributes { Attributes(Self.name, ["min": .float(low), "max": .float(high)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let x = inputs[0]
        return Evaluation(try x.clamped(low: low, high: high), mode) { dy, _ in
            [try x.clampGradient(dy, low: low, high: high)]
        }
    }
}
