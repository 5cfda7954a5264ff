/// A sum of squares or a divergence that rounding may have left a little below zero. What is no number stays so: it is no
/// zero.
func nonNegative(_ value: Double) -> Double { value < 0 ? 0 : value }
