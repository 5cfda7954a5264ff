import Basics
import Tensors

/// A tensor train interpolated from some elements of a tensor that was never formed.
public struct CrossTrain: Sendable {
    public let train: TensorTrain
    /// How many elements were asked for, repetitions among them.
    public let evaluationCount: Int
    /// ‖Ŵ − W‖ / ‖W‖ over elements drawn at random, which the interpolation did not choose.
    public let sampledError: Double
}

extension TensorTrain {
    /// Elements at `count` indices, which stand one after another in `indices`, a number per mode, from 0.
    public typealias Elements = (_ indices: [Int], _ count: Int) throws -> [Float]

    /// TT-cross: the train of a tensor that is known by its elements, from as few of them as its ranks need.
    ///
    /// Sweeps over pairs of neighbouring modes: each pair's block, at the indices that the others were given, is cut by an
    /// SVD, and rows of maximal volume become the indices for the next. It stops when random elements agree. A
    /// tensor that is zero almost everywhere may fool both: its few elements have to be met.
    /// - Parameters:
    ///   - modes: n_1 … n_d, up to 1,024 of them.
    ///   - relativeError: aimed at; what was reached is in the result.
    ///   - maxRank: no bond gets more than this.
    ///   - seed: of the first indices and of the elements that check the result.
    /// - Throws: `invalidError`, `shapeMismatch` for empty modes, a wrong number of elements or a block of more than 2²⁶,
    ///   `notFinite`, `outOfRange` where no cores of float32 can carry the scale; what `elements` throws; `Interrupted`.
    /// - Complexity: O(d · n² · r²) elements a sweep and O(d · n² · r³) operations.
    /// - Reference: I. Oseledets, E. Tyrtyshnikov, *TT-Cross Approximation for Multidimensional Arrays*, Linear Algebra Appl. 432,
    ///   2010, doi:10.1016/j.laa.2009.07.024; in pairs of modes D. Savostyanov, I. Oseledets, *Fast Adaptive Interpolation of
    ///   Multi-Dimensional Arrays in Tensor Train Format*, nDS 2011, doi:10.1109/nDS.2011.6076873.
    public static func cross(
        modes: [Int], relativeError: Double, maxRank: Int = 64, seed: UInt64 = 0, elements: Elements
    ) throws -> CrossTrain {
        guard relativeError >= 0, relativeError < 1 else {
            throw DecompositionFailure.invalidError(operation: "tensor cross", got: relativeError)
        }
        guard (1...1024).contains(modes.count), modes.allSatisfy({ (1...1 << 26).contains($0) }), maxRank >= 1 else {
            throw DecompositionFailure.shapeMismatch(
                operation: "tensor cross",
                detail: "needs 1 to 1,024 modes of 1 to 2²⁶ and a largest rank of at least 1, but got \(modes.prefix(32)) and \(maxRank)")
        }
        return try withoutActuallyEscaping(elements) { elements in
            var sweeps = CrossSweeps(modes: modes, relativeError: relativeError, maxRank: maxRank, seed: seed, elements: elements)
            return try sweeps.interpolated()
        }
    }
}

/// The state of TT-cross between sweeps.
private struct CrossSweeps {
    let modes: [Int]
    let relativeError: Double
    let maxRank: Int
    let elements: TensorTrain.Elements
    private var random: RandomSource
    private var evaluationCount = 0
    /// At k the chosen indices of modes before k, and of modes from k on.
    private var left: [[[Int]]]
    private var right: [[[Int]]]
    private var cores: [Tensor] = []
    /// The train is 2ᵉ times that of the cores.
    private var exponent = 0

    private static let sweepLimit = 12
    private static let sampleCount = 512
    /// Indices that stand in memory at a time, a number per mode.
    private static let chunk = 1 << 18
    private static let blockLimit = 0x1p26

    init(modes: [Int], relativeError: Double, maxRank: Int, seed: UInt64, elements: @escaping TensorTrain.Elements) {
        (self.modes, self.relativeError, self.maxRank, self.elements) = (modes, relativeError, maxRank, elements)
        random = RandomSource(seed: seed)
        left = [[[Int]]](repeating: [[]], count: modes.count + 1)
        right = left
        for k in modes.indices.dropFirst() {
            let first = drawn(from: k)
            right[k] = [first]
            let second = drawn(from: k)
            if second != first { right[k].append(second) }
        }
    }

    private mutating func drawn(from start: Int) -> [Int] {
        modes[start...].map { Int.random(in: 0..<$0, using: &random) }
    }

    mutating func interpolated() throws -> CrossTrain {
        guard modes.count > 1 else {
            let train = try TensorTrain(cores: [block(0, width: 1).reshaped([1, modes[0], 1])])
            return CrossTrain(train: train, evaluationCount: evaluationCount, sampledError: 0)
        }
        var best: (train: TensorTrain, error: Double)?
        for _ in 0..<Self.sweepLimit {
            try sweepRight()
            let train = try TensorTrain.scaled(cores, byPowerOfTwo: exponent, "tensor cross")
            let error = try sampledError(train)
            if error < best?.error ?? .infinity { best = (train, error) }
            if error <= relativeError { break }
            try sweepLeft()
        }
        guard let best else { throw DecompositionFailure.notFinite(operation: "tensor cross", shape: Shape(modes)) }
        return CrossTrain(train: best.train, evaluationCount: evaluationCount, sampledError: best.error)
    }

    // MARK: Sweeps

    private mutating func sweepRight() throws {
        cores = []
        for k in 0..<modes.count - 1 {
            let (rows, n) = (left[k], modes[k])
            let svd = try cut(block(k, width: 2))
            let shape: Shape = [rows.count, n, svd.right.shape[0]]
            guard k + 2 < modes.count else {
                exponent = svd.exponent
                cores += [try svd.left.reshaped(shape), try svd.right.reshaped([svd.right.shape[0], modes[k + 1], 1])]
                return
            }
            let chosen = try MaximumVolume(svd.left)
            left[k + 1] = chosen.rows.map { rows[$0 / n] + [$0 % n] }
            cores.append(try chosen.interpolation.narrowed(shape).tensor)
        }
    }

    private mutating func sweepLeft() throws {
        for k in (0..<modes.count - 1).reversed() {
            let columns = right[k + 2]
            let chosen = try MaximumVolume(cut(block(k, width: 2).transposed().contiguous()).left)
            right[k + 1] = chosen.rows.map { [$0 / columns.count] + columns[$0 % columns.count] }
        }
    }

    /// Orthonormal left [m, r] and right [r, n] whose product times 2ᵉ is the block, up to the error allowed at one bond.
    private func cut(_ block: Tensor) throws -> (left: Tensor, right: Tensor, exponent: Int) {
        let whole = try block.energy()
        guard whole > 0 else {
            var unit = [Float](repeating: 0, count: block.shape[0])
            unit[0] = 1
            return (try Tensor(unit, shape: [block.shape[0], 1]), try .zeros([1, block.shape[1]]), 0)
        }
        let exponent = PowerOfTwo.exponent(energy: whole)
        let scaled = try exponent == 0 ? block : block.multiplied(byPowerOfTwo: -exponent)
        // Half of what is allowed, because interpolating from chosen rows loses more than the cut itself.
        let share = max(relativeError, 0x1p-24) / 2 / Double(max(1, modes.count - 1)).squareRoot()
        let energy = try scaled.energy()
        let svd = try scaled.truncatedSVD(.energy(cutting: share * share * energy, maxRank: maxRank), energy: energy)
        return (svd.left, svd.right, exponent)
    }

    // MARK: Elements

    /// The elements at all of `width` neighbouring modes, with those indices of the others that were chosen: as a matrix
    /// [left · n_k, n_{k+1} · right], or of one mode [left · n_k, right].
    private mutating func block(_ k: Int, width: Int) throws -> Tensor {
        let (rows, columns) = (left[k], right[k + width])
        let count = modes[k..<k + width].reduce(Double(rows.count * columns.count)) { $0 * Double($1) }
        guard count <= Self.blockLimit else {
            throw DecompositionFailure.shapeMismatch(
                operation: "tensor cross",
                detail: "a block of modes \(modes[k..<k + width]) at ranks \(rows.count) and "
                    + "\(columns.count) is too large: 2²⁶ elements are the most; use smaller modes or a lower largest rank")
        }
        let result = try Tensor(uninitialized: [rows.count * modes[k], Int(count) / (rows.count * modes[k])])
        var (indices, filled) = ([Int](), 0)
        func fill() throws {
            let values = try evaluate(&indices)
            try result.withMutableElements(of: Float.self) { target in
                for (i, value) in values.enumerated() { target[filled + i] = value }
            }
            filled += values.count
        }
        let limit = max(1, Self.chunk / modes.count) * modes.count
        for row in rows {
            for middle in 0..<modes[k..<k + width].reduce(1, *) {
                for column in columns {
                    indices += row
                    if width == 2 { indices.append(middle / modes[k + 1]) }
                    indices.append(middle % modes[k + width - 1])
                    indices += column
                    if indices.count >= limit { try fill() }
                }
            }
        }
        try fill()
        return result
    }

    /// The elements at some indices, which are then forgotten.
    private mutating func evaluate(_ indices: inout [Int]) throws -> [Float] {
        let count = indices.count / modes.count
        guard count > 0 else { return [] }
        try Cancellation.check()
        let found = try elements(indices, count)
        guard found.count == count else {
            throw DecompositionFailure.shapeMismatch(
                operation: "tensor cross", detail: "\(count) elements were asked for, but \(found.count) were given")
        }
        guard found.allSatisfy(\.isFinite) else {
            throw DecompositionFailure.notFinite(operation: "tensor cross", shape: Shape(modes))
        }
        evaluationCount += count
        indices.removeAll(keepingCapacity: true)
        return found
    }

    private mutating func sampledError(_ train: TensorTrain) throws -> Double {
        let points = (0..<Self.sampleCount).map { _ in drawn(from: 0) }
        var indices = points.flatMap { $0 }
        let wanted = try evaluate(&indices)
        var (apart, energy) = (0.0, 0.0)
        for (point, value) in zip(points, wanted) {
            let difference = try train.element(at: point) - Double(value)
            apart += difference * difference
            energy += Double(value) * Double(value)
        }
        return energy > 0 ? (apart / energy).squareRoot() : (apart > 0 ? 1 : 0)
    }
}
