/// Ranks in the proportion of their bounds, found by bisection over the largest of them.
package enum ProportionalRanks {
    /// The largest that pass a test which larger ranks fail; `nil` where even rank 1 at every bond does not pass.
    /// - Complexity: O(log max(bounds)) tests.
    package static func largest(_ bounds: [Int], where passes: ([Int]) -> Bool) -> [Int]? {
        let steps = bounds.max() ?? 0
        func ranks(_ step: Int) -> [Int] { bounds.map { max(1, min($0, $0 * step / max(1, steps))) } }
        guard steps > 0, passes(ranks(1)) else { return nil }
        var (low, high) = (1, steps + 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if passes(ranks(middle)) { low = middle } else { high = middle }
        }
        return ranks(low)
    }
}
