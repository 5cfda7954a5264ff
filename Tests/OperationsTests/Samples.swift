import Autograd
import Basics
import Operations
import Tensors

/// Tensors for tests, seeded by the place that asks.
enum Samples {
    static func normal(_ shape: Shape, seed: UInt64) throws -> Tensor {
        var random = RandomSource(seed: seed)
        return try .normal(shape, using: &random)
    }

    /// Values at least `gap` from each other and from zero, in random order: no step of a check crosses a kink.
    static func separated(_ shape: Shape, gap: Float = 0.1, seed: UInt64) throws -> Tensor {
        var random = RandomSource(seed: seed)
        var order = Array(0..<shape.elementCount)
        order.shuffle(using: &random)
        let middle = Float(shape.elementCount / 2)
        return try Tensor(order.map { (Float($0) - middle + 0.5) * gap }, shape: shape)
    }

    static func uniform(_ shape: Shape, low: Float, high: Float, seed: UInt64) throws -> Tensor {
        var random = RandomSource(seed: seed)
        return try .uniform(shape, low: low, high: high, using: &random)
    }
}

/// ‖a − b‖ / (‖b‖ + 1e-6).
func relativeDifference(_ a: Tensor, _ b: Tensor) throws -> Double {
    guard a.shape == b.shape else { return .infinity }
    return try a.contiguous().subtracting(b.contiguous()).norm() / (b.norm() + 1e-6)
}

/// The values of one small computation and the gradients of all its inputs, for L = Σ u·y with a fixed random u.
struct Traced {
    let value: Tensor
    let gradients: [Tensor]

    init(
        _ inputs: [Tensor], requires: [Bool]? = nil, isTraining: Bool = true,
        _ build: (Tape, [Variable]) throws -> Variable
    ) throws {
        let tape = Tape()
        let requires = requires ?? inputs.map { _ in true }
        let variables = zip(inputs, requires).map { tape.variable($0, requiresGradient: $1) }
        let output = try build(tape, variables)
        value = output.tensor
        let weights = tape.variable(try Samples.normal(output.tensor.shape, seed: 99))
        let product = try tape.apply(Multiply(), [output, weights])[0]
        let gradients = try tape.gradients(of: tape.apply(Sum(isMean: false), [product])[0])
        self.gradients = zip(variables, requires).compactMap { $1 ? gradients[$0] : nil }
    }
}
