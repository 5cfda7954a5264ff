/// Cholesky's factor of a small Gram matrix and its inverse, row after row.
///
/// Not LAPACK's: OpenBLAS 0.3.21 takes a processor that it does not know for a Prescott, and the kernel that its `spotrf` and
/// `strtri` use there reads memory as aligned that is not (orders of 57 end the process).
enum TriangularFactors {
    /// The upper triangle of a symmetric matrix [n, n] becomes R with Rᵀ·R = G, and what is below it 0.
    /// - Returns: whether G is positive definite.
    /// - Complexity: O(n³) / 6.
    static func factor<Real: BinaryFloatingPoint>(_ gram: UnsafeMutablePointer<Real>, _ n: Int) -> Bool {
        for i in 0..<n {
            let row = gram + i * n
            guard row[i] > 0, row[i].isFinite else { return false }
            for j in 0..<i { row[j] = 0 }
            let root = row[i].squareRoot()
            for j in i..<n { row[j] /= root }
            for k in i + 1..<max(i + 1, n) {
                let (target, factor) = (gram + k * n, row[k])
                for j in k..<n { target[j] -= factor * row[j] }
            }
        }
        return true
    }

    /// R⁻¹ of an upper triangular matrix without a 0 on its diagonal, into `inverse`.
    /// - Complexity: O(n³) / 6.
    static func invert<Real: BinaryFloatingPoint>(
        _ upper: UnsafePointer<Real>, into inverse: UnsafeMutablePointer<Real>, _ n: Int
    ) {
        for i in (0..<n).reversed() {
            let target = inverse + i * n
            for j in 0..<n { target[j] = j == i ? 1 : 0 }
            for k in i + 1..<max(i + 1, n) {
                let (row, factor) = (inverse + k * n, upper[i * n + k])
                for j in k..<n { target[j] -= factor * row[j] }
            }
            let diagonal = upper[i * n + i]
            for j in i..<n { target[j] /= diagonal }
        }
    }
}
