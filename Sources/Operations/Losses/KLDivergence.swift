public import Tensors

/// The distillation loss T² · 1/N Σₙ KL(softmax(tₙ/T) ‖ softmax(sₙ/T)); the teacher's logits get no gradient.
///
/// - Shape: student s and teacher t [N, B], to a scalar.
/// - Reference: Hinton, Vinyals, Dean, *Distilling the Knowledge in a Neural Network*, 2015, arXiv:1503.02531.
public struct KLDivergence: GraphOperation {
    public static let name = "kl_divergence"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    /// T > 0.
    public var temperature: Double

    public init(temperature: Double = 1) { self.temperature = temperature }

    public init(attributes: Attributes) throws {
        temperature = try attributes.float("temperature")
        guard temperature > 0, temperature.isFinite else {
            throw OperationFailure.attribute(
                operation: Self.name, detail: "temperature \(temperature) is not positive and finite")
        }
    }

    public var attributes: Attributes { Attributes(Self.name, ["temperature": .float(temperature)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        guard inputs[0].rank == 2, inputs[0].elementCount > 0, inputs[0] == inputs[1] else {
            throw OperationFailure.shapes(
                operation: name, detail: "needs two equal shapes [N, B], but got \(inputs[0]) and \(inputs[1])")
        }
        return [[]]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: inputs.map(\.shape))
        let student = try inputs[0].multiplying(1 / temperature).logSoftmax()
        let teacher = try inputs[1].multiplying(1 / temperature).logSoftmax()
        let target = try teacher.exponential()
        let count = Double(inputs[0].shape[0])
        let loss = try target.multiplying(teacher.subtracting(student)).total() * temperature * temperature / count
        return Evaluation(try .full([], loss), mode) { dy, _ in
            let scale = try dy.scalar() * temperature / count
            return [try student.exponential().subtracting(target).multiplying(scale), nil]
        }
    }
}

/// The mean of (a − b)², for matching features; b gets no gradient.
///
/// - Shape: two equal shapes, to a scalar.
public struct MeanSquaredError: PlainOperation {
    public static let name = "mean_squared_error"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        guard inputs[0] == inputs[1], inputs[0].elementCount > 0 else {
            throw OperationFailure.shapes(
                operation: name, detail: "needs two equal shapes, but got \(inputs[0]) and \(inputs[1])")
        }
        return [[]]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: inputs.map(\.shape))
        let difference = try inputs[0].subtracting(inputs[1])
        let count = Double(difference.elementCount)
        let loss = try difference.withElements(of: Float.self) { Vectors.dot($0, $0) } / count
        return Evaluation(try .full([], loss), mode) { dy, _ in
            [try difference.multiplying(2 * dy.scalar() / count), nil]
        }
    }
}
