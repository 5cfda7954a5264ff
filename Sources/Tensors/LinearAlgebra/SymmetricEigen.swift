import COpenBLAS

extension Tensor {
    /// The eigenvalues (ascending) and eigenvectors (columns of [n, n]) of a symmetric matrix.
    /// - Throws: `shapeMismatch` for anything but a square matrix with elements, `invalidArgument` for values that are not
    ///   finite and for eigenvalues beyond float32, `noConvergence`, `outOfMemory`.
    /// - Complexity: O(n³), by LAPACK's divide and conquer (`ssyevd`).
    public func symmetricEigen() throws -> (values: [Float], vectors: Tensor) {
        try requireRank(2, "eigen")
        try requireFinite("eigen")
        let n = shape[0]
        guard n > 0, shape[1] == n else {
            throw TensorFailure.shapeMismatch(operation: "eigen", detail: "needs a square matrix, but got \(shape)")
        }
        let exponent = PowerOfTwo.exponent(energy: try energy())
        let work = exponent == 0 ? try copy() : try multiplied(byPowerOfTwo: -exponent)
        var order = try LAPACK.integer(n, "eigen")
        let values = try Tensor(uninitialized: [n])
        try withExtendedLifetime((work.storage, values.storage)) {
            try Threads.forEigenproblem(ofOrder: n) {
                try LAPACK.run("eigen", shape, needs: .eigenproblem(n)) { (call: inout LAPACK.Call<Float>) in
                    ssyevd_(
                        "V", "U", &order, work.base(), &order, values.base(), call.reals, &call.realCount, call.integers,
                        &call.integerCount, &call.info)
                }
            }
        }
        let found = try exponent == 0 ? values : values.multiplied(byPowerOfTwo: exponent)
        guard try exponent <= 0 || found.energy().isFinite else {
            throw TensorFailure.invalidArgument(
                operation: "eigen", detail: "the eigenvalues of \(shape) are beyond float32; scale the matrix down")
        }
        return (try found.array(of: Float.self), try work.transposed().copy())
    }
}
