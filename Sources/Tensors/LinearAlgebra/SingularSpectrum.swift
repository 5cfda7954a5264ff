/// The singular values of a matrix as far as the route taken knows them.
public struct SingularSpectrum: Sendable, Equatable {
    /// The largest ones, descending.
    public let values: [Float]
    /// Σσ² of all others: known even where they are not; 0 where `values` holds all.
    public let unlistedEnergy: Double
    /// How far the values may be from the true ones: those below this are noise of the route that found them.
    public let resolution: Float
    /// Whether `values` holds all min(m, n) of them.
    public let isComplete: Bool

    /// Σσ² of all.
    public var energy: Double { tailEnergy(from: 0) }

    /// Σ_{i ≥ rank} σᵢ², in double precision, for a rank up to `values.count`.
    public func tailEnergy(from rank: Int) -> Double {
        values[rank...].reversed().reduce(unlistedEnergy) { $0 + Double($1) * Double($1) }
    }
}
