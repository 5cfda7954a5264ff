/// What a graph's readers have to know of an operation that they do not know by its type. Every operation states it, so
/// that none of them has to guess for a new one.
public struct OperationTraits: Hashable, Sendable {
    /// How a compiled program runs an operation.
    public enum Inference: Sendable {
        /// By steps on planned memory, which the compiler has for this very type.
        case steps
        /// By the kernel that the function of one element states; where it states none, as on a tape.
        case elementFunction
        /// As on a tape: by `evaluate`, which allocates its results.
        case evaluation
    }

    /// Whether it belongs to the layer before it, as normalisations, residual adds and activations do: scores then look at
    /// its result in place of the layer's own.
    public let finishesLayer: Bool
    public let inference: Inference

    public init(finishesLayer: Bool, inference: Inference) {
        self.finishesLayer = finishesLayer
        self.inference = inference
    }
}
