import Basics

/// What was found out about one candidate.
public struct PortfolioEntry: Sendable {
    public let name: String
    public let isWhitened: Bool
    /// `nil` where there is none; `note` says why.
    public var plan: Plan?
    /// Fitted to and judged on few images; `nil` for what is the same plan as another's.
    public var firstLook: ModelQuality?
    /// Fitted to and judged on all; `nil` for those that the first look sorted out.
    public var quality: ModelQuality?
    public var note: String?
    public var elapsedSeconds = 0.0
}

/// The plan that was chosen, and what it was chosen from.
public struct PortfolioChoice: Sendable {
    public let entries: [PortfolioEntry]
    /// Index of the one that was chosen.
    public let chosen: Int
    public let elapsedSeconds: Double
    /// The chosen one's, with a note of what it was chosen by.
    public let plan: Plan

    public var isWhitened: Bool { entries[chosen].isWhitened }

    init(_ entries: [PortfolioEntry], chosen: Int, _ plan: Plan, seconds: Double) {
        (self.entries, self.chosen, elapsedSeconds) = (entries, chosen, seconds)
        let best = entries[chosen]
        func measured(_ entry: PortfolioEntry) -> String { DecimalText.significant(entry.quality?.distance ?? .nan) }
        let rivals = PlanPortfolio.ranking(of: entries.map(\.quality)).filter { $0 != chosen }
            .map { "\(entries[$0].name) \(measured(entries[$0]))" }
        var plan = plan
        plan.policy = best.name
        plan.notes.append(
            "chosen of \(entries.count) plans by its \(best.quality?.divergence == nil ? "distance" : "divergence") of \(measured(best)) from the "
                + "dense model on \(best.quality?.imageCount ?? 0) images" + (rivals.isEmpty ? "" : "; " + rivals.joined(separator: ", ")))
        plan.elapsedSeconds = seconds
        self.plan = plan
    }
}
