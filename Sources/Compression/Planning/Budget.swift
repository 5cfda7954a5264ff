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

        public init(quantity: Quantity, value: Int) {
            self.quantity = quantity
            self.value = value
        }
    }

    public let limits: [Limit]

    /// - Parameter limits: per quantity a fraction kept of the dense model (0 < f ≤ 1) or an absolute number (> 1).
    ///   Of latency the number is in nanoseconds.
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
            let value = amount <= 1 ? amount * Double(quantity.value(of: dense, latency: denseLatency)) : amount
            return Limit(quantity: quantity, value: Int(value))
        }
    }
    /// Limits as absolute numbers, in the units of `Quantity`.
    /// - Throws: `noBudget` without any; `invalidBudget` for one below 1.
    public init(limits: [Limit]) throws {
        guard !limits.isEmpty else { throw CompressionFailure.noBudget }
        if let bad = limits.first(where: { $0.value < 1 }) {
            throw CompressionFailure.invalidBudget(
                detail: "a limit must be at least 1, but that of \(bad.quantity.rawValue) is \(bad.value)")
        }
        self.limits = limits
    }

    /// A share in (0, 1] kept of one quantity of the dense model.
    /// - Throws: `invalidBudget`, also for latency of a model whose layers were not timed.
    public init(keeping share: Double, of quantity: Quantity = .parameters, in model: DecomposedModel) throws {
        guard share <= 1 else {
            throw CompressionFailure.invalidBudget(
                detail: "a share kept must lie in (0, 1], but that of \(quantity.rawValue) is \(share)")
        }
        try self.init([(quantity, share)], dense: model.cost, denseLatency: model.denseLatency)
    }
}
