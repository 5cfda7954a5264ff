public import Tensors

/// The mean cross-entropy of logits against class labels, with label smoothing:
/// L = −1/N Σₙ Σ_c q_nc log softmax(xₙ)_c, q = (1 − s) · onehot + s / B.
///
/// - Shape: logits [N, B] float32, labels [N] int64, to a scalar.
/// - Reference: Szegedy et al., *Rethinking the Inception Architecture*, CVPR 2016, arXiv:1512.00567, §7.
public struct CrossEntropy: GraphOperation {
    public static let name = "cross_entropy"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    /// s in [0, 1).
    public var smoothing: Double

    public init(smoothing: Double = 0) { self.smoothing = smoothing }

    public init(attributes: Attributes) throws {
        smoothing = try attributes.float("smoothing")
        guard (0..<1).contains(smoothing) else {
            throw OperationFailure.attribute(operation: Self.name, detail: "smoothing \(smoothing) is not in 0..<1")
        }
    }

    public var attributes: Attributes { Attributes(Self.name, ["smoothing": .float(smoothing)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        guard inputs[0].rank == 2, inputs[0].elementCount > 0, inputs[1] == [inputs[0][0]] else {
            throw OperationFailure.shapes(
                operation: name, detail: "needs logits [N, B] and labels [N], but got \(inputs[0]) and \(inputs[1])")
        }
        return [[]]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: inputs.map(\.shape))
        let (count, classes) = (inputs[0].shape[0], inputs[0].shape[1])
        let labels = try inputs[1].array(of: Int64.self).map(Int.init)
        if let bad = labels.firstIndex(where: { $0 < 0 || $0 >= classes }) {
            throw OperationFailure.labelOutOfRange(label: labels[bad], position: bad, classCount: classes)
        }
        let logProbabilities = try inputs[0].logSoftmax()
        let spread = smoothing / Double(classes)
        let loss = try logProbabilities.withElements(of: Float.self) { p in
            var total = 0.0
            for n in 0..<count {
                total += (1 - smoothing) * Double(p[n * classes + labels[n]])
                if smoothing > 0 { for c in 0..<classes { total += spread * Double(p[n * classes + c]) } }
            }
            return -total / Double(count)
        }
        return Evaluation(try .full([], loss), mode) { dy, _ in
            let scale = try Float(dy.scalar() / Double(count))
            let dx = try logProbabilities.exponential()
            try dx.withMutableElements(of: Float.self) { g in
                for n in 0..<count {
                    for c in 0..<classes { g[n * classes + c] = scale * (g[n * classes + c] - Float(spread)) }
                    g[n * classes + labels[n]] -= scale * Float(1 - smoothing)
                }
            }
            return [dx, nil]
        }
    }
}
