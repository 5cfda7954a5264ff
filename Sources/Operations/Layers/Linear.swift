public import Tensors

/// y = x · wᵀ (+ b), for every position of a sequence alike.
///
/// - Shape: x [N, …, I], w [O, I], b [O], y [N, …, O].
public struct Linear: GraphOperation {
    public static let name = "linear"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)
    public var hasBias: Bool

    public init(hasBias: Bool) { self.hasBias = hasBias }
    public init(attributes: Attributes) throws { hasBias = try attributes.bool("bias") }
    public var attributes: Attributes { Attributes(Self.name, ["bias": .bool(hasBias)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        let count = hasBias ? 3 : 2
        try requireInputs(inputs.count, count...count)
        guard inputs[0].rank >= 2, inputs[1].rank == 2, inputs[0].dims.last == inputs[1][1] else {
            throw OperationFailure.shapes(
                operation: name, detail: "needs an input [N, …, I] and a weight [O, I], but got \(inputs[0]) and \(inputs[1])")
        }
        if hasBias, inputs[2] != [inputs[1][0]] {
            throw OperationFailure.shapes(operation: name, detail: "bias \(inputs[2]) is not [\(inputs[1][0])]")
        }
        return [Shape(inputs[0].dims.dropLast() + [inputs[1][0]])]
    }

    /// I · O per position.
    public func macCount(inputs: [Shape], outputs: [Shape]) -> Int {
        Counts.product([outputs[0].elementCount, inputs[1][1]])
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let output = try outputShapes(of: inputs.map(\.shape))[0]
        let input = inputs[0].shape
        let (x, w) = (try inputs[0].reshaped([-1, inputs[1].shape[1]]), inputs[1])
        var y = try x.matrixProduct(w.transposed())
        if hasBias { y = try y.adding(inputs[2]) }
        return Evaluation(try y.reshaped(output), mode) { gradient, needed in
            let dy = try gradient.reshaped([-1, w.shape[0]])
            var result: [Tensor?] = [
                needed[0] ? try dy.matrixProduct(w).reshaped(input) : nil,
                needed[1] ? try dy.transposed().matrixProduct(x) : nil,
            ]
            if hasBias { result.append(needed[2] ? try dy.sum(along: 0) : nil) }
            return result
        }
    }
}
