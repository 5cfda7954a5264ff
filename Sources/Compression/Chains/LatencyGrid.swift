import Tensors

/// The time of a chain at any ranks, from times measured at a few: steps of a block of channels, straight lines between
/// blocks that were measured.
struct LatencyGrid: Sendable {
    /// Per bond the ranks measured, ascending.
    let ranks: [[Int]]
    /// Nanoseconds, the last bond's ranks next to each other.
    private let times: [Int]

    /// Times that fall while a rank grows are noise, or luck of a kernel's block size that no budget should count on:
    /// they are lifted to the time before.
    init(ranks: [[Int]], times: [Int]) {
        self.ranks = ranks
        var lifted = times
        var stride = 1
        for bond in ranks.indices.reversed() {
            let count = ranks[bond].count
            for index in lifted.indices where index / stride % count > 0 {
                lifted[index] = max(lifted[index], lifted[index - stride])
            }
            stride *= count
        }
        self.times = lifted
    }

    /// The same with `start` taken off every time.
    func less(_ start: Int) -> LatencyGrid { LatencyGrid(ranks: ranks, times: times.map { Self.less($0, start) }) }

    /// What is left of a time without the average that it takes to start: at least half, for that average may be more
    /// than a small layer takes.
    static func less(_ time: Int, _ start: Int) -> Int { max(1, time / 2, time - start) }

    /// - Parameter wanted: rank per bond. Kernels work on blocks of channels, so a rank costs what its block does.
    func callAsFunction(_ wanted: [Int]) -> Int {
        let wanted = wanted.map(Self.roundedUp)
        var result = 0.0
        // One corner of the cell around the ranks per pattern of bits.
        for corner in 0..<(1 << ranks.count) {
            var (weight, index) = (1.0, 0)
            for bond in ranks.indices {
                let (low, share) = Self.place(of: wanted[bond], in: ranks[bond])
                let isUpper = corner >> bond & 1 == 1
                weight *= isUpper ? share : 1 - share
                index = index * ranks[bond].count + min(low + (isUpper ? 1 : 0), ranks[bond].count - 1)
            }
            if weight > 0 { result += weight * Double(times[index]) }
        }
        return Int(result.rounded(.up))
    }

    /// The last value at most `wanted`, and how far towards the next it lies; below the first as at the first.
    private static func place(of wanted: Int, in values: [Int]) -> (index: Int, share: Double) {
        var index = 0
        while index + 1 < values.count, values[index + 1] <= wanted { index += 1 }
        guard index + 1 < values.count, wanted > values[index] else { return (index, 0) }
        return (index, Double(wanted - values[index]) / Double(values[index + 1] - values[index]))
    }

    /// The rank whose channels fill what `rank` occupies: half a block, or whole ones.
    private static func roundedUp(_ rank: Int) -> Int {
        let block = Layout.channelBlock
        return rank <= block / 2 ? block / 2 : (rank + block - 1) / block * block
    }

    /// The ranks to measure of bonds with these bounds: whole blocks of channels, fewer where there are many bonds.
    static func candidates(_ bounds: [Int]) -> [[Int]] {
        let blocks = bounds.count > 2 ? [1, 2, 4, 8, 16, 32] : [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
        return bounds.map { bound in
            let ranks = [Layout.channelBlock / 2] + blocks.map { $0 * Layout.channelBlock }
            return ranks.filter { $0 < bound } + [bound]
        }
    }

    /// All combinations, in the order of `times`.
    static func combinations(_ ranks: [[Int]]) -> [[Int]] {
        ranks.reduce([[]]) { done, next in done.flatMap { start in next.map { start + [$0] } } }
    }
}
