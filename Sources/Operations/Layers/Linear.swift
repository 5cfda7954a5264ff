public import Tensors

/// y = x · wᵀ (+ b).
///
/// - Shape: x [N, I], w [O, I], b [O], y [N, O].
public struct Linear: Operation {
    public static let name = "linear"
    public var hasBias: Bool

    public init(hasBias: Bool) { self.hasBias = hasBias }
    public init(attributes: Attributes) throws { hasBias = try attributes.bool("bias") }
    public var attributes: Attributes { Attributes(Self.name, ["bias": .bool(hasBias)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        let count = hasBias ? 3 : 2
        try requireInputs(inputs.count, count...count)
        guard inputs[0].rank == 2, inputs[1].rank == 2, inputs[0][1] == inputs[1][1] else {
            throw OperationFailure.shapes(
                operation: name, detail: "needs an input [N, I] and a weight [O, I], but got \(inputs[0]) and \(inputs[1])")
        }
        if hasBias, inputs[2] != [inputs[1][0]] {
            throw OperationFailure.shapes(operation: name, detail: "bias \(inputs[2]) is not [\(inputs[1][0])]")
        }
        return [[inputs[0][0], inputs[1][0]]]
    }

    /// I · O per image.
    public func macCount(inputs: [Shape], outputs: [Shape]) -> Int {
        Counts.product([outputs[0].elementCount, inputs[1][1]])
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        _ = try outputShapes(of: inputs.map(\.shape))
        let (x, w) = (try inputs[0].contiguous(), inputs[1])
        var y = try x.matrixProduct(w.transposed())
        if hasBias { y = try y.adding(inputs[2]) }
        return Evaluation(y, mode) { dy, needed in
            var result: [Tensor?] = [
                needed[0] ? try dy.matrixProduct(w) : nil,
                needed[1] ? try dy.transposed().matrixProduct(x) : nil,
            ]
            if hasBias { result.append(needed[2] ? try dy.sum(along: 0) : nil) }
            return result
        }
    }
}
