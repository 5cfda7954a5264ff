import Synchronization
import Tensors

/// Notices numbers so large that what a bfloat16 program makes of them may overflow.
///
/// Between finite numbers a not-a-number arises only behind an overflow, and oneDNN's ReLU, clip and maximum pooling would
/// make a number of it. In float32 the processor notes it; its products of bfloat16 note nothing, so every value is looked
/// at as it is made. Below `limit` no sum of products overflows, as long as the magnitudes of a parameter add up to less
/// than `parameterLimit`: 2⁶⁰ · 2⁶⁰ is far below 2¹²⁸. A large number is a reason to compute again, not a proof.
final class MagnitudeWatch: Sendable {
    static let limit: Float = 0x1p60
    static let parameterLimit = 0x1p60
    private let found = Atomic<Bool>(false)

    /// Nothing where the processor's notes serve.
    init?(for precision: Precision) {
        guard precision == .bfloat16 else { return nil }
    }

    /// Whether a number beyond the limit, or none, was seen since the last question.
    func take() -> Bool { found.exchange(false, ordering: .relaxed) }

    /// Looks at `count` numbers at `start`.
    func look(at start: UnsafeRawPointer, _ count: Int, isBFloat16: Bool) {
        if isBFloat16 {
            look(at: start.assumingMemoryBound(to: UInt16.self), count, sign: 0x8000, limit: UInt16(Self.limit.bitPattern >> 16))
        } else {
            look(at: start.assumingMemoryBound(to: UInt32.self), count, sign: 0x8000_0000, limit: Self.limit.bitPattern)
        }
    }

    /// Bits without their sign are in the order of the magnitudes, not-a-numbers last.
    @inline(__always)
    private func look<Bits: FixedWidthInteger & UnsignedInteger>(
        at bits: UnsafePointer<Bits>, _ count: Int, sign: Bits, limit: Bits
    ) {
        parallelFor(count, grain: 1 << 16) { range in
            var largest: Bits = 0
            for i in range { largest = max(largest, bits[i] & ~sign) }
            if largest >= limit { found.store(true, ordering: .relaxed) }
        }
    }
}
