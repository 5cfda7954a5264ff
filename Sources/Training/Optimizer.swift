public import Graphs
public import Tensors

/// A rule that turns gradients into new parameter values.
///
/// Parameters are values: a step gives new tensors and changes none in place, so that a copy of a model stays what
/// it was. State (momenta, counts) is kept by parameter name, and can be saved and restored for exact resumption.
public protocol Optimizer: Sendable {
    /// Units of parameter change per unit of gradient; > 0. Schedules set it before each step.
    var learningRate: Double { get set }

    /// Changes every trainable parameter that has a gradient.
    /// - Throws: `TrainingFailure` when a gradient does not fit its parameter or holds values that are not finite, or when
    ///   the new values would not be; then nothing is changed.
    mutating func step(_ parameters: inout ParameterTable, gradients: [String: Tensor]) throws

    /// The tensors of the state by name, such as `momentum/conv1.weight`.
    var state: [(name: String, tensor: Tensor)] { get }

    /// Steps taken.
    var stepCount: Int { get }

    /// Restores what `state` and `stepCount` gave.
    /// - Throws: `TrainingFailure.optimizerState` for a state of another optimizer; then nothing is changed.
    mutating func restore(state: [String: Tensor], stepCount: Int) throws
}

extension Optimizer {
    /// Calls `update` with each trainable parameter and its gradient, and stores the new values it gives: all or, when
    /// one cannot be, none. Beside the value it gives what the optimizer will keep of the parameter.
    func forEachGradient(
        _ parameters: inout ParameterTable, _ gradients: [String: Tensor],
        _ update: (_ name: String, _ parameter: Tensor, _ gradient: Tensor) throws -> (value: Tensor, state: [Tensor])
    ) throws {
        guard learningRate.isFinite, learningRate >= 0 else { throw TrainingFailure.learningRate(learningRate) }
        var updated = parameters
        for name in parameters.trainableNames {
            guard let gradient = gradients[name], let parameter = parameters[name]?.tensor else { continue }
            guard gradient.shape == parameter.shape else {
                throw TrainingFailure.gradientShape(parameter: name, expected: parameter.shape, got: gradient.shape)
            }
            let plain = try gradient.contiguous()
            guard try plain.isFinite() else { throw TrainingFailure.gradientNotFinite(parameter: name) }
            let (value, state) = try update(name, parameter, plain)
            for tensor in [value] + state where try !tensor.isFinite() { throw TrainingFailure.updateNotFinite(parameter: name) }
            updated.update(name, value)
        }
        parameters = updated
    }

    /// - Throws: `optimizerState` unless a restored tensor fits its parameter.
    func requireFit(_ state: Tensor, _ kind: String, of name: String, _ parameter: Tensor) throws {
        guard state.shape == parameter.shape, state.dtype == .float32 else {
            throw TrainingFailure.optimizerState(
                detail: "the \(kind) of '\(name)' is \(state.dtype) \(state.shape), but the parameter \(parameter.shape)")
        }
    }
}

extension Tensor {
    /// Whether no element is infinite or not-a-number.
    fileprivate func isFinite() throws -> Bool {
        // The sum of finite floats is finite in double precision, so one look at it tells.
        try withElements(of: Float.self) { Vectors.sum($0) }.isFinite
    }
}
