import Testing

import Basics
import Datasets

@Suite struct SampleOrderTests {
    /// From an independent program in Python; saved experiments rely on a seed giving its order for good.
    @Test func ordersStayTheSameForGood() {
        var random = RandomSource(seed: 42)
        #expect(SampleOrder.shuffled(10, using: &random) == [9, 1, 4, 2, 8, 7, 6, 5, 3, 0])
    }

    @Test(arguments: [0, 1, 2, 1000])
    func eachNumberComesOnce(_ count: Int) {
        var random = RandomSource(seed: 1)
        #expect(SampleOrder.shuffled(count, using: &random).sorted() == Array(0..<count))
    }

    /// Each of the 24 orders of four is expected 1000 times; the bound is over six standard deviations (31) away.
    @Test func ordersAreEquallyLikely() {
        var random = RandomSource(seed: 7)
        var counts: [[Int]: Int] = [:]
        for _ in 0..<24_000 { counts[SampleOrder.shuffled(4, using: &random), default: 0] += 1 }
        #expect(counts.count == 24)
        #expect(counts.values.allSatisfy { abs($0 - 1000) < 200 })
    }
}
