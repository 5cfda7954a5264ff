/// Factors of a number as near to each other as its divisors allow: the modes of a TT-matrix.
public enum BalancedFactors {
    /// `count` factors ≥ 1, ascending, whose product is `number` and whose sum is the smallest possible; 1s where
    /// there are too few prime factors.
    /// - Throws: `invalidFactorCount` for a number or a count below 1, or above 2²⁴ and 32.
    public static func of(_ number: Int, count: Int) throws -> [Int] {
        guard (1...1 << 24).contains(number), (1...32).contains(count) else {
            throw DecompositionFailure.invalidFactorCount(number: number, count: count)
        }
        let divisors = (1...number).prefix { $0 * $0 <= number }.filter { number % $0 == 0 }
        var best: (sum: Int, factors: [Int]) = (.max, [])
        var chosen: [Int] = []
        // Ascending factors: each is at most the root, of its own order, of what is left.
        func search(_ rest: Int, _ left: Int, from least: Int, sum: Int) {
            guard sum < best.sum else { return }
            if left == 1 {
                if rest >= least, sum + rest < best.sum { best = (sum + rest, chosen + [rest]) }
                return
            }
            for factor in divisors where factor >= least && rest % factor == 0 {
                guard power(factor, left) <= rest else { break }
                chosen.append(factor)
                search(rest / factor, left - 1, from: factor, sum: sum + factor)
                chosen.removeLast()
            }
        }
        search(number, count, from: 1, sum: 0)
        return best.factors
    }

    /// base^exponent, saturating.
    private static func power(_ base: Int, _ exponent: Int) -> Int {
        var result = 1
        for _ in 0..<exponent {
            let (product, overflow) = result.multipliedReportingOverflow(by: base)
            if overflow { return .max }
            result = product
        }
        return result
    }

    /// - Throws: `factorMismatch` unless the factors are positive and multiply to `extent`.
    static func require(_ factors: [Int], multiplyTo extent: Int, side: String, _ operation: String) throws {
        var product = 1
        for factor in factors {
            let (value, overflow) = product.multipliedReportingOverflow(by: factor)
            product = overflow || factor < 1 ? -1 : value
            if product < 0 { break }
        }
        guard product == extent, !factors.isEmpty else {
            throw DecompositionFailure.factorMismatch(operation: operation, side: side, extent: extent, factors: factors)
        }
    }
}
