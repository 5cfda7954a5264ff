public import Graphs
public import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// Adam: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², p ← p − η · m̂ / (√v̂ + ε), with m̂ and v̂ corrected for their start
/// at zero. Weight decay is added to the gradient, or taken off the parameter directly when decoupled (AdamW).
///
/// - Reference: Kingma, Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015, arXiv:1412.6980, algorithm 1;
///   Loshchilov, Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019, arXiv:1711.05101.
public struct Adam: Optimizer {
    public var learningRate: Double
    public let betas: (Double, Double)
    public let epsilon: Double
    public let weightDecay: Double
    public let isDecoupled: Bool
    public private(set) var stepCount = 0
    private var moments: [String: (first: Tensor, second: Tensor)] = [:]

    public init(
        learningRate: Double, betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8, weightDecay: Double = 0,
        isDecoupled: Bool = false
    ) throws {
        guard (0..<1).contains(betas.0), (0..<1).contains(betas.1), epsilon > 0 else {
            throw TrainingFailure.invalidOption(
                name: "betas", detail: "must be in 0..<1 with epsilon > 0, but are \(betas) and \(epsilon)")
        }
        guard weightDecay >= 0, weightDecay.isFinite else {
            throw TrainingFailure.invalidOption(name: "weight_decay", detail: "must not be negative, but is \(weightDecay)")
        }
        self.learningRate = learningRate
        self.betas = betas
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.isDecoupled = isDecoupled
    }

    public mutating func step(_ parameters: inout ParameterTable, gradients: [String: Tensor]) throws {
        var moments = moments
        let time = Double(stepCount + 1)
        let size = Float(learningRate / (1 - pow(betas.0, time)))
        let secondScale = Float(1 / (1 - pow(betas.1, time)).squareRoot())
        let (b1, b2, tiny) = (Float(betas.0), Float(betas.1), Float(epsilon))
        let decay = isDecoupled ? 0 : Float(weightDecay)
        let shrink = isDecoupled ? Float(1 - learningRate * weightDecay) : 1
        try forEachGradient(&parameters, gradients) { name, parameter, gradient in
            let before = try moments[name] ?? (.zeros(parameter.shape), .zeros(parameter.shape))
            try requireFit(before.first, "moments", of: name, parameter)
            let after = (first: try Tensor(uninitialized: parameter.shape), second: try Tensor(uninitialized: parameter.shape))
            let updated = try Tensor(uninitialized: parameter.shape)
            let plain = try parameter.contiguous()
            withExtendedLifetime((plain.storage, gradient.storage, before, after)) {
                let (p, g, new) = (plain.base(Float.self), gradient.base(Float.self), updated.base(Float.self))
                let (m, v) = (before.first.base(Float.self), before.second.base(Float.self))
                let (m2, v2) = (after.first.base(Float.self), after.second.base(Float.self))
                for i in 0..<parameter.elementCount {
                    let d = g[i] + decay * p[i]
                    m2[i] = b1 * m[i] + (1 - b1) * d
                    v2[i] = b2 * v[i] + (1 - b2) * d * d
                    new[i] = shrink * p[i] - size * m2[i] / (v2[i].squareRoot() * secondScale + tiny)
                }
            }
            moments[name] = after
            return (updated, [after.first, after.second])
        }
        self.moments = moments
        stepCount += 1
    }

    public var state: [(name: String, tensor: Tensor)] {
        moments.sorted { $0.key < $1.key }.flatMap {
            [("first/" + $0.key, $0.value.first), ("second/" + $0.key, $0.value.second)]
        }
    }

    public mutating func restore(state: [String: Tensor], stepCount: Int) throws {
        guard stepCount >= 0 else { throw TrainingFailure.optimizerState(detail: "it counts \(stepCount) steps") }
        var moments: [String: (first: Tensor, second: Tensor)] = [:]
        for (name, first) in state where name.hasPrefix("first/") {
            let parameter = String(name.dropFirst("first/".count))
            guard let second = state["second/" + parameter], second.shape == first.shape, first.dtype == .float32,
                second.dtype == .float32
            else {
                throw TrainingFailure.optimizerState(detail: "the second moment of '\(parameter)' is missing or does not fit")
            }
            moments[parameter] = (try first.contiguous(), try second.contiguous())
        }
        guard moments.count * 2 == state.count else {
            throw TrainingFailure.optimizerState(detail: "it holds tensors that are none of Adam's")
        }
        self.moments = moments
        self.stepCount = stepCount
    }
}
