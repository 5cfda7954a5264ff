import Basics

/// How ranks are shared out among the layers: a value that says what it needs to know and what it minimises.
///
/// Policies come in two kinds. Scaled policies raise the ranks of all layers by one common factor, which bisection finds. The
/// others solve a knapsack: every layer may take any of its candidates, and their losses are weighed against each other.
public struct Policy: Sendable {
    /// The name in options and plans.
    public let name: String
    /// Whether it reads the significance of the layers.
    public let needsScores: Bool
    /// What it makes of a significance, which is a share of the largest.
    let significance: @Sendable (Double) -> Double
    let method: Method
    /// What its users should know of a plan for this model.
    let notes: @Sendable (DecomposedModel) -> [String]

    enum Method: Sendable {
        /// What maps the common factor to the ranks of a layer's chain, by the indices of both.
        case scaled(@Sendable (DecomposedModel) -> @Sendable (_ layer: Int, _ chain: Int) -> ScaledRanks.Path)
        case weighed(Weighing)
    }

    /// What a knapsack minimises.
    struct Weighing: Sendable {
        enum Goal: Sendable { case sum, largest }

        /// What is lost by a candidate.
        var error = OptionLoss.energy
        var goal = Goal.sum
        /// What curves must have measured, which make losses of the errors; else `loss` does.
        var measure: SensitivityCurves.Measure?
        var loss: LossTransform = { $0 }
        /// What does in its place for layers that no shortcut leads around, where that is another.
        var lossInSeries: LossTransform?
        /// What a plan's row says, from the error and the loss.
        var reason: @Sendable (Double, Double) -> String = { error, _ in Policy.energy(error) }
    }

    init(
        _ name: String, needsScores: Bool = false, significance: @escaping @Sendable (Double) -> Double = { $0 }, _ method: Method,
        notes: @escaping @Sendable (DecomposedModel) -> [String] = { _ in [] }
    ) {
        (self.name, self.needsScores, self.significance) = (name, needsScores, significance)
        (self.method, self.notes) = (method, notes)
    }

    /// A policy of your own: the sum over layers of `loss` of the share of ‖W‖² that each loses, as small as possible.
    /// - Parameters:
    ///   - needsScores: whether the loss of a layer is weighed by its significance.
    ///   - loss: monotonically non-decreasing, of a share in 0…1.
    public init(name: String, needsScores: Bool = false, loss: @escaping @Sendable (Double) -> Double) {
        self.init(name, needsScores: needsScores, .weighed(Weighing(loss: loss)))
    }

    /// A policy of your own on one of the built-in measures of sensitivity or on scores is a plan of ranks: see
    /// `Planner.plan(_:budget:ranks:name:)`.
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    var weighing: Weighing? {
        if case .weighed(let weighing) = method { return weighing }
        return nil
    }

    /// What a row says that gives up a share of its energy.
    static func energy(_ error: Double) -> String { "loses \(DecimalText.percent(error)) of its energy" }
}

extension Policy: Hashable, CustomStringConvertible {
    public static func == (one: Policy, other: Policy) -> Bool { one.name == other.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
    public var description: String { name }
}

extension Policy: CaseIterable {
    public static var names: [String] { allCases.map(\.name) }
    /// Those of the library, then those that were registered.
    public static var allCases: [Policy] { builtIn + added.withLock { $0 } }

    private static let added = Guarded<[Policy]>([])

    /// Enters a policy, which options can then name.
    /// - Throws: `invalidOption` for a name that is taken.
    public static func register(_ policy: Policy) throws {
        try added.withLock { added in
            guard !(builtIn + added).contains(policy) else {
                throw CompressionFailure.invalidOption(name: "policy", detail: "has a policy called '\(policy.name)' already")
            }
            added.append(policy)
        }
    }
}
