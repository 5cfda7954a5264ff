public import Tensors

/// a + b, broadcast; then ReLU where fused.
public struct Add: GraphOperation {
    public static let name = "add"
    public static let traits = OperationTraits(finishesLayer: true, inference: .steps)
    /// Whether ReLU follows at once (made by fusion).
    public var hasReLU: Bool

    public init(hasReLU: Bool = false) { self.hasReLU = hasReLU }
    public init(attributes: Attributes) throws { hasReLU = try attributes.bool("relu") }
    public var attributes: Attributes { Attributes(Self.name, ["relu": .bool(hasReLU)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        return [try Shape.broadcast(inputs[0], inputs[1], operation: name)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (a, b) = (inputs[0].shape, inputs[1].shape)
        var y = hasReLU ? try Elementwise.rectifiedSum(inputs[0], inputs[1]) : nil
        if y == nil {
            y = try inputs[0].adding(inputs[1])
            if hasReLU { y = try y?.rectified() }
        }
        guard let y else { return Evaluation([]) }
        let output = hasReLU ? y : nil
        return Evaluation(y, mode) { gradient, needed in
            let dy = try output?.rectifierGradient(gradient) ?? gradient
            return [needed[0] ? try dy.summed(to: a) : nil, needed[1] ? try dy.summed(to: b) : nil]
        }
    }
}

extension Tensor {
    /// Undoes broadcasting: sums over the dimensions that were repeated to get here from `target`.
    func summed(to target: Shape) throws -> Tensor {
        if shape == target { return self }
        var result = self
        while result.rank > target.rank { result = try result.sum(along: 0) }
        for d in 0..<target.rank where target[d] == 1 && result.shape[d] != 1 {
            result = try result.sum(along: d, keeping: true)
        }
        return result
    }
}
