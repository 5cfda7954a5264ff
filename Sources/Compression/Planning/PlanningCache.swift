import Basics

/// What planning works out once per model and then uses for every further budget.
final class PlanningCache: Sendable {
    private struct Contents {
        /// The latest requests, oldest first.
        var options: [(request: RankCandidates.Request, made: [RankCandidates])] = []
        var variationalRanks: [[[Int]]]?
        var cheapestChains: [[Budget.Quantity]: [Int]] = [:]
    }

    /// Requests differ by what a script may choose freely, so only the last few are kept.
    private static let keptRequests = 16
    private let contents = Guarded(Contents())

    /// The options of each layer, made by `make` on first request.
    func options(_ request: RankCandidates.Request, make: () -> [RankCandidates]) -> [RankCandidates] {
        let found = contents.withLock { contents -> [RankCandidates]? in
            guard let index = contents.options.firstIndex(where: { $0.request == request }) else { return nil }
            let entry = contents.options.remove(at: index)
            contents.options.append(entry)
            return entry.made
        }
        if let found { return found }
        let made = make()
        contents.withLock { $0.options = $0.options.suffix(Self.keptRequests - 1) + [(request, made)] }
        return made
    }

    /// Per layer, the index of the chain that costs least at equal error; 0 where there is none.
    func cheapestChains(of layers: [DecomposableLayer], by quantities: [Budget.Quantity]) -> [Int] {
        if let found = contents.withLock({ $0.cheapestChains[quantities] }) { return found }
        let made = layers.map { $0.cheapestChain(by: quantities) }
        contents.withLock { $0.cheapestChains[quantities] = made }
        return made
    }

    /// Per layer and chain, the ranks above the noise.
    func variationalRanks(of layers: [DecomposableLayer]) -> [[[Int]]] {
        if let found = contents.withLock({ $0.variationalRanks }) { return found }
        let made = layers.map { layer in layer.chains.map { $0.factorization.ranksAboveNoise() } }
        contents.withLock { $0.variationalRanks = made }
        return made
    }
}
