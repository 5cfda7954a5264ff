/// The singular values of a matrix as far as the route taken knows them.
public struct SingularSpectrum: Sendable, Equatable {
    /// The largest ones, descending.
    public let values: [Double]
    /// Σσ² of all others: known even where they are not; 0 where `values` holds all.
    public let unlistedEnergy: Double
    /// How far the values may be from the true ones: those below this are noise of the route that found them.
    public let resolution: Double
    /// Whether `values` holds all min(m, n) of them.
    public let isComplete: Bool

    package init(values: [Double], unlistedEnergy: Double, resolution: Double, isComplete: Bool) {
        (self.values, self.unlistedEnergy, self.resolution, self.isComplete) = (values, unlistedEnergy, resolution, isComplete)
    }

    /// Σσ² of all.
    public var energy: Double { tailEnergy(from: 0) }

    /// Σ_{i ≥ rank} σᵢ², in double precision, for a rank up to `values.count`.
    public func tailEnergy(from rank: Int) -> Double {
        values[rank...].reversed().reduce(unlistedEnergy) { $0 + $1 * $1 }
    }

    /// The same times 2ᵉ.
    package func multiplied(byPowerOfTwo exponent: Int) -> SingularSpectrum {
        guard exponent != 0 else { return self }
        return SingularSpectrum(
            values: values.map { PowerOfTwo.scaled($0, by: exponent) },
            unlistedEnergy: PowerOfTwo.scaled(unlistedEnergy, by: 2 * exponent),
            resolution: PowerOfTwo.scaled(resolution, by: exponent), isComplete: isComplete)
    }
}
