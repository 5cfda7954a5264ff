/// Functions of one number without branches or calls, so that loops over them vectorise. Relative errors stay below
/// 1e-6; a not-a-number comes out as one.
package enum SmoothFunctions {
    /// eˣ by 2ⁿ · eʳ with |r| ≤ ln 2 / 2 and the Taylor series of degree 7; 0 and +∞ beyond float32's range.
    @inlinable @inline(__always)
    package static func exponential(_ x: Float) -> Float {
        // The ends of the range of normal numbers; what lies outside is replaced at the end.
        let inside = x < -87.33654 ? -87.33654 : (x > 88.37626 ? 88.37626 : x)
        // Adding 1.5 · 2²³ rounds to a whole number, which then stands in the lowest bits.
        let magic: Float = 12_582_912
        let shifted = inside * 1.442_695_04 + magic
        let n = shifted - magic
        let r = (inside - n * 0.693_359_375) + n * 2.121_944_4e-4
        var p: Float = 1 / 5040
        p = p * r + 1 / 720
        p = p * r + 1 / 120
        p = p * r + 1 / 24
        p = p * r + 1 / 6
        p = p * r + 0.5
        p = p * r + 1
        p = p * r + 1
        let power = Float(bitPattern: (shifted.bitPattern &+ 127) &<< 23)
        let value = p * power
        return x < -87.33654 ? 0 : (x > 88.37626 ? .infinity : value)
    }

    /// 1 / (1 + e⁻ˣ).
    @inlinable @inline(__always)
    package static func sigmoid(_ x: Float) -> Float { 1 / (1 + exponential(-x)) }

    /// Around 0 the series, where 1 − 2 / (e²ˣ + 1) would lose digits.
    @inlinable @inline(__always)
    package static func hyperbolicTangent(_ x: Float) -> Float {
        let far = 1 - 2 / (exponential(2 * x) + 1)
        let s = x * x
        var p: Float = -1382 / 155_925
        p = p * s + 62 / 2835
        p = p * s - 17 / 315
        p = p * s + 2 / 15
        p = p * s - 1 / 3
        p = p * s + 1
        return abs(x) < 0.25 ? x * p : far
    }

    /// 2/√π ∫₀ˣ e^(−t²) dt: the series up to |x| = 0.5, beyond it an approximation with an error below 1.5e-7.
    /// - Reference: Abramowitz, Stegun, *Handbook of Mathematical Functions*, 1964, eq. 7.1.26.
    @inlinable @inline(__always)
    package static func errorFunction(_ x: Float) -> Float {
        let s = x * x
        var near: Float = 1 / 9360
        near = near * s - 1 / 1320
        near = near * s + 1 / 216
        near = near * s - 1 / 42
        near = near * s + 1 / 10
        near = near * s - 1 / 3
        near = near * s + 1
        let t = 1 / (1 + 0.327_591_1 * abs(x))
        var far: Float = 1.061_405_429
        far = far * t - 1.453_152_027
        far = far * t + 1.421_413_741
        far = far * t - 0.284_496_736
        far = far * t + 0.254_829_592
        let magnitude = 1 - far * t * exponential(-s)
        return abs(x) < 0.5 ? x * near * 1.128_379_2 : (x < 0 ? -magnitude : magnitude)
    }
}
