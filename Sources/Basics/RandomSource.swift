#if canImport(Glibc)
    import Glibc
#endif

/// A seeded random source whose whole state is four words, so that a checkpoint can carry it.
///
/// - Reference: Blackman, Vigna, *Scrambled Linear Pseudorandom Number Generators*, ACM TOMS 47(4), 2021,
///   doi:10.1145/3460772 (xoshiro256**), seeded through SplitMix64.
public struct RandomSource: RandomNumberGenerator, Sendable, Equatable {
    public private(set) var state: [UInt64]

    public init(seed: UInt64) {
        var mixer = seed
        state = (0..<4).map { _ in
            mixer &+= 0x9E37_79B9_7F4A_7C15
            var z = mixer
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// Restores a source from a saved `state`; `nil` unless it holds four words that are not all zero.
    public init?(state: [UInt64]) {
        guard state.count == 4, state.contains(where: { $0 != 0 }) else { return nil }
        self.state = state
    }

    public mutating func next() -> UInt64 {
        func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
        let result = rotate(state[1] &* 5, 7) &* 9
        let t = state[1] << 17
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= t
        state[3] = rotate(state[3], 45)
        return result
    }

    /// An independent source for a numbered purpose (an epoch, a worker), leaving this one where it is.
    public func stream(_ index: UInt64) -> RandomSource {
        RandomSource(seed: state[0] ^ (state[2] &* 0x9E37_79B9_7F4A_7C15) ^ (index &* 0xD134_2543_DE82_EF95 &+ 1))
    }

    /// Uniform in [0, 1), with 24 random bits.
    public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// Standard normal, by the Box–Muller transform (one of the pair is dropped, to keep the state small).
    public mutating func normal() -> Float {
        let u = Double(next() >> 11) * 0x1p-53
        let v = Double(next() >> 11) * 0x1p-53
        return Float((-2 * log(1 - u)).squareRoot() * cos(2 * .pi * v))
    }
}
