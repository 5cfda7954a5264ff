import COpenBLAS

/// A row-major matrix of doubles on counted memory, for sums and systems that float32 does not resolve.
///
/// It is a reference, so that sums grow in place; what computes from it makes new matrices.
package final class DoubleMatrix {
    package let rows: Int
    package let columns: Int
    private let storage: Storage

    /// The address of the first element; valid while the matrix lives.
    package var base: UnsafeMutablePointer<Double> { storage.pointer.assumingMemoryBound(to: Double.self) }

    private init(uninitialized rows: Int, _ columns: Int) throws {
        let shape = try Shape([rows, columns]).validated("matrix", elementBytes: MemoryLayout<Double>.stride)
        (self.rows, self.columns) = (rows, columns)
        storage = try Storage(byteCount: shape.elementCount * MemoryLayout<Double>.stride)
    }

    package convenience init(zeros rows: Int, _ columns: Int) throws {
        try self.init(uninitialized: rows, columns)
        base.initialize(repeating: 0, count: rows * columns)
    }

    /// A float32 matrix; other ranks lie as their first extent times the rest.
    package convenience init(_ matrix: Tensor) throws {
        let rows = matrix.shape.dims.first ?? 1
        try self.init(uninitialized: rows, matrix.elementCount / max(1, rows))
        let to = base
        try matrix.withElements(of: Float.self) { for i in 0..<$0.count { to[i] = Double($0[i]) } }
    }

    /// Rounded to float32: [rows, columns].
    package func tensor() throws -> Tensor {
        let result = try Tensor(uninitialized: [rows, columns])
        let from = base
        try result.withMutableElements(of: Float.self) { for i in $0.indices { $0[i] = Float(from[i]) } }
        return result
    }

    package func copy() throws -> DoubleMatrix {
        let copy = try DoubleMatrix(uninitialized: rows, columns)
        copy.base.initialize(from: base, count: rows * columns)
        return copy
    }

    /// self · `share` − a bᵀ, as a new matrix.
    package func scaled(by share: Double, less a: [Double], _ b: [Double]) throws -> DoubleMatrix {
        let result = try copy()
        for i in 0..<rows {
            let row = result.base + i * columns
            b.withUnsafeBufferPointer { b in for j in 0..<columns { row[j] = row[j] * share - a[i] * b[j] } }
        }
        return result
    }

    /// Adds `other` in place.
    package func add(_ other: DoubleMatrix) {
        let (to, from) = (base, other.base)
        for i in 0..<rows * columns { to[i] += from[i] }
    }

    /// Multiplies each row by its factor in place.
    package func scaleRows(by factors: [Double]) {
        for i in 0..<rows {
            let row = base + i * columns
            for j in 0..<columns { row[j] *= factors[i] }
        }
    }

    /// Multiplies each column by its factor in place.
    package func scaleColumns(by factors: [Double]) {
        for i in 0..<rows {
            let row = base + i * columns
            for j in 0..<columns { row[j] *= factors[j] }
        }
    }

    package var trace: Double { (0..<min(rows, columns)).reduce(0) { $0 + base[$1 * columns + $1] } }
    package var isFinite: Bool { UnsafeBufferPointer(start: base, count: rows * columns).allSatisfy(\.isFinite) }

    /// The elements of row `index`.
    package func row(_ index: Int) -> UnsafeBufferPointer<Double> {
        UnsafeBufferPointer(start: base + index * columns, count: columns)
    }
}

extension DoubleMatrix {
    /// The product with `other`, either of them transposed first.
    /// - Complexity: O(m·n·k), by BLAS (`dgemm`).
    package func product(
        _ other: DoubleMatrix, transposed isTransposed: Bool = false, otherTransposed: Bool = false
    ) throws -> DoubleMatrix {
        let (m, k) = isTransposed ? (columns, rows) : (rows, columns)
        let n = otherTransposed ? other.rows : other.columns
        let result = try DoubleMatrix(uninitialized: m, n)
        var (height, width, depth) = (Int32(m), Int32(n), Int32(k))
        var (own, theirs) = (Int32(columns), Int32(other.columns))
        var (one, zero) = (1.0, 0.0)
        // Row-major C = A·B is column-major Cᵀ = Bᵀ·Aᵀ.
        OpenBLAS.call {
            dgemm_(
                otherTransposed ? "T" : "N", isTransposed ? "T" : "N", &width, &height, &depth, &one, other.base, &theirs, base, &own,
                &zero, result.base, &width)
        }
        return result
    }

    /// X with X · (A + λI) = `right` for this symmetric matrix A; `nil` where A + λI is not positive definite.
    /// - Shape: A [n, n]; `right` and X [k, n].
    /// - Complexity: O(n³/3 + k·n²), by Cholesky's factors (LAPACK `dposv`).
    package func solving(rows right: DoubleMatrix, ridge: Double) throws -> DoubleMatrix? {
        let (factor, solution) = try (copy(), right.copy())
        for i in 0..<rows { factor.base[i * rows + i] += ridge }
        var order = Int32(rows), count = Int32(right.rows), info: Int32 = 0
        // Rows of the right side are the columns that LAPACK sees, and the matrix is its own transpose.
        OpenBLAS.call { dposv_("U", &order, &count, factor.base, &order, solution.base, &order, &info) }
        return info == 0 && solution.isFinite ? solution : nil
    }

    /// The unit eigenvectors of this symmetric matrix as rows, by ascending eigenvalues.
    /// - Throws: `noConvergence`.
    /// - Complexity: O(n³), by LAPACK's divide and conquer (`dsyevd`).
    package func symmetricEigenvectors() throws -> DoubleMatrix {
        let vectors = try copy()
        // The sizes that LAPACK documents, in place of a query that answers in floating point.
        guard var size = Int32(exactly: 1 + 6 * rows + 2 * rows * rows) else {
            throw TensorFailure.invalidArgument(operation: "eigen", detail: "[\(rows), \(rows)] is more than LAPACK can take apart")
        }
        var order = Int32(rows), wholeSize = Int32(3 + 5 * rows), info: Int32 = 0
        let (values, scratch) = try (DoubleMatrix(zeros: 1, rows), DoubleMatrix(zeros: 1, Int(size)))
        var whole = [Int32](repeating: 0, count: Int(wholeSize))
        OpenBLAS.call { dsyevd_("V", "U", &order, vectors.base, &order, values.base, scratch.base, &size, &whole, &wholeSize, &info) }
        guard info == 0 else {
            throw TensorFailure.noConvergence(
                operation: "eigen", detail: "LAPACK did not converge on [\(rows), \(rows)] (info \(info))")
        }
        return vectors
    }
}
