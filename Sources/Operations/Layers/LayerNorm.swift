public import Tensors

/// Normalisation of each sample over its last dimensions: y = (x − μ) / √(σ² + ε) · γ + β.
///
/// - Shape: x and y […, d₁, …, d_k]; γ and β [d₁, …, d_k].
/// - Reference: Ba, Kiros, Hinton, *Layer Normalization*, 2016, arXiv:1607.06450.
public struct LayerNorm: GraphOperation {
    public static let name = "layer_norm"
    public static let traits = OperationTraits(finishesLayer: true, inference: .evaluation)
    /// How many of the last dimensions are normalised together.
    public var dimensionCount: Int
    public var epsilon: Double
    public var hasBias: Bool

    public init(dimensionCount: Int = 1, epsilon: Double = 1e-5, hasBias: Bool = true) {
        self.dimensionCount = dimensionCount
        self.epsilon = epsilon
        self.hasBias = hasBias
    }

    public init(attributes: Attributes) throws {
        dimensionCount = try attributes.int("dims")
        epsilon = try attributes.finite("epsilon")
        hasBias = try attributes.bool("bias")
        guard dimensionCount >= 1 else { throw attributes.refused("dims", "\(dimensionCount) is less than 1") }
        guard epsilon >= 0 else { throw attributes.refused("epsilon", "\(epsilon) is negative") }
    }

    public var attributes: Attributes {
        Attributes(Self.name, ["dims": .int(dimensionCount), "epsilon": .float(epsilon), "bias": .bool(hasBias)])
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        let count = hasBias ? 3 : 2
        try requireInputs(inputs.count, count...count)
        let x = inputs[0]
        guard x.rank >= dimensionCount, inputs[1...].allSatisfy({ $0.dims == Array(x.dims.suffix(dimensionCount)) }) else {
            throw OperationFailure.shapes(
                operation: name,
                detail: "weights \(inputs[1]) are not the last \(dimensionCount) dimension(s) of \(x)")
        }
        return [x]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: inputs.map(\.shape))
        for input in inputs { try input.requireType(.float32, name) }
        let (x, scale) = (try inputs[0].contiguous(), try inputs[1].contiguous())
        let shift = hasBias ? try inputs[2].contiguous() : nil
        let width = scale.elementCount
        let rows = width == 0 ? 0 : x.elementCount / width
        let normalized = try Tensor(uninitialized: [rows, width])
        let inverses = try Tensor(uninitialized: [rows, 1])
        let y = try Tensor(uninitialized: x.shape)
        let epsilon = epsilon
        withExtendedLifetime((x.storage, scale.storage, shift?.storage)) {
            let (from, hat, to) = (x.base(Float.self), normalized.base(Float.self), y.base(Float.self))
            let (inverse, gamma, beta) = (inverses.base(Float.self), scale.base(Float.self), shift?.base(Float.self))
            parallelFor(rows, grain: max(1, Elementwise.grain / max(1, width))) {
                for row in $0 {
                    let (source, target, out) = (from + row * width, hat + row * width, to + row * width)
                    inverse[row] = Self.normalize(source, into: target, width, epsilon)
                    if let beta {
                        for i in 0..<width { out[i] = target[i] * gamma[i] + beta[i] }
                    } else {
                        for i in 0..<width { out[i] = target[i] * gamma[i] }
                    }
                }
            }
        }
        return Evaluation(y, mode) { gradient, needed in
            let dy = try gradient.reshaped([rows, width])
            let dScale = needed[1] ? try dy.multiplying(normalized).sum(along: 0).reshaped(scale.shape) : nil
            let dx = needed[0] ? try Self.gradient(dy.multiplying(scale.reshaped([width])), normalized, inverses) : nil
            let result = [try dx?.reshaped(x.shape), dScale]
            return hasBias ? result + [needed[2] ? try dy.sum(along: 0).reshaped(scale.shape) : nil] : result
        }
    }

    /// (x − μ) / √(σ² + ε) of one row; gives 1 / √(σ² + ε).
    private static func normalize(
        _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ width: Int, _ epsilon: Double
    ) -> Float {
        let mean = Float(RowSums.sum(x, width) / Double(width))
        for i in 0..<width { y[i] = x[i] - mean }
        let centered = UnsafeBufferPointer(start: UnsafePointer(y), count: width)
        let inverse = Float(1 / (Vectors.dot(centered, centered) / Double(width) + epsilon).squareRoot())
        for i in 0..<width { y[i] *= inverse }
        return inverse
    }

    /// (g − mean(g) − x̂ · mean(g · x̂)) / √(σ² + ε), with g = dy · γ.
    private static func gradient(_ g: Tensor, _ normalized: Tensor, _ inverses: Tensor) throws -> Tensor {
        let along = try g.multiplying(normalized).mean(along: 1, keeping: true)
        return try g.subtracting(g.mean(along: 1, keeping: true)).subtracting(normalized.multiplying(along))
            .multiplying(inverses)
    }
}
