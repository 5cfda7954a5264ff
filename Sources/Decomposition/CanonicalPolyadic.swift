import Basics
public import Tensors

/// A convolution weight [O, C, Kh, Kw] as a sum of R products of vectors, W[o, c, y, x] ≈ Σ_r o_r[o] · c_r[c] · y_r[y] · x_r[x], found by
/// alternating least squares with a bounded norm.
///
/// Sums of products may have no best approximation: terms grow without bound and cancel, and then neither arithmetic in float32
/// nor training holds them together. So every step minimises the squared error plus a small multiple of the squared norms
/// of the factors, and the terms' norms are shared equally by their four vectors.
/// - Reference: Phan, Sobolev, Sozykin, Ermilov, Gusak, Tichavský, Glukhov, Oseledets, Cichocki, *Stable Low-rank Tensor
///   Decomposition for Compression of Convolutional Neural Network*, ECCV 2020, arXiv:2008.05441 (why norms must be bounded);
///   alternating least squares: Kolda, Bader, *Tensor Decompositions and Applications*, SIAM Review 51(3), 2009,
///   doi:10.1137/07070111X, figure 3.3.
public struct CanonicalPolyadic: Sendable {
    /// [R, O], [R, C], [R, Kh] and [R, Kw], row-major.
    public internal(set) var output: [Float]
    public internal(set) var input: [Float]
    public internal(set) var rows: [Float]
    public internal(set) var columns: [Float]
    public let rank: Int
    /// ‖W − Ŵ‖² / ‖W‖², computed from the difference itself.
    public internal(set) var relativeSquaredError = 1.0

    /// Σ_r ‖term r‖² / ‖W‖²: how much larger the terms are than what they add up to. 1 for orthogonal terms that are exact.
    public internal(set) var termEnergy = 0.0
}

/// The alternating least squares of one weight, at any ranks, each started from the one before.
public struct CanonicalPolyadicFit: Sendable {
    /// The share of a factor's mean squared norm that is added to the normal equations.
    private static let ridge = 1e-4
    private static let sweepLimit = 60
    /// Sweeps end where one lowers the error by less than this share of it.
    private static let leastGain = 2e-3

    let (o, c, kh, kw): (Int, Int, Int, Int)
    /// W / ‖W‖ as [C·Kh·Kw, O] and as [C, Kh·Kw·O].
    private let byOutput: Tensor
    private let byInput: Tensor
    /// ‖W‖, which the result is scaled by.
    private let norm: Double

    /// - Parameter weight: [O, C, Kh, Kw].
    /// - Throws: `shapeMismatch`, `notFinite`.
    public init(_ weight: Tensor) throws {
        try ConvolutionGrouping.requireWeight(weight.shape)
        let energy = try TensorTrain.requireDecomposable(weight, "CP decomposition")
        (o, c, kh, kw) = (weight.shape[0], weight.shape[1], weight.shape[2], weight.shape[3])
        norm = energy.squareRoot()
        let scaled = try norm > 0 ? weight.multiplying(1 / norm) : weight
        let tensor = try ConvolutionGrouping.tensorized(scaled)
        byOutput = try tensor.reshaped([c * kh * kw, o])
        byInput = try tensor.reshaped([c, kh * kw * o])
    }

    /// The largest rank that could be needed: a sum over what the two smaller of the modes C, Kh·Kw and O can tell apart.
    public var rankBound: Int { [c * kh * kw, o * kh * kw, c * o].min() ?? 1 }

    /// The factors at `rank`.
    /// - Parameter start: factors of a lower rank, whose terms come first; the others start at random.
    /// - Throws: `rankNotPositive`.
    /// - Complexity: O(C · Kh · Kw · O · rank) a sweep.
    public func factors(rank: Int, from start: CanonicalPolyadic? = nil) throws -> CanonicalPolyadic {
        guard rank >= 1 else { throw DecompositionFailure.rankNotPositive(operation: "CP decomposition", bond: 0, got: rank) }
        var found = started(rank, start)
        guard norm > 0 else { return zero(rank) }
        var last = Double.infinity
        for _ in 0..<Self.sweepLimit {
            let error = try sweep(&found)
            guard error < last * (1 - Self.leastGain) || last == .infinity else { break }
            last = error
        }
        found.relativeSquaredError = try error(of: found)
        found.termEnergy = termEnergy(found)
        return scaled(found)
    }

    // MARK: One sweep

    /// Updates the input, rows, columns and output factors in turn; gives an estimate of the squared error of W / ‖W‖.
    private func sweep(_ f: inout CanonicalPolyadic) throws -> Double {
        let r = f.rank
        // T[c, y, x, r] = Σ_o W[c, y, x, o] · output[r, o]: one product serves three updates.
        let contracted = try byOutput.matrixProduct(Tensor(f.output, shape: [r, o]).transposed()).array(of: Float.self)
        f.input = try solved(
            contract(contracted, r, over: .input, f), r, count: c, grams: [gram(f.output, r), gram(f.rows, r), gram(f.columns, r)])
        f.rows = try solved(
            contract(contracted, r, over: .rows, f), r, count: kh, grams: [gram(f.output, r), gram(f.input, r), gram(f.columns, r)])
        f.columns = try solved(
            contract(contracted, r, over: .columns, f), r, count: kw,
            grams: [gram(f.output, r), gram(f.input, r), gram(f.rows, r)])
        // U[r, y, x, o] = Σ_c input[r, c] · W[c, y, x, o].
        let spread = try Tensor(f.input, shape: [r, c]).matrixProduct(byInput).array(of: Float.self)
        var products = [Float](repeating: 0, count: r * o)
        for k in 0..<r {
            for y in 0..<kh {
                for x in 0..<kw {
                    let factor = f.rows[k * kh + y] * f.columns[k * kw + x]
                    let from = ((k * kh + y) * kw + x) * o
                    for i in 0..<o { products[k * o + i] += factor * spread[from + i] }
                }
            }
        }
        let others = try hadamard([gram(f.input, r), gram(f.rows, r), gram(f.columns, r)])
        f.output = try solved(products, r, count: o, hadamard: others)
        // ‖W − Ŵ‖² = ‖W‖² − 2⟨W, Ŵ⟩ + ‖Ŵ‖², both from what the last update had at hand.
        let common = zip(products, f.output).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let own = try zip(gram(f.output, r), others).reduce(0.0) { $0 + $1.0 * $1.1 }
        balance(&f)
        return 1 - 2 * common + own
    }

    private enum Mode { case input, rows, columns }

    /// The matricised tensor times the other factors, [R, n], of T [C, Kh, Kw, R], into which the output is contracted.
    private func contract(_ t: [Float], _ r: Int, over mode: Mode, _ f: CanonicalPolyadic) -> [Float] {
        let count = mode == .input ? c : mode == .rows ? kh : kw
        // Terms next to each other, so that the inner loop runs over them.
        var sums = [Float](repeating: 0, count: count * r)
        let (input, rows, columns) = (byPlace(f.input, r, c), byPlace(f.rows, r, kh), byPlace(f.columns, r, kw))
        t.withUnsafeBufferPointer { t in
            for i in 0..<c {
                for y in 0..<kh {
                    for x in 0..<kw {
                        let from = ((i * kh + y) * kw + x) * r
                        switch mode {
                        case .input:
                            for k in 0..<r { sums[i * r + k] += t[from + k] * rows[y * r + k] * columns[x * r + k] }
                        case .rows:
                            for k in 0..<r { sums[y * r + k] += t[from + k] * input[i * r + k] * columns[x * r + k] }
                        case .columns:
                            for k in 0..<r { sums[x * r + k] += t[from + k] * input[i * r + k] * rows[y * r + k] }
                        }
                    }
                }
            }
        }
        return byTerm(sums, r, count)
    }

    private func byPlace(_ factor: [Float], _ r: Int, _ n: Int) -> [Float] {
        var turned = factor
        for k in 0..<r { for i in 0..<n { turned[i * r + k] = factor[k * n + i] } }
        return turned
    }

    private func byTerm(_ sums: [Float], _ r: Int, _ n: Int) -> [Float] {
        var turned = sums
        for i in 0..<n { for k in 0..<r { turned[k * n + i] = sums[i * r + k] } }
        return turned
    }

    // MARK: Normal equations

    /// [R, R].
    private func gram(_ factor: [Float], _ r: Int) throws -> [Double] {
        let matrix = try PreciseMatrix(Tensor(factor, shape: [r, factor.count / r]))
        return try matrix.product(matrix, transposingOther: true).withElements { Array($0) }
    }

    private func hadamard(_ grams: [[Double]]) -> [Double] {
        grams.dropFirst().reduce(grams[0]) { product, gram in zip(product, gram).map { $0 * $1 } }
    }

    private func solved(_ products: [Float], _ r: Int, count: Int, grams: [[Double]]) throws -> [Float] {
        try solved(products, r, count: count, hadamard: hadamard(grams))
    }

    /// (Γ + λI)⁻¹ M for products M [R, n].
    private func solved(_ products: [Float], _ r: Int, count: Int, hadamard gamma: [Double]) throws -> [Float] {
        let trace = (0..<r).reduce(0) { $0 + gamma[$1 * r + $1] }
        let matrix = try PreciseMatrix.zeros(rows: r, columns: r)
        matrix.withElements { for i in 0..<r * r { $0[i] = gamma[i] } }
        let right = try PreciseMatrix(Tensor(products, shape: [r, count]).transposed().contiguous())
        var ridge = Self.ridge * max(trace / Double(r), .leastNormalMagnitude)
        while true {
            if let solution = try matrix.solving(rows: right, ridge: ridge) {
                return try solution.tensor().transposed().contiguous().array(of: Float.self)
            }
            ridge *= 16
            guard ridge.isFinite else { throw DecompositionFailure.notFinite(operation: "CP decomposition", shape: [o, c, kh, kw]) }
        }
    }

    // MARK: Terms

    private func norms(_ factor: [Float], _ r: Int) -> [Double] {
        let n = factor.count / r
        return (0..<r).map { k in
            factor[k * n..<(k + 1) * n].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        }
    }

    /// The four vectors of each term get equal norms.
    private func balance(_ f: inout CanonicalPolyadic) {
        let all = [f.input, f.rows, f.columns, f.output].map { norms($0, f.rank) }
        func scale(_ factor: inout [Float], _ own: [Double]) {
            let n = factor.count / f.rank
            for k in 0..<f.rank {
                let product = all.reduce(1.0) { $0 * $1[k] }
                let by = own[k] > 0 && product > 0 ? Float(product.squareRoot().squareRoot() / own[k]) : 1
                for i in 0..<n { factor[k * n + i] *= by }
            }
        }
        scale(&f.input, all[0])
        scale(&f.rows, all[1])
        scale(&f.columns, all[2])
        scale(&f.output, all[3])
    }

    private func termEnergy(_ f: CanonicalPolyadic) -> Double {
        let all = [f.input, f.rows, f.columns, f.output].map { norms($0, f.rank) }
        return (0..<f.rank).reduce(0) { sum, k in
            let norm = all.reduce(1.0) { $0 * $1[k] }
            return sum + norm * norm
        }
    }

    /// ‖W − Ŵ‖² for W of norm 1, from the difference.
    private func error(of f: CanonicalPolyadic) throws -> Double {
        let r = f.rank
        let (input, rows, columns) = (byPlace(f.input, r, c), byPlace(f.rows, r, kh), byPlace(f.columns, r, kw))
        var left = [Float](repeating: 0, count: c * kh * kw * r)
        for i in 0..<c {
            for y in 0..<kh {
                for x in 0..<kw {
                    let to = ((i * kh + y) * kw + x) * r
                    for k in 0..<r { left[to + k] = input[i * r + k] * rows[y * r + k] * columns[x * r + k] }
                }
            }
        }
        let made = try Tensor(left, shape: [c * kh * kw, r]).matrixProduct(Tensor(f.output, shape: [r, o]))
        return try byOutput.subtracting(made).energy()
    }

    // MARK: Starts

    /// Terms of `start`, then random ones of the size that what is left has.
    private func started(_ rank: Int, _ start: CanonicalPolyadic?) -> CanonicalPolyadic {
        var random = RandomSource(seed: 1)
        let kept = start.map { min($0.rank, rank) } ?? 0
        func factor(_ n: Int, _ old: [Float]?) -> [Float] {
            let size = Float(1 / Double(n).squareRoot())
            let own = (old ?? []).prefix(kept * n)
            return Array(own) + (0..<(rank - kept) * n).map { _ in size * Float.random(in: -1...1, using: &random) }
        }
        // Terms of an earlier result carry the weight's norm, of which each of the four vectors has the fourth root.
        let share = Float(norm > 0 ? 1 / norm.squareRoot().squareRoot() : 1)
        func unscaled(_ old: [Float]?) -> [Float]? { old.map { $0.map { $0 * share } } }
        return CanonicalPolyadic(
            output: factor(o, unscaled(start?.output)), input: factor(c, unscaled(start?.input)),
            rows: factor(kh, unscaled(start?.rows)), columns: factor(kw, unscaled(start?.columns)), rank: rank)
    }

    private func scaled(_ f: CanonicalPolyadic) -> CanonicalPolyadic {
        var result = f
        let share = Float(norm.squareRoot().squareRoot())
        for k in result.output.indices { result.output[k] *= share }
        for k in result.input.indices { result.input[k] *= share }
        for k in result.rows.indices { result.rows[k] *= share }
        for k in result.columns.indices { result.columns[k] *= share }
        return result
    }

    private func zero(_ rank: Int) -> CanonicalPolyadic {
        func zeros(_ n: Int) -> [Float] { [Float](repeating: 0, count: rank * n) }
        var result = CanonicalPolyadic(output: zeros(o), input: zeros(c), rows: zeros(kh), columns: zeros(kw), rank: rank)
        result.relativeSquaredError = 0
        return result
    }
}
