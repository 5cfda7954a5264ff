public import Tensors

/// Every `step`-th element from `start` up to `end` (negative: counted from the back + 1, so −1 is the whole rest).
public struct Slice: GraphOperation, Equatable {
    public static let name = "slice"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)
    public var dimension: Int
    public var start: Int
    public var end: Int
    public var step: Int

    public init(dimension: Int, from start: Int = 0, to end: Int = -1, by step: Int = 1) {
        self.dimension = dimension
        self.start = start
        self.end = end
        self.step = step
    }

    public init(attributes: Attributes) throws {
        dimension = try attributes.int("dim")
        start = try attributes.int("start")
        end = try attributes.int("end")
        step = try attributes.int("step")
    }

    public var attributes: Attributes {
        Attributes(Self.name, ["dim": .int(dimension), "start": .int(start), "end": .int(end), "step": .int(step)])
    }

    private func range(of input: Shape) throws -> Range<Int> {
        let extent = dimension >= 0 && dimension < input.rank ? input[dimension] : -1
        let last = end < 0 ? extent + 1 + end : end
        guard extent >= 0, step >= 1, step < 1 << 20, start >= 0, start <= last, last <= extent else {
            throw OperationFailure.shapes(
                operation: name, detail: "\(start)..<\(end) by \(step) does not fit dimension \(dimension) of \(input)")
        }
        return start..<last
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        var dims = inputs[0].dims
        dims[dimension] = try (range(of: inputs[0]).count + step - 1) / step
        return [Shape(dims)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let input = inputs[0].shape
        let range = try range(of: input)
        let y = try inputs[0].sliced(dim: dimension, from: range.lowerBound, to: range.upperBound, by: step)
        return Evaluation(y, mode) { dy, _ in
            let dx = try Tensor.zeros(input)
            try dx.sliced(dim: dimension, from: range.lowerBound, to: range.upperBound, by: step).assign(dy)
            return [dx]
        }
    }
}
