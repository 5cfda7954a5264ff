public import Tensors

/// The larger of two elements, or the smaller, broadcast; a not-a-number where either is one. The gradient goes to the
/// element that was taken, the first of equals.
public struct Extremum: GraphOperation {
    public static let name = "extremum"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    public var isMaximum: Bool

    public init(isMaximum: Bool) { self.isMaximum = isMaximum }
    public init(attributes: Attributes) throws { isMaximum = try attributes.bool("max") }
    public var attributes: Attributes { Attributes(Self.name, ["max": .bool(isMaximum)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        return [try Shape.broadcast(inputs[0], inputs[1], operation: name)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (a, b) = (inputs[0], inputs[1])
        let y = try a.combined(isMaximum ? .maximum : .minimum, b)
        return Evaluation(y, mode) { dy, needed in
            // 1 where the second was taken.
            let second = isMaximum ? try a.combined(.less, b) : try b.combined(.less, a)
            let da = needed[0] ? try ElementLoops.map(second, dy, name) { $0 > 0 ? 0 : $1 } : nil
            let db = needed[1] ? try ElementLoops.map(second, dy, name) { $0 > 0 ? $1 : 0 } : nil
            return [try da?.summed(to: a.shape), try db?.summed(to: b.shape)]
        }
    }
}
