/// Counts that come from shapes in a file: they saturate where plain arithmetic would trap.
package enum Counts {
    /// The largest count: every whole number up to here is exact as a double, and so in reports.
    package static let limit = 1 << 53

    /// The product of numbers that are not negative, or `limit` when it is larger.
    package static func product(_ factors: [Int]) -> Int {
        if factors.contains(0) { return 0 }
        return factors.reduce(1) { partial, factor in
            let (product, overflow) = partial.multipliedReportingOverflow(by: factor)
            return overflow ? limit : min(product, limit)
        }
    }

    /// The sum of two counts, or `limit` when it is larger.
    package static func sum(_ a: Int, _ b: Int) -> Int { min(a + b, limit) }
}
