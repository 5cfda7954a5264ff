/// Random numbers by their place in a sequence, for filling memory in any order and on any number of threads.
///
/// - Reference: Steele, Lea, Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014,
///   doi:10.1145/2660193.2660195 (SplitMix64, whose n-th number needs none of those before).
package struct CounterRandom: Sendable {
    @usableFromInline let key: UInt64

    /// The sequence that the state of `source` stands for.
    package init(_ source: RandomSource) { key = source.state[0] ^ source.state[2] }

    /// Uniform in [0, 1), with 24 random bits.
    @inlinable @inline(__always)
    package func uniform(at place: Int) -> Float {
        var z = key &+ (UInt64(truncatingIfNeeded: place) &+ 1) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Float((z ^ (z >> 31)) >> 40) * 0x1p-24
    }
}
