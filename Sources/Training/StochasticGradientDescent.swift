public import Graphs
public import Tensors

/// Stochastic gradient descent with momentum μ and L2 weight decay λ:
/// g ← g + λp, v ← μv + g, p ← p − η·v, or with Nesterov's momentum p ← p − η·(g + μv).
///
/// The first step starts from v = g. As PyTorch's `SGD` without dampening.
/// - Reference: Sutskever, Martens, Dahl, Hinton, *On the Importance of Initialization and Momentum in Deep Learning*,
///   ICML 2013.
public struct StochasticGradientDescent: Optimizer {
    public var learningRate: Double
    public let momentum: Double
    public let weightDecay: Double
    public let isNesterov: Bool
    public private(set) var stepCount = 0
    private var velocities: [String: Tensor] = [:]

    /// - Parameters:
    ///   - momentum: μ in [0, 1).
    ///   - weightDecay: λ ≥ 0.
    public init(learningRate: Double, momentum: Double = 0, weightDecay: Double = 0, isNesterov: Bool = false) throws {
        guard (0..<1).contains(momentum) else {
            throw TrainingFailure.invalidOption(name: "momentum", detail: "must be in 0..<1, but is \(momentum)")
        }
        guard weightDecay >= 0, weightDecay.isFinite else {
            throw TrainingFailure.invalidOption(name: "weight_decay", detail: "must not be negative, but is \(weightDecay)")
        }
        guard !isNesterov || momentum > 0 else {
            throw TrainingFailure.invalidOption(name: "nesterov", detail: "needs a momentum above 0")
        }
        self.learningRate = learningRate
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.isNesterov = isNesterov
    }

    public mutating func step(_ parameters: inout ParameterTable, gradients: [String: Tensor]) throws {
        var velocities = velocities
        let (rate, decay, momentum) = (Float(learningRate), Float(weightDecay), Float(momentum))
        try forEachGradient(&parameters, gradients) { name, parameter, gradient in
            let before = velocities[name]
            if let before { try requireFit(before, "momentum", of: name, parameter) }
            let velocity = try Tensor(uninitialized: parameter.shape)
            let updated = try Tensor(uninitialized: parameter.shape)
            let plain = try parameter.contiguous()
            withExtendedLifetime((plain.storage, gradient.storage, before?.storage, velocity.storage)) {
                let (p, g, new) = (plain.base(Float.self), gradient.base(Float.self), updated.base(Float.self))
                let v = velocity.base(Float.self)
                let old = before?.base(Float.self)
                for i in 0..<parameter.elementCount {
                    let d = g[i] + decay * p[i]
                    let speed = old.map { momentum * $0[i] + d } ?? d
                    v[i] = speed
                    new[i] = p[i] - rate * (isNesterov ? d + momentum * speed : speed)
                }
            }
            if momentum > 0 { velocities[name] = velocity }
            return (updated, [velocity])
        }
        self.velocities = velocities
        stepCount += 1
    }

    public var state: [(name: String, tensor: Tensor)] {
        velocities.sorted { $0.key < $1.key }.map { ("momentum/" + $0.key, $0.value) }
    }

    public mutating func restore(state: [String: Tensor], stepCount: Int) throws {
        guard stepCount >= 0 else { throw TrainingFailure.optimizerState(detail: "it counts \(stepCount) steps") }
        var velocities: [String: Tensor] = [:]
        for (name, tensor) in state {
            guard name.hasPrefix("momentum/"), tensor.dtype == .float32 else {
                throw TrainingFailure.optimizerState(detail: "'\(name)' is none of SGD's")
            }
            velocities[String(name.dropFirst("momentum/".count))] = try tensor.contiguous()
        }
        self.velocities = velocities
        self.stepCount = stepCount
    }
}
