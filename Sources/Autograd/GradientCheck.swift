import Basics
public import Operations
public import Tensors

/// Compares an operation's gradient with central differences.
///
/// With a fixed random u, L = Σ u·y is a scalar of the inputs; its gradient along a random direction v is compared
/// with (L(x + hv) − L(x − hv)) / 2h. Directions instead of single elements keep float32 rounding in check.
public struct GradientCheck {
    /// The largest |difference| / (|analytic| + |numeric| + floor) seen, per input.
    public let relativeErrors: [Double?]

    /// - Parameters:
    ///   - differentiable: which inputs are checked.
    ///   - step: h, in units of the inputs.
    public init(
        _ operation: any GraphOperation, inputs: [Tensor], differentiable: [Bool], isTraining: Bool = true,
        step: Double = 1e-2, directions: Int = 4, seed: UInt64 = 1
    ) throws {
        var random = RandomSource(seed: seed)
        let tape = Tape()
        let variables = zip(inputs, differentiable).map { tape.variable($0, requiresGradient: $1) }
        guard let output = try tape.apply(operation, variables, isTraining: isTraining).first else {
            throw AutogradFailure.noRule(operation: operation.name)
        }
        let weights = try Tensor.normal(output.tensor.shape, using: &random)
        let product = try tape.apply(Multiply(), [output, tape.variable(weights)])
        let loss = try tape.apply(Sum(isMean: false), product)
        let gradients = try tape.gradients(of: loss[0])

        func value(_ inputs: [Tensor]) throws -> Double {
            let mode = EvaluationMode(isTraining: isTraining, recordsGradient: false)
            return try operation.evaluate(inputs, mode).outputs[0].contiguous().multiplying(weights).total()
        }
        relativeErrors = try inputs.indices.map { i in
            guard differentiable[i] else { return nil }
            guard let gradient = gradients[variables[i]] else { throw AutogradFailure.noRule(operation: operation.name) }
            var worst = 0.0
            for _ in 0..<directions {
                let direction = try Tensor.normal(inputs[i].shape, using: &random)
                let analytic = try gradient.contiguous().multiplying(direction).total()
                var moved = inputs
                moved[i] = try inputs[i].adding(direction.multiplying(step))
                let above = try value(moved)
                moved[i] = try inputs[i].adding(direction.multiplying(-step))
                let numeric = (above - (try value(moved))) / (2 * step)
                worst = max(worst, abs(analytic - numeric) / (abs(analytic) + abs(numeric) + 0.1))
            }
            return worst
        }
    }
}
