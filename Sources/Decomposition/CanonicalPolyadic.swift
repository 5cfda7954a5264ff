import Basics
public import Tensors

/// A convolution weight [O, C, Kh, Kw] as a sum of R products of vectors, W[o, c, y, x] ≈ Σ_r output[o, r] · input[c, r] · rows[y, r] ·
/// columns[x, r].
public struct CanonicalPolyadic: Sendable {
    /// [C, R].
    public let input: Tensor
    /// [Kh, R].
    public let rows: Tensor
    /// [Kw, R].
    public let columns: Tensor
    /// [O, R].
    public let output: Tensor
    /// ‖W − Ŵ‖² / ‖W‖², computed from the difference itself.
    public let relativeSquaredError: Double
    /// Σ_r ‖term r‖² / ‖W‖²: how much more energy the terms have than what they add up to. 1 for orthogonal terms that are exact.
    public let termEnergy: Double

    public var rank: Int { input.shape[1] }
}

/// Fits of sums of products to one weight, by alternating least squares with a bounded norm.
///
/// A sum of products may have no best approximation: terms grow without bound and cancel, and then neither arithmetic in float32
/// nor training holds them together. So every step minimises the squared error plus a small multiple of the squared norms
/// of the factors, and the norm of a term is shared equally by its four vectors.
/// - Reference: Phan, Sobolev, Sozykin, Ermilov, Gusak, Tichavský, Glukhov, Oseledets, Cichocki, *Stable Low-rank Tensor
///   Decomposition for Compression of Convolutional Neural Network*, ECCV 2020, arXiv:2008.05441 (why norms must be bounded);
///   alternating least squares: Kolda, Bader, *Tensor Decompositions and Applications*, SIAM Review 51(3), 2009,
///   doi:10.1137/07070111X, figure 3.3.
public struct CanonicalPolyadicFit: Sendable {
    /// The share of a factor's mean squared norm that is added to the normal equations.
    private static let ridge = 1e-4
    /// Sweeps end where one lowers the error by less than this share of it.
    private static let leastGain = 2e-3

    /// [O, C, Kh, Kw].
    private let shape: Shape
    /// W / ‖W‖ as [C·Kh·Kw, O].
    private let weight: Tensor
    private let norm: Double

    /// - Parameter weight: [O, C, Kh, Kw].
    /// - Throws: `shapeMismatch`, `notFinite`.
    public init(_ weight: Tensor) throws {
        try ConvolutionGrouping.requireWeight(weight.shape)
        norm = try TensorTrain.requireDecomposable(weight, "CP decomposition").squareRoot()
        shape = weight.shape
        let scaled = try norm > 0 ? weight.multiplying(1 / norm) : weight
        self.weight = try ConvolutionGrouping.tensorized(scaled).reshaped([shape.elementCount / shape[0], shape[0]])
    }

    /// A rank that is enough for any weight of this shape.
    public var rankBound: Int {
        let (o, c, kernel) = (shape[0], shape[1], shape[2] * shape[3])
        return [c * kernel, o * kernel, c * o].min() ?? 1
    }

    /// The factors at `rank`.
    /// - Parameters:
    ///   - start: factors of a lower or the same rank, whose terms come first; the others start at random, the same in every run.
    ///   - sweepLimit: sweeps end before that where one gains next to nothing.
    /// - Throws: `rankNotPositive`.
    /// - Complexity: O(C · Kh · Kw · O · rank + rank³) a sweep.
    public func factors(rank: Int, from start: CanonicalPolyadic? = nil, sweepLimit: Int = 60) throws -> CanonicalPolyadic {
        guard rank >= 1 else { throw DecompositionFailure.rankNotPositive(operation: "CP decomposition", bond: 0, got: rank) }
        return try Threads.forWork(2 * Double(shape.elementCount) * Double(rank)) {
            try fitted(rank, start, sweepLimit)
        }
    }

    private func fitted(_ rank: Int, _ start: CanonicalPolyadic?, _ sweepLimit: Int) throws -> CanonicalPolyadic {
        var factors = try Factors(shape, rank: rank, from: start, norm: norm)
        var last = 1.0
        for _ in 0..<(norm > 0 ? sweepLimit : 0) {
            let error = try sweep(&factors)
            guard error < last * (1 - Self.leastGain) else { break }
            last = error
        }
        let made = try factors.products().matrixProduct(factors.output.transposed())
        let error = norm > 0 ? try weight.subtracting(made).energy() : 0
        return try factors.scaled(by: norm, relativeSquaredError: error)
    }

    /// Improves the four factors in turn; gives the squared error of W / ‖W‖ but for rounding.
    private func sweep(_ factors: inout Factors) throws -> Double {
        // Σ_o W[c, y, x, o] · output[o, r], which serves three of them.
        let contracted = try weight.matrixProduct(factors.output)
        var grams = try Factors.Mode.allCases.map { try Factors.gram(factors[$0]) }
        for mode in [Factors.Mode.input, .rows, .columns] {
            let right = try factors.contracted(contracted, over: mode)
            factors[mode] = try solved(right, Self.product(of: grams, without: mode))
            grams[mode.rawValue] = try Factors.gram(factors[mode])
        }
        let right = try weight.transposed().matrixProduct(factors.products())
        let others = Self.product(of: grams, without: .output)
        factors.output = try solved(right, others)
        // ‖W − Ŵ‖² = ‖W‖² − 2⟨W, Ŵ⟩ + ‖Ŵ‖².
        let common = try right.multiplying(factors.output).total()
        let own = try zip(Factors.gram(factors.output), others).reduce(0.0) { $0 + $1.0 * $1.1 }
        try factors.balance()
        return 1 - 2 * common + own
    }

    /// The element-wise product of the Gram matrices of all factors but one.
    private static func product(of grams: [[Double]], without mode: Factors.Mode) -> [Double] {
        var product = [Double](repeating: 1, count: grams[0].count)
        for (index, gram) in grams.enumerated() where index != mode.rawValue {
            for i in product.indices { product[i] *= gram[i] }
        }
        return product
    }

    /// M (Γ + λI)⁻¹ for M [n, R].
    private func solved(_ right: Tensor, _ gamma: [Double]) throws -> Tensor {
        let rank = right.shape[1]
        let matrix = try PreciseMatrix.zeros(rows: rank, columns: rank)
        matrix.withElements { for i in gamma.indices { $0[i] = gamma[i] } }
        let trace = (0..<rank).reduce(0) { $0 + gamma[$1 * rank + $1] }
        var ridge = Self.ridge * max(trace / Double(rank), .leastNormalMagnitude)
        while ridge.isFinite {
            if let solution = try matrix.solving(rows: PreciseMatrix(right), ridge: ridge) { return try solution.tensor() }
            ridge *= 16
        }
        throw DecompositionFailure.notFinite(operation: "CP decomposition", shape: shape)
    }
}

/// The four factors while they are fitted.
private struct Factors {
    enum Mode: Int, CaseIterable { case input, rows, columns, output }

    var input: Tensor
    var rows: Tensor
    var columns: Tensor
    var output: Tensor

    /// The terms of `start`, then random ones.
    init(_ shape: Shape, rank: Int, from start: CanonicalPolyadic?, norm: Double) throws {
        var random = RandomSource(seed: 1)
        let kept = min(start?.rank ?? 0, rank)
        // Each of the four vectors of a term carries the fourth root of the weight's norm.
        let share = norm > 0 ? 1 / norm.squareRoot().squareRoot() : 1
        func factor(_ count: Int, _ old: Tensor?) throws -> Tensor {
            let deviation = Float(1 / Double(count * rank).squareRoot())
            var parts: [Tensor] = []
            if let old, kept > 0 { parts.append(try old.sliced(dim: 1, from: 0, to: kept).contiguous().multiplying(share)) }
            if kept < rank { parts.append(try .normal([count, rank - kept], deviation: deviation, using: &random)) }
            return try parts.count == 1 ? parts[0] : .concatenated(parts, dim: 1)
        }
        input = try factor(shape[1], start?.input)
        rows = try factor(shape[2], start?.rows)
        columns = try factor(shape[3], start?.columns)
        output = try factor(shape[0], start?.output)
    }

    subscript(mode: Mode) -> Tensor {
        get {
            switch mode {
            case .input: input
            case .rows: rows
            case .columns: columns
            case .output: output
            }
        }
        set {
            switch mode {
            case .input: input = newValue
            case .rows: rows = newValue
            case .columns: columns = newValue
            case .output: output = newValue
            }
        }
    }

    private var rank: Int { input.shape[1] }

    /// input[c, r] · rows[y, r] · columns[x, r] as [C·Kh·Kw, R].
    func products() throws -> Tensor {
        let (c, kh, kw, r) = (input.shape[0], rows.shape[0], columns.shape[0], rank)
        let result = try Tensor(uninitialized: [c * kh * kw, r])
        let kernel = try rows.reshaped([kh, 1, r]).multiplying(columns).contiguous()
        try withFactors(input, kernel, result) { input, kernel, result in
            for place in 0..<c * kh * kw {
                let (own, other, to) = (place / (kh * kw) * r, place % (kh * kw) * r, place * r)
                for k in 0..<r { result[to + k] = input[own + k] * kernel[other + k] }
            }
        }
        return result
    }

    /// `t` [C·Kh·Kw, R] times the two factors that `mode` is not of, summed over their places: [n, R].
    func contracted(_ t: Tensor, over mode: Mode) throws -> Tensor {
        let (c, kh, kw, r) = (input.shape[0], rows.shape[0], columns.shape[0], rank)
        if mode == .input {
            let kernel = try rows.reshaped([kh, 1, r]).multiplying(columns).contiguous()
            let result = try Tensor.zeros([c, r])
            try withFactors(t, kernel, result) { t, kernel, result in
                for place in 0..<c * kh * kw {
                    let (to, other, from) = (place / (kh * kw) * r, place % (kh * kw) * r, place * r)
                    for k in 0..<r { result[to + k] += t[from + k] * kernel[other + k] }
                }
            }
            return result
        }
        // What the kernel sees of all channels together serves both of its factors.
        let kernel = try Tensor.zeros([kh, kw, r])
        try withFactors(t, input, kernel) { t, input, kernel in
            for place in 0..<c * kh * kw {
                let (own, to, from) = (place / (kh * kw) * r, place % (kh * kw) * r, place * r)
                for k in 0..<r { kernel[to + k] += t[from + k] * input[own + k] }
            }
        }
        return mode == .rows
            ? try kernel.multiplying(columns).sum(along: 1)
            : try kernel.multiplying(rows.reshaped([kh, 1, r])).sum(along: 0)
    }

    /// Elements of two tensors to read and of one to write.
    private func withFactors(
        _ a: Tensor, _ b: Tensor, _ result: Tensor,
        _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) throws {
        try a.contiguous().withElements(of: Float.self) { a in
            try b.contiguous().withElements(of: Float.self) { b in
                try result.withMutableElements(of: Float.self) { result in
                    guard let a = a.baseAddress, let b = b.baseAddress, let result = result.baseAddress else { return }
                    body(a, b, result)
                }
            }
        }
    }

    /// FᵀF [R, R] of a factor [n, R].
    static func gram(_ factor: Tensor) throws -> [Double] {
        let matrix = try PreciseMatrix(factor)
        return try matrix.product(matrix, transposingSelf: true).withElements { Array($0) }
    }

    private func termNorms() throws -> (own: [[Double]], term: [Double]) {
        let own = try [input, rows, columns, output].map { factor in
            try factor.multiplying(factor).sum(along: 0).array(of: Float.self).map { Double($0).squareRoot() }
        }
        return (own, (0..<rank).map { term in own.reduce(1.0) { $0 * $1[term] } })
    }

    /// The four vectors of each term get equal norms.
    mutating func balance() throws {
        let (own, term) = try termNorms()
        for (mode, norms) in zip([Mode.input, .rows, .columns, .output], own) {
            let scale = zip(norms, term).map { norm, term in
                norm > 0 && term > 0 ? Float(term.squareRoot().squareRoot() / norm) : 1
            }
            self[mode] = try self[mode].multiplying(Tensor(scale))
        }
    }

    /// The result for a weight that is `norm` times what was fitted.
    func scaled(by norm: Double, relativeSquaredError: Double) throws -> CanonicalPolyadic {
        let share = norm.squareRoot().squareRoot()
        let energy = try termNorms().term.reduce(0) { $0 + $1 * $1 }
        return CanonicalPolyadic(
            input: try input.multiplying(share), rows: try rows.multiplying(share), columns: try columns.multiplying(share),
            output: try output.multiplying(share), relativeSquaredError: relativeSquaredError, termEnergy: energy)
    }
}
