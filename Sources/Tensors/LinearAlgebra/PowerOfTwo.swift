#if canImport(Glibc)
    import Glibc
#endif

/// Scales that lose no digit: float32 squares and products of matrices leave its range long before their elements do, and
/// the same values times a power of two do not.
package enum PowerOfTwo {
    /// Norms whose matrices need no other scale: squares of float32 neither overflow nor vanish.
    private static let ordinaryEnergies = 0x1p-80...0x1p80

    /// e for which 2⁻ᵉ times a matrix of this energy ‖A‖² has a norm of ½ to 1; 0 where the norm is an ordinary one, or 0.
    package static func exponent(energy: Double) -> Int {
        energy > 0 && energy.isFinite && !ordinaryEnergies.contains(energy) ? exponent(of: energy.squareRoot()) : 0
    }

    /// e for which |x| is 2ᵉ times a number of ½ to 1; 0 for 0 and what is not finite.
    package static func exponent(of x: Double) -> Int { x != 0 && x.isFinite ? Int(x.exponent) + 1 : 0 }

    /// 2ᵉ; infinite or 0 beyond float64.
    package static func value(_ exponent: Int) -> Double { scalbn(1, Int(max(-1100, min(1100, exponent)))) }

    /// x · 2ᵉ, where neither factor alone need be in range.
    package static func scaled(_ x: Double, by exponent: Int) -> Double { scalbn(x, Int(max(-4400, min(4400, exponent)))) }
}

extension Tensor {
    /// The tensor times 2ᵉ, each element rounded once.
    package func multiplied(byPowerOfTwo exponent: Int) throws -> Tensor {
        let factor = PowerOfTwo.value(exponent)
        let result = try Tensor(uninitialized: shape)
        try withElements(of: Float.self) { source in
            try result.withMutableElements(of: Float.self) { target in
                for i in source.indices { target[i] = Float(Double(source[i]) * factor) }
            }
        }
        return result
    }
}
