import Basics
public import Tensors

/// Training sets elements to zero at random and scales the others by 1 / (1 − p); inference changes nothing.
///
/// Which ones are zero follows from the seed and from how many passes there were. That count is an input, state like
/// the running statistics of a batch norm: it is saved with a checkpoint, so that a run resumes bit for bit.
/// - Shape: x and y any; count [1].
/// - Reference: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, *Dropout: A Simple Way to Prevent Neural
///   Networks from Overfitting*, JMLR 15, 2014.
public struct Dropout: GraphOperation {
    public static let name = "dropout"
    public static let traits = OperationTraits(finishesLayer: false, inference: .evaluation)
    /// The share of elements that become zero.
    public var probability: Double
    public var seed: Int

    public init(probability: Double, seed: Int) {
        self.probability = probability
        self.seed = seed
    }

    public init(attributes: Attributes) throws {
        probability = try attributes.float("probability")
        seed = try attributes.int("seed")
        guard probability >= 0, probability < 1 else {
            throw OperationFailure.attribute(
                operation: Self.name, detail: "probability must be at least 0 and below 1, but is \(probability)")
        }
    }

    public var attributes: Attributes {
        Attributes(Self.name, ["probability": .float(probability), "seed": .int(seed)])
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 2...2)
        guard inputs[1] == [1] else {
            throw OperationFailure.shapes(operation: name, detail: "the count must have shape [1], but has \(inputs[1])")
        }
        return [inputs[0]]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        guard mode.isTraining, probability > 0 else { return Evaluation(inputs[0], mode) { dy, _ in [dy, nil] } }
        // A count from a file may be anything; what is none starts anew.
        let count = max(0, try inputs[1].array(of: Float.self)[0])
        let mask = try mask(inputs[0].shape, count: count)
        // Whole numbers are exact in float32 up to here; then the masks repeat.
        let next = try Tensor.full([1], Double(count + 1 < 0x1p24 ? count + 1 : 0))
        return Evaluation(
            [try inputs[0].multiplying(mask)], stateUpdates: [(1, next)],
            pullback: mode.recordsGradient
                ? { gradients, needed in
                    [needed[0] ? try gradients[0]?.total().multiplying(mask) : nil, nil]
                } : nil)
    }

    /// 0 or 1 / (1 − p) per element, each from its own place in the sequence, so that all threads can share the work.
    private func mask(_ shape: Shape, count: Float) throws -> Tensor {
        let pass = count < 0x1p24 ? UInt64(count) : 0
        let random = CounterRandom(RandomSource(seed: UInt64(bitPattern: Int64(seed))).stream(pass))
        let (kept, share) = (Float(1 / (1 - probability)), Float(probability))
        let mask = try Tensor(uninitialized: shape)
        withExtendedLifetime(mask.storage) {
            let values = mask.base(Float.self)
            parallelFor(mask.elementCount, grain: Elementwise.grain) {
                for i in $0 { values[i] = random.uniform(at: i) < share ? 0 : kept }
            }
        }
        return mask
    }
}
