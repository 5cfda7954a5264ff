import COneDNN

/// What a compiled model computes its convolutions in.
public enum Precision: String, Sendable, CaseIterable {
    case float32
    /// Weights and activations of convolutions are rounded to 8 significant bits, sums stay in float32. What oneDNN has
    /// no such kernel for, and everything else, stays in float32. Half the memory traffic and up to twice the products
    /// a second; about three digits of each result.
    case bfloat16 = "bf16"

    /// - Throws: `ExecutionFailure.precision` where this processor cannot compute in it at speed.
    public func checkProcessor() throws {
        if self == .bfloat16, cod_has_bfloat16() == 0 { throw ExecutionFailure.precision(rawValue) }
    }
}
