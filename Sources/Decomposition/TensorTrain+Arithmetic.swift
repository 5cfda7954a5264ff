import Tensors

/// Arithmetic on cores: the full tensors are never formed.
///
/// - Reference: Oseledets 2011, doi:10.1137/090752286, section 4.
extension TensorTrain {
    /// The sum; ranks add up, so round afterwards.
    /// - Throws: `shapeMismatch` unless the modes agree; `outOfRange` for the sum of single cores beyond float32.
    public func adding(_ other: TensorTrain) throws -> TensorTrain {
        try requireModes(of: other, "adding trains")
        let last = cores.count - 1
        if last == 0 {
            let sum = try cores[0].adding(other.cores[0])
            guard try sum.energy().isFinite else {
                throw DecompositionFailure.outOfRange(operation: "adding trains", exponent: 128)
            }
            return try TensorTrain(cores: [sum])
        }
        return try TensorTrain(
            cores: zip(cores, other.cores).enumerated().map { k, pair in
                let (a, b) = pair
                if k == 0 { return try .concatenated([a, b], dim: 2) }
                if k == last { return try .concatenated([a, b], dim: 0) }
                let upper = try Tensor.concatenated([a, .zeros([a.shape[0], a.shape[1], b.shape[2]])], dim: 2)
                let lower = try Tensor.concatenated([.zeros([b.shape[0], b.shape[1], a.shape[2]]), b], dim: 2)
                return try .concatenated([upper, lower], dim: 0)
            })
    }

    /// The train times a number.
    /// - Throws: `invalidFactor` for one that is not finite; `outOfRange` where no cores of float32 can carry the scale.
    public func scaled(by factor: Double) throws -> TensorTrain {
        guard factor.isFinite else { throw DecompositionFailure.invalidFactor(operation: "scaling a train", got: factor) }
        let energy = try cores[0].energy() * factor * factor
        if factor == 0 || energy > 0 && energy.isFinite && PowerOfTwo.exponent(energy: energy) == 0 {
            return try TensorTrain(cores: [cores[0].multiplying(factor)] + cores.dropFirst())
        }
        let exponent = PowerOfTwo.exponent(of: factor)
        let first = try cores[0].multiplying(PowerOfTwo.scaled(factor, by: -exponent))
        return try .scaled([first] + cores.dropFirst(), byPowerOfTwo: exponent, "scaling a train")
    }

    /// The element-wise (Hadamard) product; ranks multiply, so round afterwards.
    /// - Throws: `shapeMismatch` unless the modes agree; `tooLarge` for a product that memory cannot hold, `outOfRange`
    ///   where no cores of float32 can carry its scale.
    public func multiplyingElements(by other: TensorTrain) throws -> TensorTrain {
        try requireModes(of: other, "multiplying trains")
        let sizes = zip(cores, other.cores).map { a, b in
            TensorTrain.saturatedProduct([a.shape[0], b.shape[0], a.shape[1], a.shape[2], b.shape[2]])
        }
        try Self.requireMemory(for: sizes.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 }, "multiplying trains")
        let (own, theirs) = (try ordinaryCores(), try other.ordinaryCores())
        let products = try zip(own.cores, theirs.cores).map { a, b in
            let (n, p, q) = (a.shape[1], a.shape, b.shape)
            let left = try a.reshaped([p[0], 1, n, p[2], 1])
            return try left.multiplying(b.reshaped([1, q[0], n, 1, q[2]])).reshaped([p[0] * q[0], n, p[2] * q[2]])
        }
        return try .scaled(products, byPowerOfTwo: own.exponent + theirs.exponent, "multiplying trains")
    }

    /// Σ of the products of all elements, in float64.
    /// - Throws: `shapeMismatch` unless the modes agree.
    /// - Complexity: O(d · n · r³).
    public func innerProduct(_ other: TensorTrain) throws -> Double {
        try requireModes(of: other, "inner product of trains")
        // [r, r′] of this and the other train, with a largest element of ½ to 1, times a power of two.
        var (carried, exponent) = (try PreciseMatrix(.ones([1]), rows: 1, columns: 1), 0)
        try onFewThreads {
            for (a, b) in zip(cores, other.cores) {
                let right = try PreciseCore(b).multiplied(fromLeft: carried).tall
                let next = try PreciseCore(a).tall.product(right, transposingSelf: true)
                let power = PowerOfTwo.exponent(of: next.largest)
                carried = try next.multiplied(byPowerOfTwo: -power)
                exponent += power
            }
        }
        return PowerOfTwo.scaled(carried.withElements { $0[0] }, by: exponent)
    }

    /// One element, at an index per mode from 0, in float64.
    /// - Throws: `invalidIndex`.
    /// - Complexity: O(d · r²).
    public func element(at index: [Int]) throws -> Double {
        guard index.count == cores.count, zip(index, modes).allSatisfy({ $0 >= 0 && $0 < $1 }) else {
            throw DecompositionFailure.invalidIndex(index: index, modes: modes)
        }
        var (row, exponent) = ([1.0], 0)
        for (core, i) in zip(cores, index) {
            let (n, r) = (core.shape[1], core.shape[2])
            let next = try core.withElements(of: Float.self) { values in
                (0..<r).map { column in
                    row.indices.reduce(0.0) { $0 + row[$1] * Double(values[($1 * n + i) * r + column]) }
                }
            }
            let power = PowerOfTwo.exponent(of: next.reduce(0) { max($0, abs($1)) })
            row = next.map { PowerOfTwo.scaled($0, by: -power) }
            exponent += power
        }
        return PowerOfTwo.scaled(row[0], by: exponent)
    }

    private func requireModes(of other: TensorTrain, _ operation: String) throws {
        guard modes == other.modes else {
            throw DecompositionFailure.shapeMismatch(
                operation: operation, detail: "needs equal modes, but got \(modes) and \(other.modes)")
        }
    }
}
