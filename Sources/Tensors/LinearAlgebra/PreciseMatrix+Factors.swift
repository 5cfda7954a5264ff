import COpenBLAS

/// Products and factorisations, by BLAS and LAPACK.
extension PreciseMatrix {
    /// A·B, of either the matrix itself or its transpose.
    package func product(
        _ other: PreciseMatrix, transposingSelf: Bool = false, transposingOther: Bool = false
    ) throws -> PreciseMatrix {
        let (m, inner) = transposingSelf ? (columns, rows) : (rows, columns)
        let (otherInner, n) = transposingOther ? (other.columns, other.rows) : (other.rows, other.columns)
        guard inner == otherInner else {
            throw TensorFailure.shapeMismatch(
                operation: "float64 product", detail: "[\(m), \(inner)] and [\(otherInner), \(n)] disagree on the inner dimension")
        }
        let result = try PreciseMatrix(rows: m, columns: n)
        guard result.count > 0 else { return result }
        func size(_ value: Int) throws -> Int32 { try LAPACK.integer(value, "float64 product") }
        var (height, width, depth) = (try size(m), try size(n), try size(inner))
        var (stride, otherStride) = (try size(max(1, columns)), try size(max(1, other.columns)))
        var (one, zero) = (1.0, 0.0)
        // Row-major C is column-major Cᵀ = Bᵀ·Aᵀ.
        withExtendedLifetime((self, other, result)) {
            OpenBLAS.call {
                dgemm_(
                    transposingOther ? "T" : "N", transposingSelf ? "T" : "N", &width, &height, &depth, &one, other.base, &otherStride,
                    base, &stride, &zero, result.base, &width)
            }
        }
        return result
    }

    /// A·Aᵀ [m, m].
    package func gram() throws -> PreciseMatrix {
        let result = try PreciseMatrix(rows: rows, columns: rows)
        var (order, length) = (try LAPACK.integer(rows, "Gram matrix"), try LAPACK.integer(max(1, columns), "Gram matrix"))
        var (one, zero) = (1.0, 0.0)
        withExtendedLifetime((self, result)) {
            OpenBLAS.call { dsyrk_("L", "T", &order, &length, &one, base, &length, &zero, result.base, &order) }
            // The lower triangle of the columns is the upper one of the rows.
            for i in 0..<rows { for j in 0..<i { result.base[i * rows + j] = result.base[j * rows + i] } }
        }
        return result
    }

    /// The eigenvalues of a symmetric matrix, descending, and its eigenvectors as columns.
    /// - Throws: `noConvergence`, `invalidArgument`, `outOfMemory`.
    package func symmetricEigen() throws -> (values: [Double], vectors: PreciseMatrix) {
        let n = rows
        let ascending = try copy()
        let values = try PreciseMatrix(rows: 1, columns: n)
        var order = try LAPACK.integer(n, "eigen")
        try withExtendedLifetime((ascending, values)) {
            try Threads.forEigenproblem(ofOrder: n) {
                try LAPACK.run("eigen", [n, n], needs: .eigenproblem(n)) { (call: inout LAPACK.Call<Double>) in
                    dsyevd_(
                        "V", "U", &order, ascending.base, &order, values.base, call.reals, &call.realCount, call.integers,
                        &call.integerCount, &call.info)
                }
            }
        }
        let vectors = try PreciseMatrix(rows: n, columns: n)
        ascending.withElements { source in
            for i in 0..<n { for k in 0..<n { vectors.base[k * n + i] = source[(n - 1 - i) * n + k] } }
        }
        return (values.withElements { $0.reversed() }, vectors)
    }

    /// X with X · (A + λI) = `right` for this symmetric matrix A; `nil` where A + λI is not positive definite.
    /// - Shape: A [n, n]; `right` and X [k, n].
    /// - Complexity: O(n³/3 + k·n²), by Cholesky's factors (LAPACK `dposv`).
    package func solving(rows right: PreciseMatrix, ridge: Double) throws -> PreciseMatrix? {
        let (factor, solution) = try (copy(), right.copy())
        factor.withElements { for i in 0..<rows { $0[i * rows + i] += ridge } }
        var (order, count, info) = (try LAPACK.integer(rows, "solve"), try LAPACK.integer(right.rows, "solve"), Int32(0))
        // Rows of the right side are the columns that LAPACK sees, and the matrix is its own transpose.
        withExtendedLifetime((factor, solution)) {
            OpenBLAS.call { dposv_("U", &order, &count, factor.base, &order, solution.base, &order, &info) }
        }
        return info == 0 && solution.isFinite ? solution : nil
    }

    /// Q [m, k] with orthonormal columns and R [k, n], k = min(m, n), with Q·R = A.
    /// - Throws: `invalidArgument`, `outOfMemory`.
    package func orthogonalFactors() throws -> (q: PreciseMatrix, r: PreciseMatrix) {
        // Column-major, A is Aᵀ = L·Q, of which R = Lᵀ and our Q = Qᵀ are the transposes again.
        let k = min(rows, columns)
        let work = try copy()
        let scales = try PreciseMatrix(rows: 1, columns: k)
        var (height, width) = (try LAPACK.integer(columns, "qr"), try LAPACK.integer(rows, "qr"))
        var rank = min(height, width)
        let r = try PreciseMatrix.zeros(rows: k, columns: columns)
        try withExtendedLifetime((work, scales, r)) {
            try LAPACK.run("qr", [rows, columns], needs: LAPACK.Need(reals: columns)) { (call: inout LAPACK.Call<Double>) in
                dgelqf_(&height, &width, work.base, &height, scales.base, call.reals, &call.realCount, &call.info)
            }
            for i in 0..<k { for j in i..<columns { r.base[i * columns + j] = work.base[i * columns + j] } }
            try LAPACK.run("qr", [rows, columns], needs: LAPACK.Need(reals: k)) { (call: inout LAPACK.Call<Double>) in
                dorglq_(&rank, &width, &rank, work.base, &height, scales.base, call.reals, &call.realCount, &call.info)
            }
        }
        return (try work.leadingColumns(k), r)
    }

    /// Q [m, r] with orthonormal columns and R [r, r] with Q·R = A, for a matrix [m, r] with m ≥ r whose columns are nearly
    /// orthogonal, as a matrix times its singular vectors is: Cholesky's factor of the small Gram matrix gives them at the cost
    /// of two products. Where they are not, Householder reflections do.
    package func orthonormalColumns() throws -> (q: PreciseMatrix, r: PreciseMatrix) {
        let gram = try PreciseMatrix(rows: columns, columns: columns)
        var (order, length) = (try LAPACK.integer(columns, "qr"), try LAPACK.integer(rows, "qr"))
        var (one, zero) = (1.0, 0.0)
        let isFactored = withExtendedLifetime((self, gram)) {
            OpenBLAS.call { dsyrk_("L", "N", &order, &length, &one, base, &order, &zero, gram.base, &order) }
            guard gram.isNearlyDiagonal else { return false }
            return TriangularFactors.factor(gram.base, columns)
        }
        guard isFactored else { return try orthogonalFactors() }
        let inverse = try PreciseMatrix(rows: columns, columns: columns)
        withExtendedLifetime((gram, inverse)) { TriangularFactors.invert(gram.base, into: inverse.base, columns) }
        return (try product(inverse), gram)
    }

    /// Whether ‖D^{−½}·G·D^{−½} − I‖ < ½ for the upper triangle of a Gram matrix G with diagonal D.
    private var isNearlyDiagonal: Bool {
        var deviation = 0.0
        for row in 0..<rows {
            let diagonal = base[row * rows + row]
            // Also refuses not-a-numbers.
            guard diagonal > 1e-280 else { return false }
            for column in (row + 1)..<max(row + 1, rows) {
                let product = base[row * rows + column] / diagonal
                deviation += product * base[row * rows + column] / base[column * rows + column]
            }
        }
        return 2 * deviation < 0.25
    }

    /// A thin SVD, U [m, r], σ descending, Vᵀ [r, n], r = min(m, n), by divide and conquer (`dgesdd`).
    /// - Throws: `noConvergence`, `invalidArgument`, `outOfMemory`.
    package func singularValueDecomposition() throws -> (u: PreciseMatrix, values: [Double], vt: PreciseMatrix) {
        let r = min(rows, columns)
        let work = try copy()
        let (u, vt) = (try PreciseMatrix(rows: rows, columns: r), try PreciseMatrix(rows: r, columns: columns))
        let values = try PreciseMatrix(rows: 1, columns: r)
        var (height, width) = (try LAPACK.integer(columns, "svd"), try LAPACK.integer(rows, "svd"))
        var rank = min(height, width)
        try withExtendedLifetime((work, u, vt, values)) {
            try LAPACK.run("svd", [rows, columns], needs: .singularValues(r)) { (call: inout LAPACK.Call<Double>) in
                dgesdd_(
                    "S", &height, &width, work.base, &height, values.base, vt.base, &height, u.base, &rank, call.reals,
                    &call.realCount, call.integers, &call.info)
            }
        }
        return (u, values.withElements { Array($0) }, vt)
    }
}
