#if canImport(Glibc)
    import Glibc
#endif

/// How many singular values stand above the noise, by the analytic solution of empirical variational Bayes.
///
/// - Reference: S. Nakajima, M. Sugiyama, S. D. Babacan, R. Tomioka, *Global Analytic Solution of Fully-observed
///   Variational Bayesian Matrix Factorization*, JMLR 14, 2013, theorems 2 and 3 and corollary 1.
public enum VariationalRank {
    /// The rank of a matrix [rows, columns] with these singular values, all min(rows, columns) of them; the variance of
    /// the noise is estimated too.
    /// - Complexity: O(min(rows, columns)), some two hundred times.
    public static func estimate(singularValues: [Double], rows: Int, columns: Int) -> Int {
        let (l, m) = (Double(min(rows, columns)), Double(max(rows, columns)))
        let squares = singularValues.map { $0 * $0 }
        let total = squares.reduce(0, +)
        guard total > 0, l > 0 else { return 0 }
        let alpha = l / m
        let tau = leastScale(alpha)
        let threshold = (1 + tau) * (1 + alpha / tau)
        // The variance lies where at most l / (1 + α) values stand above the noise, and at most where none do.
        let most = min(squares.count - 1, Int((l / (1 + alpha)).rounded(.up)) - 1)
        let rest = squares[max(0, most)...]
        let upper = total / (l * m)
        let lower = max((rest.first ?? 0) / (m * threshold), rest.reduce(0, +) / Double(rest.count) / m, upper * 1e-12)
        let variance = minimum(from: lower, to: max(upper, lower)) { variance in
            squares.reduce(0) { $0 + freeEnergy($1 / (m * variance), alpha, threshold) }
        }
        let bound = m * variance * threshold
        return squares.filter { $0 > bound }.count
    }

    /// τ̄ of theorem 2: where Φ(τ) + Φ(τ / α) = 0 with Φ(z) = log(z + 1) / z − 1/2, which falls. The approximation 2.5129 · √α is 11 %
    /// too low at α = 0.01.
    package static func leastScale(_ alpha: Double) -> Double {
        func part(_ z: Double) -> Double { log1p(z) / z - 0.5 }
        // At the upper end the first part is 0, and the second is not above it.
        var (low, high) = (1e-12, 2.513)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if part(middle) + part(middle / alpha) > 0 { low = middle } else { high = middle }
        }
        return high
    }

    /// ψ(x) of corollary 1: the part of the free energy that depends on one value and the variance.
    private static func freeEnergy(_ x: Double, _ alpha: Double, _ threshold: Double) -> Double {
        let x = max(x, 1e-300)
        let noise = x - log(x)
        guard x > threshold else { return noise }
        let centre = x - (1 + alpha)
        let tau = (centre + max(0, centre * centre - 4 * alpha).squareRoot()) / 2
        return noise + log(tau + 1) + alpha * log(tau / alpha + 1) - tau
    }

    /// A grid on the logarithm, then golden sections around its best: the function may have several minima.
    private static func minimum(from low: Double, to high: Double, of function: (Double) -> Double) -> Double {
        let count = 128
        let step = log(high / low) / Double(count)
        guard step > 0 else { return low }
        let best = (0...count).map { (index: $0, value: function(low * exp(step * Double($0)))) }.min { $0.value < $1.value }
        let centre = Double(best?.index ?? 0)
        var (left, right) = (max(0, centre - 1), min(Double(count), centre + 1))
        let ratio = (5.0.squareRoot() - 1) / 2
        for _ in 0..<32 {
            let (a, b) = (right - ratio * (right - left), left + ratio * (right - left))
            if function(low * exp(step * a)) < function(low * exp(step * b)) { right = b } else { left = a }
        }
        return low * exp(step * (left + right) / 2)
    }

    /// The ranks of the bonds of a train; 0 where nothing stands above the noise.
    /// - Parameters:
    ///   - spectra: the singular values at each bond.
    ///   - modes: one more than there are bonds.
    static func ranks(spectra: [[Double]], modes: [Int], bounds: [Int]) -> [Int] {
        spectra.enumerated().map { bond, spectrum in
            let rank = estimate(
                singularValues: spectrum, rows: modes[...bond].reduce(1, *), columns: modes[(bond + 1)...].reduce(1, *))
            return min(rank, bounds[bond])
        }
    }
}
