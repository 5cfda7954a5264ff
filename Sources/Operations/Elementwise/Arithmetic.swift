public import Tensors

/// a − b, broadcast.
public struct Subtract: PlainOperation {
    public static let name = "subtract"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        return [try Shape.broadcast(inputs[0], inputs[1], operation: name)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (a, b) = (inputs[0].shape, inputs[1].shape)
        return Evaluation(try inputs[0].subtracting(inputs[1]), mode) { dy, needed in
            [needed[0] ? try dy.summed(to: a) : nil, needed[1] ? try dy.negated().summed(to: b) : nil]
        }
    }
}

/// a · b element by element, broadcast.
public struct Multiply: PlainOperation {
    public static let name = "multiply"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        return [try Shape.broadcast(inputs[0], inputs[1], operation: name)]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (a, b) = (inputs[0], inputs[1])
        return Evaluation(try a.multiplying(b), mode) { dy, needed in
            [
                needed[0] ? try dy.multiplying(b).summed(to: a.shape) : nil,
                needed[1] ? try dy.multiplying(a).summed(to: b.shape) : nil,
            ]
        }
    }
}

/// factor · x.
public struct Scale: GraphOperation {
    public static let name = "scale"
    public static let traits = OperationTraits(finishesLayer: false, inference: .elementFunction)
    public var factor: Double

    public init(factor: Double) { self.factor = factor }
    public init(attributes: Attributes) throws {
        factor = try attributes.float("factor")
        guard factor.isFinite else {
            throw OperationFailure.attribute(operation: Self.name, detail: "factor \(factor) is not finite")
        }
    }
    public var attributes: Attributes { Attributes(Self.name, ["factor": .float(factor)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return inputs
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        Evaluation(try inputs[0].multiplying(factor), mode) { dy, _ in [try dy.multiplying(factor)] }
    }
}

extension Scale: ElementFunction {
    package static let usual = Self(factor: 1)
    package var kernel: ActivationFunction? { .line(slope: Float(factor), offset: 0) }
    package static let onnxOperator: ONNXOperator? = nil
    package var onnxFormula: ONNXFormula? { ONNXFormula("Mul", [.x, .number("factor", Float(factor))]) }
    package func pyTorch(_ x: String) -> String { "\(x) * \(factor)" }
    package static let script: ScriptFunction? = nil
}

/// The sum of all elements, or their mean.
///
/// - Shape: any to a scalar.
public struct Sum: GraphOperation {
    public static let name = "sum"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    public var isMean: Bool

    public init(isMean: Bool) { self.isMean = isMean }
    public init(attributes: Attributes) throws { isMean = try attributes.bool("mean") }
    public var attributes: Attributes { Attributes(Self.name, ["mean": .bool(isMean)]) }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        return [[]]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let shape = inputs[0].shape
        let divisor = isMean ? Double(max(1, shape.elementCount)) : 1
        return Evaluation(try .full([], inputs[0].total() / divisor), mode) { dy, _ in
            [try .full(shape, dy.scalar() / divisor)]
        }
    }
}

/// The matrix product; leading dimensions are stacks of matrices and broadcast.
///
/// - Shape: […, m, k] · […, k, n] to […, m, n].
public struct MatrixMultiply: PlainOperation {
    public static let name = "matmul"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)

    public init() {}

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        return [try Tensor.productShape(inputs[0], inputs[1])]
    }

    public func macCount(inputs: [Shape], outputs: [Shape]) -> Int {
        Counts.product(outputs[0].dims + [inputs[0].dims.last ?? 0])
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let (a, b) = (inputs[0], inputs[1])
        return Evaluation(try a.batchedProduct(b), mode) { dy, needed in
            [
                needed[0] ? try dy.batchedProduct(b.matricesTransposed()).summed(to: a.shape) : nil,
                needed[1] ? try a.matricesTransposed().batchedProduct(dy).summed(to: b.shape) : nil,
            ]
        }
    }
}

extension Tensor {
    /// The last two dimensions exchanged.
    fileprivate func matricesTransposed() throws -> Tensor {
        try permuted(Array(0..<rank - 2) + [rank - 1, rank - 2])
    }
}
