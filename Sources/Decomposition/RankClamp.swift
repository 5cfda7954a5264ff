/// A requested rank that was lowered because no tensor of these modes can have it.
public struct RankClamp: Hashable, Sendable, CustomStringConvertible {
    /// The bond between core `bond` and core `bond` + 1, from 0.
    public let bond: Int
    public let requested: Int
    /// The rank used instead.
    public let bound: Int

    public init(bond: Int, requested: Int, bound: Int) {
        self.bond = bond
        self.requested = requested
        self.bound = bound
    }

    /// A sentence for people, who count bonds from 1.
    public var description: String { "bond \(bond + 1): rank \(requested) lowered to its bound \(bound)" }

    /// `ranks` lowered to `bounds`, with a clamp for each that was.
    /// - Throws: `rankCount` or `rankNotPositive`.
    package static func apply(
        _ ranks: [Int], bounds: [Int], _ operation: String
    ) throws -> (ranks: [Int], clamps: [RankClamp]) {
        guard ranks.count == bounds.count else {
            throw DecompositionFailure.rankCount(operation: operation, expected: bounds.count, got: ranks)
        }
        if let bond = ranks.firstIndex(where: { $0 < 1 }) {
            throw DecompositionFailure.rankNotPositive(operation: operation, bond: bond, got: ranks[bond])
        }
        let clamps = ranks.indices.filter { ranks[$0] > bounds[$0] }
            .map { RankClamp(bond: $0, requested: ranks[$0], bound: bounds[$0]) }
        return (zip(ranks, bounds).map { min($0, $1) }, clamps)
    }

    /// `ranks` lowered to what tensors of these modes and of these neighbouring ranks can have: r_k ≤ r_{k−1} · n_k and
    /// r_k ≤ n_{k+1} · r_{k+1}; a chain beyond that only wastes parameters.
    package static func neighbourly(_ ranks: [Int], modes: [Int]) -> [Int] {
        var bounds = ranks
        for k in bounds.indices {
            let (most, overflow) = (k > 0 ? bounds[k - 1] : 1).multipliedReportingOverflow(by: modes[k])
            if !overflow { bounds[k] = min(bounds[k], most) }
        }
        for k in bounds.indices.reversed() {
            let (most, overflow) = (k + 1 < bounds.count ? bounds[k + 1] : 1).multipliedReportingOverflow(by: modes[k + 1])
            if !overflow { bounds[k] = min(bounds[k], most) }
        }
        return bounds
    }
}
