public import Tensors

/// Arithmetic on cores: the full tensors are never formed.
///
/// - Reference: Oseledets 2011, doi:10.1137/090752286, section 4.
extension TensorTrain {
    /// The sum; ranks add up, so round afterwards.
    /// - Throws: `shapeMismatch` unless the modes agree.
    public func adding(_ other: TensorTrain) throws -> TensorTrain {
        try requireModes(of: other, "adding trains")
        let last = cores.count - 1
        if last == 0 { return try TensorTrain(cores: [cores[0].adding(other.cores[0])]) }
        return try TensorTrain(cores: zip(cores, other.cores).enumerated().map { k, pair in
            let (a, b) = pair
            if k == 0 { return try .concatenated([a, b], dim: 2) }
            if k == last { return try .concatenated([a, b], dim: 0) }
            let upper = try Tensor.concatenated([a, .zeros([a.shape[0], a.shape[1], b.shape[2]])], dim: 2)
            let lower = try Tensor.concatenated([.zeros([b.shape[0], b.shape[1], a.shape[2]]), b], dim: 2)
            return try .concatenated([upper, lower], dim: 0)
        })
    }

    /// The train times a number.
    /// - Throws: `invalidFactor` for one that is not finite.
    public func scaled(by factor: Double) throws -> TensorTrain {
        guard factor.isFinite else { throw DecompositionFailure.invalidFactor(operation: "scaling a train", got: factor) }
        return try TensorTrain(cores: [cores[0].multiplying(factor)] + cores.dropFirst())
    }

    /// The element-wise (Hadamard) product; ranks multiply, so round afterwards.
    /// - Throws: `shapeMismatch` unless the modes agree; `tooLarge` for a product that memory cannot hold.
    public func multiplyingElements(by other: TensorTrain) throws -> TensorTrain {
        try requireModes(of: other, "multiplying trains")
        let sizes = zip(cores, other.cores).map { a, b in
            TensorTrain.saturatedProduct([a.shape[0], b.shape[0], a.shape[1], a.shape[2], b.shape[2]])
        }
        try Self.requireMemory(for: sizes.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }, "multiplying trains")
        return try TensorTrain(cores: zip(cores, other.cores).map { a, b in
            let (n, p, q) = (a.shape[1], a.shape, b.shape)
            let left = try a.reshaped([p[0], 1, n, p[2], 1])
            return try left.multiplying(b.reshaped([1, q[0], n, 1, q[2]])).reshaped([p[0] * q[0], n, p[2] * q[2]])
        })
    }

    /// Σ of the products of all elements.
    /// - Throws: `shapeMismatch` unless the modes agree.
    /// - Complexity: O(d · n · r³).
    public func innerProduct(_ other: TensorTrain) throws -> Double {
        try requireModes(of: other, "inner product of trains")
        var carried = try Tensor.ones([1, 1])  // [r, r′] of this and the other train
        for (a, b) in zip(cores, other.cores) {
            let right = try carried.matrixProduct(b.reshaped([b.shape[0], -1])).reshaped([-1, b.shape[2]])
            carried = try a.reshaped([-1, a.shape[2]]).transposed().matrixProduct(right)
        }
        return try carried.scalar()
    }

    /// One element, at an index per mode from 0.
    /// - Throws: `invalidIndex`.
    /// - Complexity: O(d · r²).
    public func element(at index: [Int]) throws -> Double {
        guard index.count == cores.count, zip(index, modes).allSatisfy({ $0 >= 0 && $0 < $1 }) else {
            throw DecompositionFailure.invalidIndex(index: index, modes: modes)
        }
        var row: [Double] = [1]
        for (core, i) in zip(cores, index) {
            let (n, r) = (core.shape[1], core.shape[2])
            row = try core.withElements(of: Float.self) { values in
                (0..<r).map { column in
                    row.indices.reduce(0.0) { $0 + row[$1] * Double(values[($1 * n + i) * r + column]) }
                }
            }
        }
        return row[0]
    }

    private func requireModes(of other: TensorTrain, _ operation: String) throws {
        guard modes == other.modes else {
            throw DecompositionFailure.shapeMismatch(
                operation: operation, detail: "needs equal modes, but got \(modes) and \(other.modes)")
        }
    }
}
