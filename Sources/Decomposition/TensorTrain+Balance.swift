import Tensors

#if canImport(Glibc)
    import Glibc
#endif

extension TensorTrain {
    /// The same tensor with its scale spread evenly: at every bond, slice i of the core to the left and slice i of
    /// the core to the right have equal norms.
    ///
    /// Gradient descent moves factors of equal norm at equal speed; orthonormal cores beside one that carries all
    /// singular values fine-tune badly. Each bond is scaled in turn by √(right norm / left norm); a train of one bond
    /// is balanced after one sweep, longer ones to a few percent after `sweeps`.
    /// - Throws: `notFinite`; `outOfRange` where no cores of float32 can carry the scale.
    /// - Complexity: O(sweeps · parameterCount).
    public func balanced(sweeps: Int = 6) throws -> TensorTrain {
        try requireFinite("balancing a train")
        let (ordinary, exponent) = try ordinaryCores()
        let cores = try ordinary.map { try $0.copy() }
        for _ in 0..<(cores.count > 2 ? sweeps : 1) {
            for k in cores.indices.dropLast() { try Self.balance(cores[k], cores[k + 1]) }
        }
        guard exponent != 0 else { return try TensorTrain(cores: cores) }
        let factor = exp2(Double(exponent) / Double(cores.count))
        let scaled = try cores.map { core in
            try Tensor(core.array(of: Float.self).map { Float(Double($0) * factor) }, shape: core.shape)
        }
        guard try scaled.allSatisfy({ try $0.energy().isFinite }) else {
            throw DecompositionFailure.outOfRange(operation: "balancing a train", exponent: exponent)
        }
        return try TensorTrain(cores: scaled)
    }

    /// Scales the last dimension of `left` and the first of `right` in place, their product unchanged.
    private static func balance(_ left: Tensor, _ right: Tensor) throws {
        let rank = right.shape[0]
        try left.withMutableElements(of: Float.self) { a in
            try right.withMutableElements(of: Float.self) { b in
                let width = b.count / rank
                var leftEnergy = [Double](repeating: 0, count: rank)
                for row in stride(from: 0, to: a.count, by: rank) {
                    for i in 0..<rank { leftEnergy[i] += Double(a[row + i]) * Double(a[row + i]) }
                }
                var factors = [Float](repeating: 1, count: rank)
                for i in 0..<rank {
                    let row = UnsafeBufferPointer(rebasing: b[(i * width)..<((i + 1) * width)])
                    let rightEnergy = Vectors.dot(row, row)
                    // A slice that is nothing but rounding noise keeps its scale.
                    let ratio = rightEnergy / leftEnergy[i]
                    if ratio.isFinite, ratio > 1e-24, ratio < 1e24 { factors[i] = Float(pow(ratio, 0.25)) }
                    for j in (i * width)..<((i + 1) * width) { b[j] /= factors[i] }
                }
                for row in stride(from: 0, to: a.count, by: rank) {
                    for i in 0..<rank { a[row + i] *= factors[i] }
                }
            }
        }
    }
}
