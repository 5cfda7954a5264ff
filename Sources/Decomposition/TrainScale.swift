import Tensors

/// Trains whose scale one core in float32 could not carry.
extension TensorTrain {
    /// The train of `cores` times 2ᵉ, the power divided among the cores as their elements leave room for it.
    /// - Throws: `outOfRange` where there is no room.
    static func scaled(_ cores: [Tensor], byPowerOfTwo exponent: Int, _ operation: String) throws -> TensorTrain {
        guard exponent != 0 else { return try TensorTrain(cores: cores) }
        // How far each core's largest element is from where float32 ends, or where lesser ones would lose digits.
        let rooms = try cores.map { core -> Int in
            let largest = PowerOfTwo.exponent(of: try core.largestMagnitude())
            return exponent > 0 ? 127 - largest : largest + 100
        }
        var (rest, shares) = (abs(exponent), [Int](repeating: 0, count: cores.count))
        // Those with the least room first, so that the others share what they cannot take.
        for (left, k) in cores.indices.sorted(by: { rooms[$0] < rooms[$1] }).enumerated() {
            let remaining = cores.count - left
            shares[k] = max(0, min(rooms[k], (rest + remaining - 1) / remaining))
            rest -= shares[k]
        }
        guard rest == 0 else { throw DecompositionFailure.outOfRange(operation: operation, exponent: exponent) }
        return try TensorTrain(
            cores: zip(cores, shares).map { core, share in
                share == 0 ? core : try core.multiplied(byPowerOfTwo: exponent > 0 ? share : -share)
            })
    }

    /// The cores, those whose squares would leave float32's range brought to a norm of ½ to 1, and the power of two
    /// that was taken off them.
    func ordinaryCores() throws -> (cores: [Tensor], exponent: Int) {
        var total = 0
        let cores = try self.cores.map { core in
            let exponent = PowerOfTwo.exponent(energy: try core.energy())
            total += exponent
            return exponent == 0 ? core : try core.multiplied(byPowerOfTwo: -exponent)
        }
        return (cores, total)
    }

    /// - Throws: `notFinite` for a core with infinities or not-a-numbers.
    func requireFinite(_ operation: String) throws {
        for core in cores { try Self.requireDecomposable(core, operation) }
    }
}

extension Tensor {
    /// The largest |x|.
    fileprivate func largestMagnitude() throws -> Double {
        Double(try withElements(of: Float.self) { $0.reduce(0) { max($0, abs($1)) } })
    }
}
