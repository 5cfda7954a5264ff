public import Tensors

/// The same elements in another shape. One extent may be −1; an extent 0 stands for the input's.
public struct Reshape: GraphOperation {
    public static let name = "reshape"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    public var target: [Int]

    public init(target: [Int]) { self.target = target }

    public init(attributes: Attributes) throws {
        guard case .ints(let target)? = attributes.values["shape"], target.allSatisfy({ $0 >= -1 }) else {
            throw OperationFailure.attribute(operation: Self.name, detail: "attribute 'shape' must be whole numbers ≥ -1")
        }
        self.target = target
    }

    public var attributes: Attributes { Attributes(Self.name, ["shape": .ints(target)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        let input = inputs[0]
        var dims = target.enumerated().map { $1 == 0 && $0 < input.rank ? input[$0] : $1 }
        // Saturating, because the target may come from a file; what saturates fits no input.
        let known = Counts.product(dims.filter { $0 != -1 })
        if let open = dims.firstIndex(of: -1), known > 0 { dims[open] = input.elementCount / known }
        guard dims.allSatisfy({ $0 >= 0 }), Counts.product(dims) == input.elementCount else {
            throw OperationFailure.shapes(operation: name, detail: "\(input) cannot become \(Shape(target))")
        }
        return [Shape(dims)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let input = inputs[0].shape
        return Evaluation(try inputs[0].reshaped(outputShapes(of: [input])[0]), mode) { dy, _ in
            [try dy.reshaped(input)]
        }
    }
}

/// All dimensions behind the first as one.
///
/// - Shape: [N, …] to [N, product of the rest].
public struct Flatten: PlainOperation {
    public static let name = "flatten"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        guard inputs[0].rank >= 1 else {
            throw OperationFailure.shapes(operation: name, detail: "a scalar has no batch dimension")
        }
        return [[inputs[0][0], inputs[0].dims.dropFirst().reduce(1, *)]]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let input = inputs[0].shape
        return Evaluation(try inputs[0].reshaped(outputShapes(of: [input])[0]), mode) { dy, _ in
            [try dy.reshaped(input)]
        }
    }
}
