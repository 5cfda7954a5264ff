import Basics
public import Operations
public import Tensors

/// A record of operations for one backward pass: reverse-mode differentiation on an explicit tape.
///
/// Values are entered by `variable`, computed by `apply`, and `gradients(of:)` walks the record once from the back.
/// It mutates no tensor, and frees what an operation kept as soon as its gradient is through.
public final class Tape {
    private struct Record {
        let operation: String
        /// Only the ids and flags are kept: what the gradient needs of the values, the pullback holds.
        let inputs: [(id: Int, requiresGradient: Bool)]
        let outputs: [Int]
        let pullback: Evaluation.Pullback
    }

    private var records: [Record] = []
    private var variableCount = 0
    /// Proposals for new values of state inputs (running statistics), in the order they were made.
    public private(set) var stateUpdates: [(variable: Variable, value: Tensor)] = []

    public init() {}

    /// Enters a value. Gradients are worked out for those that `requiresGradient`.
    public func variable(_ tensor: Tensor, requiresGradient: Bool = false) -> Variable {
        variableCount += 1
        return Variable(tensor: tensor, id: variableCount - 1, requiresGradient: requiresGradient)
    }

    /// Evaluates `operation` and records it where a gradient will be wanted.
    /// - Throws: what the operation throws for inputs that do not fit.
    public func apply(_ operation: any GraphOperation, _ inputs: [Variable], isTraining: Bool = true) throws -> [Variable] {
        _ = try operation.outputShapes(of: inputs.map(\.tensor.shape))
        let wanted = inputs.contains(where: \.requiresGradient)
        let mode = EvaluationMode(isTraining: isTraining, recordsGradient: wanted)
        let evaluation = try operation.evaluate(inputs.map(\.tensor), mode)
        let outputs = evaluation.outputs.map { variable($0, requiresGradient: wanted) }
        stateUpdates += evaluation.stateUpdates.map { (inputs[$0.input], $0.value) }
        if wanted, let pullback = evaluation.pullback {
            records.append(
                Record(
                    operation: operation.name, inputs: inputs.map { ($0.id, $0.requiresGradient) }, outputs: outputs.map(\.id),
                    pullback: pullback))
        }
        return outputs
    }

    /// ∂loss/∂v for every entered variable v that requires it. The tape is empty afterwards.
    /// - Throws: `AutogradFailure.notScalar` unless `loss` has one element; failures of the operations.
    public func gradients(of loss: Variable) throws -> Gradients {
        guard loss.tensor.elementCount == 1 else { throw AutogradFailure.notScalar(shape: loss.tensor.shape) }
        return try gradients(of: loss, weightedBy: .ones(loss.tensor.shape))
    }

    /// ∂(Σ weights · value)/∂v for every entered variable v that requires it: with ∂loss/∂value as the weights, the gradient of a
    /// loss that was worked out beside the tape. The tape is empty afterwards.
    /// - Parameter weights: of the shape of `value`.
    /// - Throws: `TensorFailure.shapeMismatch` for weights of another shape; failures of the operations.
    public func gradients(of value: Variable, weightedBy weights: Tensor) throws -> Gradients {
        guard weights.shape == value.tensor.shape else {
            throw TensorFailure.shapeMismatch(
                operation: "backward", detail: "the weights \(weights.shape) are not of the shape \(value.tensor.shape) of the value")
        }
        guard value.requiresGradient else { throw AutogradFailure.notRecorded }
        var values: [Int: IncomingGradient] = [value.id: IncomingGradient(weights)]
        while let record = records.popLast() {
            var outputs = record.outputs.map { values.removeValue(forKey: $0) }
            guard outputs.contains(where: { $0 != nil }) else { continue }
            try Cancellation.check()
            let needed = record.inputs.map(\.requiresGradient)
            let inputs = try located("gradient of " + record.operation) { try record.pullback(&outputs, needed) }
            for (variable, gradient) in zip(record.inputs, inputs) where variable.requiresGradient {
                guard let gradient else { throw AutogradFailure.noRule(operation: record.operation) }
                if try values[variable.id]?.add(gradient) == nil { values[variable.id] = IncomingGradient(gradient) }
            }
        }
        return Gradients(
            values: try values.mapValues { gradient in
                var gradient = gradient
                return try gradient.total()
            })
    }
}

/// A value on a tape.
public struct Variable: Sendable {
    public let tensor: Tensor
    let id: Int
    public let requiresGradient: Bool

    /// Distinguishes the values of one tape.
    public var identifier: Int { id }
}

/// The result of a backward pass.
public struct Gradients: Sendable {
    private let values: [Int: Tensor]

    init(values: [Int: Tensor]) { self.values = values }

    /// The gradient of an entered variable; `nil` when the loss does not depend on it.
    public subscript(_ variable: Variable) -> Tensor? { values[variable.id] }
}
