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

extension Tensor {
    /// Up to this order the inverse is made row after row; above it, of halves, so that products do most of the work.
    private static var largestTriangle: Int { 96 }

    /// The inverse of an upper triangular matrix [n, n], whose other elements are 0; `nil` where it is singular.
    /// - Complexity: O(n³) / 3.
    package func upperTriangularInverse() throws -> Tensor? {
        let n = shape[0]
        guard n > Self.largestTriangle else {
            let (upper, inverse) = (try contiguous(), try Tensor(uninitialized: [n, n]))
            return withExtendedLifetime((upper.storage, inverse.storage)) {
                let elements = upper.base(Float.self)
                guard (0..<n).allSatisfy({ elements[$0 * n + $0] != 0 }) else { return nil }
                TriangularFactors.invert(elements, into: inverse.base(Float.self), n)
                return inverse
            }
        }
        // [A, B; 0, C]⁻¹ = [A⁻¹, −A⁻¹·B·C⁻¹; 0, C⁻¹].
        let half = n / 2
        let (top, bottom) = (try sliced(dim: 0, from: 0, to: half), try sliced(dim: 0, from: half, to: n))
        guard let first = try top.sliced(dim: 1, from: 0, to: half).upperTriangularInverse(),
            let last = try bottom.sliced(dim: 1, from: half, to: n).upperTriangularInverse()
        else { return nil }
        let corner = try first.matrixProduct(top.sliced(dim: 1, from: half, to: n)).matrixProduct(last).multiplying(-1)
        return try Tensor.concatenated(
            [
                Tensor.concatenated([first, corner], dim: 1),
                Tensor.concatenated([Tensor.zeros([n - half, half]), last], dim: 1),
            ], dim: 0)
    }
}
