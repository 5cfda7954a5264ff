public import Tensors

/// One kind of computation: what a graph's nodes hold and what the tape records.
///
/// An operation is a value of attributes (stride, padding, …). It knows its shapes, its cost, its result and its
/// gradient; so a new operation is one file, listed in `OperationCatalog`. A function of one element is an
/// `ElementFunction`, which also says how files and scripts have it.
public protocol GraphOperation: Sendable {
    /// The name in graphs, messages and files, such as `conv2d`.
    static var name: String { get }

    /// What readers of graphs decide by where they do not know the type.
    static var traits: OperationTraits { get }

    /// What distinguishes this operation from others of its kind; enough to make it again.
    var attributes: Attributes { get }

    /// - Throws: `OperationFailure` when an attribute is missing, unknown or out of range.
    init(attributes: Attributes) throws

    /// The shapes of the outputs.
    /// - Throws: a failure that names the shapes which do not fit.
    func outputShapes(of inputs: [Shape]) throws -> [Shape]

    /// Multiply-accumulates for these shapes; 0 for what multiplies nothing by a weight.
    func macCount(inputs: [Shape], outputs: [Shape]) -> Int

    /// Computes the outputs, and the way back where `mode` records gradients.
    func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation
}

extension GraphOperation {
    public var name: String { Self.name }
    public func macCount(inputs: [Shape], outputs: [Shape]) -> Int { 0 }

    /// - Throws: `OperationFailure.inputCount` unless `count` lies in `allowed`.
    package func requireInputs(_ count: Int, _ allowed: ClosedRange<Int>) throws {
        guard allowed.contains(count) else {
            throw OperationFailure.inputCount(operation: name, got: count, allowed: allowed)
        }
    }
}

/// An operation without attributes.
public protocol PlainOperation: GraphOperation {
    init()
}

extension PlainOperation {
    public init(attributes: Attributes) throws { self.init() }
    public var attributes: Attributes { Attributes(Self.name) }
}

/// How an operation is to be evaluated.
public struct EvaluationMode: Sendable {
    /// Batch statistics instead of running ones.
    public var isTraining: Bool
    /// Whether a pullback is wanted.
    public var recordsGradient: Bool

    public init(isTraining: Bool, recordsGradient: Bool) {
        self.isTraining = isTraining
        self.recordsGradient = recordsGradient
    }

    public static let training = EvaluationMode(isTraining: true, recordsGradient: true)
    public static let inference = EvaluationMode(isTraining: false, recordsGradient: false)
}

/// The result of evaluating an operation.
public struct Evaluation {
    /// Gradients of the inputs from gradients of the outputs, which are used up. An output nobody used has `nil`; an
    /// input whose gradient is not needed, or has none, gives `nil`.
    public typealias Pullback = (_ outputs: inout [IncomingGradient?], _ isNeeded: [Bool]) throws -> [Tensor?]

    public let outputs: [Tensor]
    public let pullback: Pullback?
    /// New values for inputs that are state (running statistics): the input's position and its value.
    public let stateUpdates: [(input: Int, value: Tensor)]

    public init(
        _ outputs: [Tensor], stateUpdates: [(input: Int, value: Tensor)] = [], pullback: Pullback? = nil
    ) {
        self.outputs = outputs
        self.stateUpdates = stateUpdates
        self.pullback = pullback
    }

    /// For one output and a pullback that is only made when wanted.
    init(_ output: Tensor, _ mode: EvaluationMode, pullback: @escaping (Tensor, [Bool]) throws -> [Tensor?]) {
        outputs = [output]
        stateUpdates = []
        self.pullback =
            mode.recordsGradient
            ? { gradients, needed in
                guard let gradient = try gradients[0]?.total() else {
                    return [Tensor?](repeating: nil, count: needed.count)
                }
                return try pullback(gradient, needed)
            } : nil
    }

    /// Gradients of the inputs from that of the only output; `nil` where no gradient was recorded.
    package func gradients(from output: Tensor, needed: [Bool]) throws -> [Tensor?]? {
        var incoming: [IncomingGradient?] = [IncomingGradient(output)]
        return try pullback?(&incoming, needed)
    }
}
