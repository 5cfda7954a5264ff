public import Tensors

/// The gradient of a value on its way back: what each of its readers gave, not yet added up, so that an operation that
/// walks over it anyway can add on the way.
public struct IncomingGradient {
    private var parts: [Tensor]

    public init(_ part: Tensor) { parts = [part] }

    /// Takes another reader's gradient in; at most two parts are kept apart.
    /// - Throws: `TensorFailure` when the shapes differ or memory runs out.
    public mutating func add(_ part: Tensor) throws {
        if parts.count > 1 { parts = [try total()] }
        parts.append(part)
    }

    /// The sum of all parts.
    public mutating func total() throws -> Tensor {
        guard parts.count > 1 else { return parts[0] }
        let second = parts.removeLast()
        let first = parts.removeLast()  // held nowhere else now, so that its memory can take the sum
        let sum = try first.accumulating(second)
        parts = [sum]
        return sum
    }

    /// The parts, one or two, which this value then no longer holds.
    mutating func takeParts() -> [Tensor] {
        defer { parts = [] }
        return parts
    }
}
