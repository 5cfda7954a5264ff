/// Costs that came in, of which none is at most another in everything.
struct ParetoFront {
    /// Of one cost the least; of two, ascending by the first and so descending by the second; of more, one after another.
    private var costs: [Int] = []
    private let width: Int

    /// - Parameter width: how many costs an entry has, at least 1.
    init(width: Int) { self.width = width }

    /// Whether no entry before this one costs at most as much in everything; such an entry is taken in.
    /// - Complexity: for up to two costs O(log n) and a move of what stands behind; for more O(n).
    mutating func insert(_ new: [Int]) -> Bool {
        switch width {
        case 1:
            if let least = costs.first, least <= new[0] { return false }
            costs = new
        case 2:
            let end = entryCount(upTo: new[0])
            if end > 0, costs[2 * end - 1] <= new[1] { return false }
            // Those from here on that cost at least as much in the second too are no longer needed.
            let start = end > 0 && costs[2 * end - 2] == new[0] ? end - 1 : end
            var next = start
            while 2 * next < costs.count, costs[2 * next + 1] >= new[1] { next += 1 }
            costs.replaceSubrange(2 * start..<2 * next, with: new)
        default:
            for start in stride(from: 0, to: costs.count, by: width) where isAtMost(new, from: start) { return false }
            costs += new
        }
        return true
    }

    /// How many of the entries of two costs have a first one of at most `bound`.
    private func entryCount(upTo bound: Int) -> Int {
        var (low, high) = (0, costs.count / 2)
        while low < high {
            let middle = (low + high) / 2
            if costs[2 * middle] <= bound { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func isAtMost(_ new: [Int], from start: Int) -> Bool {
        for k in 0..<width where costs[start + k] > new[k] { return false }
        return true
    }
}
