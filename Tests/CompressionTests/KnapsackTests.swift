import Basics
import Compression
import Testing

@Suite struct KnapsackTests {
    /// Of two options that each break one limit and one between that keeps both, the one between is left and taken, though
    /// it loses most.
    @Test(arguments: [[0.1, 0.1, 0.2], [0.3, 0.1, 0.2], [0.1, 0.3, 0.5]]) func whatAloneMeetsBothLimitsIsKept(_ losses: [Double]) throws {
        let costs = [[1, 9], [9, 1], [5, 5]]
        #expect(RankCandidates.unbeaten(losses, costs).sorted() == [0, 1, 2])
        let options = RankCandidates(losses: losses, costs: [costs.map { $0[0] }, costs.map { $0[1] }])
        let knapsack = Knapsack(layers: [(options, 1)], limits: [5, 5])
        #expect(knapsack.solve()?.choice == [2])
        #expect(knapsack.solveLargest()?.choice == [2])
        #expect(Knapsack(layers: [(options, 1)], limits: [4, 4]).solve() == nil)
    }

    /// What another beats on loss and in every cost is left out, and nothing else: against all pairs, over drawn options.
    @Test(arguments: 1...4) func onlyWhatIsBeatenInEverythingIsLeftOut(width: Int) throws {
        var random = RandomSource(seed: UInt64(width))
        for _ in 0..<40 {
            let count = 1 + Int(random.uniform() * 60)
            let losses = (0..<count).map { _ in Double(Int(random.uniform() * 12)) }
            let costs = (0..<count).map { _ in (0..<width).map { _ in Int(random.uniform() * 12) } }
            let kept = RankCandidates.unbeaten(losses, costs)
            func isAtMost(_ a: Int, _ b: Int) -> Bool { losses[a] <= losses[b] && zip(costs[a], costs[b]).allSatisfy { $0 <= $1 } }
            for option in 0..<count {
                #expect(kept.contains(option) || kept.contains { isAtMost($0, option) }, "\(option) is gone without a better one")
            }
            for option in kept { #expect(!kept.contains { $0 != option && isAtMost($0, option) }, "\(option) is beaten") }
        }
    }

    /// Two layers under two limits, against all choices.
    @Test func severalLimitsAreMetWhereTheyCanBe() throws {
        var (random, met, missed) = (RandomSource(seed: 8), 0, 0)
        for _ in 0..<200 {
            let layers = (0..<2).map { _ -> (options: RankCandidates, weight: Double) in
                let count = 2 + Int(random.uniform() * 5)
                let costs = (0..<2).map { _ in (0..<count).map { _ in 1 + Int(random.uniform() * 20) } }
                return (RankCandidates(losses: (0..<count).map { _ in Double(random.uniform()) }, costs: costs), 1)
            }
            let limits = (0..<2).map { _ in 8 + Int(random.uniform() * 16) }
            let knapsack = Knapsack(layers: layers, limits: limits)
            let canBeMet = (0..<layers[0].options.count).contains { a in
                (0..<layers[1].options.count).contains { b in zip(knapsack.usage([a, b]), limits).allSatisfy { $0 <= $1 } }
            }
            if let solution = knapsack.solve() {
                #expect(zip(knapsack.usage(solution.choice), limits).allSatisfy { $0 <= $1 })
                met += 1
            } else if canBeMet {
                missed += 1
            }
        }
        // Moves of one layer at a time are no proof that nothing is left.
        #expect(met > 80 && missed <= met / 20, "\(met) met, \(missed) missed")
    }

    /// Against all choices: the solution loses no more above the best than the gap says, and under one limit no more than the
    /// step that was left out would have saved.
    @Test(arguments: [1, 2, 3]) func theGapIsKept(limitCount: Int) throws {
        var (random, gaps) = (RandomSource(seed: UInt64(limitCount)), [Double]())
        for _ in 0..<60 {
            let layers = (0..<4).map { _ -> (options: RankCandidates, weight: Double) in
                let losses = (0..<6).map { _ in Double(random.uniform()) }.sorted(by: >)
                let costs = (0..<limitCount).map { _ in (0..<6).map { 1 + 4 * $0 + Int(random.uniform() * 4) } }
                return (RankCandidates(losses: losses, costs: costs), 1)
            }
            let knapsack = Knapsack(layers: layers, limits: [Int](repeating: 40, count: limitCount))
            let solution = try #require(knapsack.solve())
            var (least, choice) = (Double.infinity, [0, 0, 0, 0])
            for number in 0..<6 * 6 * 6 * 6 {
                for layer in 0..<4 { choice[layer] = number / [1, 6, 36, 216][layer] % 6 }
                guard knapsack.usage(choice).allSatisfy({ $0 <= 40 }) else { continue }
                least = min(least, zip(layers, choice).reduce(0) { $0 + $1.0.options.losses[$1.1] })
            }
            let bound = try #require(solution.leastLoss)
            #expect(bound <= least + 1e-9, "the bound holds for every choice")
            #expect(solution.loss >= least - 1e-9 && solution.loss - bound <= (solution.gap ?? 0) * solution.loss + 1e-9)
            let largestStep = layers.map { ($0.options.losses.max() ?? 0) - ($0.options.losses.min() ?? 0) }.max() ?? 0
            if limitCount == 1 { #expect(solution.loss - least <= largestStep) }
            gaps.append(solution.gap ?? 1)
        }
        #expect(gaps.reduce(0, +) / Double(gaps.count) < 0.2, "and says something")
    }
}
