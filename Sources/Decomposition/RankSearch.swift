import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// Ranks with few parameters whose error stays within a budget, predicted from the energies of neighbouring bonds.
///
/// Seen in the bases of its bonds, core k holds the energy c(a, b) that goes through vector a of the bond to its left and
/// vector b of the one to its right. So given the left bond's rank it says what a rank of the right one loses, and the energy
/// kept is about the product of these shares along the train, a Markov chain's approximation. (For two bonds it would be exact:
/// `CornerEnergies`.) Parameters are a sum over neighbours as well, so dynamic programming over the bonds
/// finds the fewest for every error. What it finds is then tried out (`OrthonormalTrain.cut`).
struct RankSearch {
    struct Candidate {
        let ranks: [Int]
        let parameterCount: Double
        /// ‖W − Ŵ‖².
        let predicted: Double
    }

    private let modes: [Int]
    /// The ranks that are tried at each bond.
    private let ranges: [ClosedRange<Int>]
    /// Of bond 0 the loss per rank in its range; of others per rank to the left, and then its own. Losses are −log of the
    /// share of the energy that is kept.
    private let losses: [[Double]]
    private let energy: Double
    /// Errors that are kept apart: the more, the fewer ranks are forgotten for others that were predicted much the same.
    private let bucketCount: Int

    /// Predictions above the budget that are still tried, because the prediction may be too high.
    static let slack = 1.15

    /// - Parameters:
    ///   - cores: in the bases of their bonds, with orthonormal columns; the last one is not needed.
    ///   - energies: σ² per bond.
    ///   - upper: the highest rank to try, per bond.
    ///   - budget: the energy that may be lost.
    /// - Returns: `nil` where there is nothing to search: for fewer than three bonds, and without energy.
    init?(cores: [PreciseCore], energies: [[Double]], upper: [Int], modes: [Int], budget: Double) {
        let energy = energies.last?.reduce(0) { $0 + max(0, $1) } ?? 0
        guard energies.count > 2, energy > 0, budget > 0 else { return nil }
        (self.modes, self.energy) = (modes, energy)
        let ranges = zip(energies, upper).map { values, upper -> ClosedRange<Int> in
            // No train can lose less than its worst bond alone.
            var (least, tail) = (values.count, 0.0)
            while least > 1, tail + values[least - 1] <= budget {
                tail += values[least - 1]
                least -= 1
            }
            return min(least, upper)...upper
        }
        self.ranges = ranges
        bucketCount = max(96, min(2048, (1 << 15) / (ranges.map(\.count).max() ?? 1)))
        // What goes through each vector of the first bond, after later cuts of what these energies were met with.
        let first = Self.marginal(cores[1], energies[1])
        var tail = first.reversed().reduce(into: [0.0]) { $0.append($0[$0.count - 1] + $1) }
        tail.reverse()
        var losses = [ranges[0].map { Self.loss(tail[$0], of: tail[0]) }]
        for k in energies.indices.dropFirst() {
            losses.append(Self.conditional(cores[k], energies[k], left: ranges[k - 1], own: ranges[k]))
        }
        self.losses = losses
    }

    private static func loss(_ lost: Double, of whole: Double) -> Double {
        whole > 0 ? -log1p(-min(lost / whole, 1 - 1e-12)) : 0
    }

    /// The energy through each vector to the left of a core.
    private static func marginal(_ core: PreciseCore, _ energies: [Double]) -> [Double] {
        core.wide.withElements { elements in
            (0..<core.left).map { a in
                (0..<core.mode * core.right).reduce(0.0) { sum, i in
                    let x = elements[a * core.mode * core.right + i]
                    return sum + x * x * max(0, energies[i % core.right])
                }
            }
        }
    }

    /// −log of the share that each own rank keeps of what each rank to the left does.
    private static func conditional(
        _ core: PreciseCore, _ energies: [Double], left: ClosedRange<Int>, own: ClosedRange<Int>
    ) -> [Double] {
        // Sums over the vectors to the left so far, from each own vector on.
        var sums = [Double](repeating: 0, count: core.right + 1)
        var losses: [Double] = []
        losses.reserveCapacity(left.count * own.count)
        core.tall.withElements { elements in
            for a in 0..<left.upperBound {
                var line = [Double](repeating: 0, count: core.right)
                for row in a * core.mode..<(a + 1) * core.mode {
                    for b in 0..<core.right { line[b] += elements[row * core.right + b] * elements[row * core.right + b] }
                }
                var tail = 0.0
                for b in (0..<core.right).reversed() {
                    tail += line[b] * max(0, energies[b])
                    sums[b] += tail
                }
                if a + 1 >= left.lowerBound { losses += own.map { loss(sums[$0], of: sums[0]) } }
            }
        }
        return losses
    }

    /// One way to the ranks of the bonds so far.
    private struct Path {
        var parameterCount = Double.infinity
        var loss = 0.0
        /// The entry of the bond before.
        var origin = 0
    }

    /// Ranks whose predicted error is within the budget or little above it, those with fewest parameters first.
    /// - Complexity: O(d · w²) steps for ranges of w ranks, times the buckets of error that are kept apart.
    func candidates(budget: Double) -> [Candidate] {
        let limit = Self.loss(min(budget * Self.slack, energy), of: energy)
        var layers: [[Path]] = []
        for bond in ranges.indices {
            layers.append(bond == 0 ? firstLayer(limit) : layer(bond, after: layers[bond - 1], limit))
        }
        let last = ranges.count - 1
        let entries = layers[last].indices.filter { layers[last][$0].parameterCount < .infinity }
        let found = entries.map { entry -> Candidate in
            let rank = self.rank(last, entry)
            let path = layers[last][entry]
            var (ranks, at) = ([Int](repeating: 0, count: ranges.count), entry)
            for bond in ranges.indices.reversed() {
                ranks[bond] = self.rank(bond, at)
                at = layers[bond][at].origin
            }
            return Candidate(
                ranks: ranks, parameterCount: path.parameterCount + Double(rank * modes[last + 1]),
                predicted: energy * -expm1(-path.loss))
        }
        return found.sorted { ($0.parameterCount, $0.predicted) < ($1.parameterCount, $1.predicted) }
    }

    private func rank(_ bond: Int, _ entry: Int) -> Int { ranges[bond].lowerBound + entry / bucketCount }

    private func bucket(_ loss: Double, _ limit: Double) -> Int {
        limit > 0 ? min(bucketCount - 1, Int(loss / limit * Double(bucketCount))) : 0
    }

    private func firstLayer(_ limit: Double) -> [Path] {
        var paths = [Path](repeating: Path(), count: ranges[0].count * bucketCount)
        for (i, rank) in ranges[0].enumerated() where losses[0][i] <= limit && isPossible(rank, 0) {
            paths[i * bucketCount + bucket(losses[0][i], limit)] = Path(
                parameterCount: Double(modes[0] * rank), loss: losses[0][i])
        }
        return paths
    }

    private func layer(_ bond: Int, after before: [Path], _ limit: Double) -> [Path] {
        let (left, own, mode) = (ranges[bond - 1], ranges[bond], modes[bond])
        var paths = [Path](repeating: Path(), count: own.count * bucketCount)
        for entry in before.indices where before[entry].parameterCount < .infinity {
            let a = entry / bucketCount
            let leftRank = left.lowerBound + a
            for (b, rank) in own.enumerated() where rank <= leftRank * mode && leftRank <= mode * rank && isPossible(rank, bond) {
                let loss = before[entry].loss + losses[bond][a * own.count + b]
                guard loss <= limit else { continue }
                let count = before[entry].parameterCount + Double(leftRank * mode * rank)
                let target = b * bucketCount + bucket(loss, limit)
                if count < paths[target].parameterCount || count == paths[target].parameterCount && loss < paths[target].loss {
                    paths[target] = Path(parameterCount: count, loss: loss, origin: entry)
                }
            }
        }
        return paths
    }

    /// Whether the outer modes allow the rank.
    private func isPossible(_ rank: Int, _ bond: Int) -> Bool {
        (bond > 0 || rank <= modes[0]) && (bond < ranges.count - 1 || rank <= modes[bond + 1])
    }
}
