/// The ranks that a layer may get, as a planner's numbers and patterns settle them.
struct RankBounds: Hashable {
    let least: Int
    let most: Int?

    /// The largest ranks of a chain whose bonds have the bounds `maxRanks`.
    func largest(_ maxRanks: [Int]) -> [Int] { maxRanks.map { min($0, most ?? $0) } }

    /// Its smallest ranks; where not even a bond's bound reaches `least`, the bound.
    func smallest(_ maxRanks: [Int]) -> [Int] { largest(maxRanks).map { min($0, least) } }

    /// Why a layer stays dense whose chains cost no less in `quantities`.
    func denseReason(_ quantities: [Budget.Quantity]) -> String {
        let ranks = least > 1 ? "a chain of ranks of at least \(least)" : "a chain"
        return "\(ranks) is never below the dense layer's \(quantities.map(\.rawValue).joined(separator: ", "))"
    }
}

extension Planner {
    /// Of a layer by its name: the last pattern that matches counts, and what holds for all layers where none does.
    func bounds(of layer: String) -> RankBounds {
        func last(_ patterns: [(pattern: String, rank: Int)]) -> Int? { patterns.last { Self.matches($0.pattern, layer) }?.rank }
        return RankBounds(least: last(minRanks) ?? minRank, most: last(maxRanks) ?? maxRank)
    }

    /// - Throws: `invalidOption` for ranks below 1, and for a layer whose least rank is above its largest.
    func checkBounds(_ layers: [String]) throws {
        let numbers =
            [("min_rank", minRank), ("max_rank", maxRank ?? 1), ("align", align)]
            + minRanks.map { ("min_rank.\($0.pattern)", $0.rank) } + maxRanks.map { ("max_rank.\($0.pattern)", $0.rank) }
        for (name, value) in numbers where !(1...1 << 30).contains(value) {
            throw CompressionFailure.invalidOption(name: name, detail: "must be at least 1, but is \(value)")
        }
        for layer in layers {
            let bounds = bounds(of: layer)
            guard let most = bounds.most, most < bounds.least else { continue }
            throw CompressionFailure.invalidOption(
                name: "max_rank", detail: "must be at least min_rank \(bounds.least), but is \(most) for \(layer)")
        }
    }
}
