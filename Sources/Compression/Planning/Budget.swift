public import Graphs

/// Limits that a compressed model must keep, all at once.
public struct Budget: Sendable, Equatable {
    /// What a limit counts.
    public enum Quantity: String, Sendable, CaseIterable {
        /// Elements of weights, biases and scales, frozen ones too.
        case parameters = "params"
        /// Multiply-accumulates per image.
        case macs
        /// Bytes of all tensors in the file.
        case bytes
        /// The most bytes of activations alive at once, for one image.
        case activations = "activation_bytes"
        /// Nanoseconds per run, forecast from layers timed on this machine. Scripts count milliseconds.
        case latency

        /// True if the model's cost is the sum over layers; false if it is their maximum.
        var isSum: Bool { self != .activations }

        func value(of cost: Cost, latency: Int?) -> Int {
            switch self {
            case .parameters: cost.parameterCount
            case .macs: cost.macCount
            case .bytes: cost.byteCount
            case .activations: cost.peakActivationByteCount
            case .latency: latency ?? 0
            }
        }
    }

    public struct Limit: Sendable, Equatable {
        public let quantity: Quantity
        /// The largest value allowed for the whole model.
        public let value: Int
    }

    public let limits: [Limit]

    /// - Parameter limits: per quantity a fraction kept of the dense model (0 < f ≤ 1) or an absolute number (> 1).
    ///   Of latency the number is in microseconds.
    /// - Parameter denseLatency: nanoseconds of the dense model, for a limit on latency.
    /// - Throws: `noBudget`, `invalidBudget`.
    public init(_ limits: [(Quantity, Double)], dense: Cost, denseLatency: Int? = nil) throws {
        guard !limits.isEmpty else { throw CompressionFailure.noBudget }
        self.limits = try limits.map { quantity, amount in
            guard amount.isFinite, amount > 0, amount < 1e15 else {
                throw CompressionFailure.invalidBudget(
                    detail: "a budget must be a share kept in (0, 1] or a number above 1, but \(quantity.rawValue) is \(amount)")
            }
            if quantity == .latency, denseLatency == nil {
                throw CompressionFailure.invalidBudget(detail: "a budget of latency needs a model whose layers were timed")
            }
            let unit = quantity == .latency ? 1e3 : 1
            let value = amount <= 1 ? amount * Double(quantity.value(of: dense, latency: denseLatency)) : amount * unit
            return Limit(quantity: quantity, value: Int(value))
        }
    }
}
