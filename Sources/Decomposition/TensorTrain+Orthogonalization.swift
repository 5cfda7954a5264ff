import Tensors

/// The same tensor with orthonormal cores on one side of a chosen one, which then carries the whole norm.
extension TensorTrain {
    /// Every core before `position` has orthonormal columns as [r_{k−1}·n_k, r_k], every one after it orthonormal rows
    /// as [r_{k−1}, n_k·r_k]. Ranks above what the modes allow fall to that.
    /// - Parameter position: the core, from 0, that keeps the norm.
    /// - Throws: `invalidCore`, `notFinite`, `outOfRange` where the norm does not fit into float32.
    /// - Complexity: O(d · n · r³), by QR.
    /// - Reference: Oseledets 2011, doi:10.1137/090752286, algorithm 2.
    public func orthogonalized(at position: Int) throws -> TensorTrain {
        guard cores.indices.contains(position) else {
            throw DecompositionFailure.invalidCore(position: position, count: cores.count)
        }
        try requireFinite("orthogonalisation")
        return try onFewThreads { try turned(position) }
    }

    private func turned(_ position: Int) throws -> TensorTrain {
        let precise = try cores.map { try PreciseCore($0) }
        let left = try OrthonormalTrain(orthonormalizing: Array(precise[...position]))
        // The rest in the opposite order, down to the chosen core.
        let rest = try precise[(position + 1)...].reversed().map { try $0.mirrored() } + [left.cores[position].mirrored()]
        let right = try OrthonormalTrain(orthonormalizing: rest)
        let turned = try left.cores[..<position] + right.cores.reversed().map { try $0.mirrored() }
        var cores = try turned.map { try $0.narrowed().core }
        let exponent = left.exponent + right.exponent
        let carrying = try cores[position].multiplied(byPowerOfTwo: exponent)
        let energy = try carrying.energy()
        guard try energy.isFinite && (energy > 0 || cores[position].energy() == 0) else {
            throw DecompositionFailure.outOfRange(operation: "orthogonalisation", exponent: exponent)
        }
        cores[position] = carrying
        return try TensorTrain(cores: cores)
    }

    /// ‖W‖, from the cores alone, in float64.
    /// - Throws: `notFinite`.
    /// - Complexity: O(d · n · r³), by QR.
    public func norm() throws -> Double {
        try requireFinite("norm of a train")
        let train = try onFewThreads { try OrthonormalTrain(self) }
        return PowerOfTwo.scaled(train.energy.squareRoot(), by: train.exponent)
    }
}
