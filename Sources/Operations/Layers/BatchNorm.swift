public import Tensors

/// Batch normalisation over N, H and W of each channel, or over N of each feature (+ residual), then ReLU where fused.
///
/// Training uses the batch's statistics and proposes new running ones,
/// running ← (1 − momentum) · running + momentum · batch (unbiased variance); otherwise the running ones are used.
/// - Shape: x, residual and y [N, C, H, W], or [N, C, …] of any other rank from 2; weight, bias, running mean and running variance [C].
/// - Reference: Ioffe, Szegedy, *Batch Normalization*, ICML 2015, arXiv:1502.03167.
public struct BatchNorm: GraphOperation {
    public static let name = "batch_norm"
    public static let traits = OperationTraits(finishesLayer: true, inference: .steps)

    public var epsilon: Double
    public var momentum: Double
    /// Whether the last input is added before the activation (made by fusion).
    public var addsResidual: Bool
    /// Whether ReLU follows at once (made by fusion).
    public var hasReLU: Bool

    public init(
        epsilon: Double = 1e-5, momentum: Double = 0.1, addsResidual: Bool = false, hasReLU: Bool = false
    ) {
        self.epsilon = epsilon
        self.momentum = momentum
        self.addsResidual = addsResidual
        self.hasReLU = hasReLU
    }

    public init(attributes: Attributes) throws {
        epsilon = try attributes.float("epsilon")
        momentum = try attributes.float("momentum")
        addsResidual = try attributes.bool("residual", default: false)  // files of version 0.1 have none
        hasReLU = try attributes.bool("relu")
        guard epsilon > 0, epsilon.isFinite, (0...1).contains(momentum) else {
            throw OperationFailure.attribute(
                operation: Self.name, detail: "needs epsilon > 0 and momentum in 0…1, but got \(epsilon) and \(momentum)")
        }
    }

    public var attributes: Attributes {
        Attributes(
            Self.name,
            [
                "epsilon": .float(epsilon), "momentum": .float(momentum), "residual": .bool(addsResidual),
                "relu": .bool(hasReLU),
            ])
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        let count = addsResidual ? 6 : 5
        try requireInputs(inputs.count, count...count)
        guard inputs[0].rank >= 2, inputs[1..<5].allSatisfy({ $0 == [inputs[0][1]] }) else {
            throw OperationFailure.shapes(
                operation: name,
                detail: "needs an input [N, C, …] and four vectors [C], but got \(inputs.map(\.description).joined(separator: ", "))")
        }
        if addsResidual, inputs[5] != inputs[0] {
            throw OperationFailure.shapes(operation: name, detail: "residual \(inputs[5]) is not the input \(inputs[0])")
        }
        return [inputs[0]]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: inputs.map(\.shape))
        guard inputs[0].rank == 4 else { return try evaluateAsImages(inputs, mode) }
        return mode.isTraining ? try evaluateOnBatch(inputs, mode) : try evaluateOnRunning(inputs, mode)
    }

    /// Vectors and sequences, as images [N, C, rest, 1].
    private func evaluateAsImages(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let shape = inputs[0].shape
        let image: Shape = [shape[0], shape[1], shape.dims.dropFirst(2).reduce(1, *), 1]
        var images = inputs
        for position in [0] + (addsResidual ? [5] : []) { images[position] = try inputs[position].reshaped(image) }
        let evaluation = try evaluate(images, mode)
        let output = try evaluation.outputs[0].reshaped(shape)
        guard let pullback = evaluation.pullback else { return Evaluation([output], stateUpdates: evaluation.stateUpdates) }
        return Evaluation([output], stateUpdates: evaluation.stateUpdates) { gradients, needed in
            var incoming = [try gradients[0]?.total().reshaped(image)].map { $0.map { IncomingGradient($0) } }
            return try pullback(&incoming, needed).enumerated().map { position, gradient in
                [0, 5].contains(position) ? try gradient?.reshaped(shape) : gradient
            }
        }
    }

    private func evaluateOnBatch(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (scale, shift) = (inputs[1], inputs[2])
        let count = inputs[0].elementCount / max(1, inputs[0].shape[1])
        guard count > 1 else {
            throw OperationFailure.shapes(
                operation: name, detail: "training needs more than one value per channel, but got \(inputs[0].shape)")
        }
        let (y, saved) = try BatchNormalization.forward(
            inputs[0], scale: scale, shift: shift, epsilon: Float(epsilon),
            residual: addsResidual ? inputs[5] : nil, hasReLU: hasReLU)
        let unbiased = Double(count) / Double(count - 1)
        let mean = try inputs[3].multiplying(1 - momentum).adding(saved.mean.multiplying(momentum))
        let variance = try inputs[4].multiplying(1 - momentum).adding(saved.variance.multiplying(momentum * unbiased))
        return Evaluation([y], stateUpdates: [(3, mean), (4, variance)], pullback: mode.recordsGradient ? pullback(saved) : nil)
    }

    private func pullback(_ saved: BatchNormalization.Saved) -> Evaluation.Pullback {
        { [addsResidual] gradients, needed in
            var parts = gradients[0]?.takeParts() ?? []
            guard !parts.isEmpty else { return [Tensor?](repeating: nil, count: needed.count) }
            let (dx, dScale, dShift, dResidual) = try BatchNormalization.backward(
                &parts, saved: saved, hasResidual: addsResidual)
            return [dx, dScale, dShift, nil, nil] + (addsResidual ? [dResidual] : [])
        }
    }

    private func evaluateOnRunning(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        guard !mode.recordsGradient else {
            let (y, saved) = try BatchNormalization.forward(
                inputs[0], scale: inputs[1], shift: inputs[2], statistics: (inputs[3], inputs[4]), epsilon: Float(epsilon),
                residual: addsResidual ? inputs[5] : nil, hasReLU: hasReLU)
            return Evaluation([y], pullback: pullback(saved))
        }
        var y = try BatchNormalization.inference(
            inputs[0], scale: inputs[1], shift: inputs[2], mean: inputs[3], variance: inputs[4], epsilon: Float(epsilon))
        if addsResidual { y = try y.adding(inputs[5]) }
        if hasReLU { y = try y.rectified() }
        return Evaluation([y])
    }
}

extension Tensor {
    /// Σ over N, H, W of an activation: [C].
    func sumOverBatchAndPixels() throws -> Tensor {
        try reshaped([shape[0], shape[1], -1]).sum(along: 2).sum(along: 0)
    }
}
