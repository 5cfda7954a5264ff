/// One way to plan that a portfolio may choose.
public struct PortfolioCandidate: Sendable, Hashable {
    /// How the plan is called.
    public let name: String
    public let policy: Policy
    /// The least rank of every bond.
    public let minRank: Int
    /// Whether it plans, and cuts, by errors of the layers' outputs.
    public let isWhitened: Bool

    public init(_ policy: Policy, minRank: Int = 1, isWhitened: Bool = false) {
        (self.policy, self.minRank, self.isWhitened) = (policy, minRank, isWhitened)
        name = policy.name + (minRank > 1 ? ", ranks of at least \(minRank)" : "") + (isWhitened ? " whitened" : "")
    }

    /// What is tried where nobody says otherwise. Those that need scores take part where there are some.
    public static let usual = [
        PortfolioCandidate(.barrier), PortfolioCandidate(.quadratic), PortfolioCandidate(.quadratic, minRank: 4),
        PortfolioCandidate(.uniform), PortfolioCandidate(.energy), PortfolioCandidate(.minimax), PortfolioCandidate(.output),
        PortfolioCandidate(.knapsack, isWhitened: true), PortfolioCandidate(.lwiqFloored), PortfolioCandidate(.lwiqBarrier),
    ]
}
