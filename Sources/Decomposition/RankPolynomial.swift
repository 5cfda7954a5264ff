public import Tensors

/// The exact cost of a chain as a function of its ranks: constant + Σ linear_k · r_k + Σ bilinear_k · r_k · r_{k+1}.
///
/// Evaluating it takes nanoseconds, so a planner can try any number of ranks.
public struct RankPolynomial: Hashable, Sendable {
    /// What is spent at all ranks.
    public let constant: Int
    /// One coefficient per bond.
    public let linear: [Int]
    /// One coefficient per pair of neighbouring bonds.
    public let bilinear: [Int]

    public init(constant: Int = 0, linear: [Int], bilinear: [Int]) {
        self.constant = constant
        self.linear = linear
        self.bilinear = bilinear
    }

    /// The cost at `ranks`.
    /// - Throws: `rankCount` unless there is one per bond, `rankNotPositive`, `tooLarge` for a cost beyond 64 bits, `shapeMismatch`
    ///   for coefficients of more pairs than there are.
    public func cost(at ranks: [Int]) throws -> Int {
        let operation = "cost of a chain"
        guard bilinear.count < max(1, linear.count) || bilinear.isEmpty else {
            throw DecompositionFailure.shapeMismatch(
                operation: operation, detail: "\(linear.count) bonds are no \(bilinear.count) pairs of neighbours")
        }
        let (allowed, _) = try RankClamp.apply(ranks, bounds: linear.map { _ in .max }, operation)
        let sizes = allowed.map(Double.init)
        let rough =
            linear.indices.reduce(Double(constant)) { $0 + Double(linear[$1]) * sizes[$1] }
            + bilinear.indices.reduce(0.0) { $0 + Double(bilinear[$1]) * sizes[$1] * sizes[$1 + 1] }
        guard rough < 0x1p62 else { throw DecompositionFailure.tooLarge(operation: operation, elementCount: .max) }
        return self(allowed)
    }

    /// The cost at ranks that are one per bond, and not beyond what a layer can have.
    package func callAsFunction(_ ranks: [Int]) -> Int {
        var cost = constant
        for k in linear.indices { cost += linear[k] * ranks[k] }
        for k in bilinear.indices { cost += bilinear[k] * ranks[k] * ranks[k + 1] }
        return cost
    }

    /// The cost of `count` chains of the same ranks.
    package func multiplied(by count: Int) -> RankPolynomial {
        RankPolynomial(constant: constant * count, linear: linear.map { $0 * count }, bilinear: bilinear.map { $0 * count })
    }

    /// The product of counts.
    /// - Throws: `tooLarge` for one beyond 61 bits, so that two may be added.
    static func count(_ factors: Int...) throws -> Int {
        var product = 1
        for factor in factors {
            let (next, overflows) = product.multipliedReportingOverflow(by: factor)
            guard !overflows, next.magnitude < 1 << 61 else {
                throw DecompositionFailure.tooLarge(operation: "cost of a chain", elementCount: .max)
            }
            product = next
        }
        return product
    }

    /// The largest ranks, in the proportion of `bounds`, whose cost stays below `limit`; `nil` when even rank 1 at
    /// every bond does not.
    ///
    /// The cost grows with every rank, so bisection over the largest of them finds the answer.
    /// - Complexity: O(log max(bounds)).
    public func largestRanks(below limit: Int, bounds: [Int]) -> [Int]? {
        ProportionalRanks.largest(bounds) { self($0) < limit }
    }
}

extension ConvolutionGrouping {
    /// Parameters of the chain's weights (no bias) for a weight [O, C / groups, Kh, Kw], at ranks per group.
    /// - Throws: `shapeMismatch`, `unevenGroups`.
    public func parameterCost(weight: Shape, groups: Int = 1) throws -> RankPolynomial {
        let part = try Self.groupShape(weight, groups: groups)
        return try polynomial(weight: part, groups: groups, positions: [Int](repeating: 1, count: stages.count))
    }

    /// Multiply-accumulates of the chain per image.
    /// - Parameters:
    ///   - weight: [O, C / groups, Kh, Kw].
    ///   - rows, columns: H and W of the layer's input.
    /// - Throws: `unevenGroups`; `tooLarge` for counts beyond 61 bits; a `TensorFailure` when the kernel does not fit the input.
    public func macCost(
        weight: Shape, geometry: ConvolutionGeometry, rows: Int, columns: Int
    ) throws -> RankPolynomial {
        try Self.requireSupported(geometry, weight: weight)
        let part = try Self.groupShape(weight, groups: geometry.groups)
        let positions = try positionCounts(weight: weight, geometry: geometry, rows: rows, columns: columns)
        return try polynomial(weight: part, groups: geometry.groups, positions: positions)
    }

    /// Rows times columns of what each convolution of the chain makes, for an input of `rows` × `columns`.
    package func positionCounts(
        weight: Shape, geometry: ConvolutionGeometry, rows: Int, columns: Int
    ) throws -> [Int] {
        // A probe of one channel walks through the chain, because each convolution's output is the next one's input.
        var image: Shape = [1, 1, rows, columns]
        var probed = geometry
        probed.groups = 1
        return try stages.map { stage in
            let kernel: Shape = [1, 1, stage.hasRows ? weight[2] : 1, stage.hasColumns ? weight[3] : 1]
            image = try stage.geometry(of: probed).outputShape(input: image, weight: kernel)
            return try RankPolynomial.count(image[2], image[3])
        }
    }

    /// Multiply-accumulates of the dense layer per image.
    /// - Throws: `shapeMismatch`, `tooLarge`, or a `TensorFailure` when the kernel does not fit the input.
    public static func denseMacCount(
        weight: Shape, geometry: ConvolutionGeometry, rows: Int, columns: Int
    ) throws -> Int {
        try requireWeight(weight)
        let input: Shape = [1, weight[1] * geometry.groups, rows, columns]
        let output = try geometry.outputShape(input: input, weight: weight)
        return try RankPolynomial.count(weight.elementCount, output[2], output[3])
    }

    /// The weight [O / groups, C / groups, Kh, Kw] of one group.
    /// - Throws: `shapeMismatch`, `unevenGroups`.
    static func groupShape(_ weight: Shape, groups: Int) throws -> Shape {
        try requireWeight(weight)
        guard groups >= 1, weight[0] % groups == 0 else {
            throw DecompositionFailure.unevenGroups(groups: groups, weight: weight)
        }
        return [weight[0] / groups, weight[1], weight[2], weight[3]]
    }

    /// - Throws: `unevenGroups`, `shapeMismatch` for lists of another length.
    static func requireSupported(_ geometry: ConvolutionGeometry, weight: Shape) throws {
        _ = try groupShape(weight, groups: geometry.groups)
        guard geometry.stride.count == 2, geometry.padding.count == 4, geometry.dilation.count == 2 else {
            throw DecompositionFailure.shapeMismatch(
                operation: "convolution grouping",
                detail: "needs stride and dilation of 2 numbers and padding of 4, but got stride \(geometry.stride), "
                    + "padding \(geometry.padding), dilation \(geometry.dilation)")
        }
    }

    /// Σ over the stages of groups · c · kh · kw · o · positions, where c and o are ranks at the inner ends.
    private func polynomial(weight: Shape, groups: Int, positions: [Int]) throws -> RankPolynomial {
        let last = stages.count - 1
        var linear = [Int](repeating: 0, count: last)
        var bilinear = [Int](repeating: 0, count: last - 1)
        for (k, stage) in stages.enumerated() {
            let kernel = [stage.hasRows ? weight[2] : 1, stage.hasColumns ? weight[3] : 1]
            let cost = try RankPolynomial.count(groups, positions[k], kernel[0], kernel[1])
            if k == 0 {
                linear[0] += try RankPolynomial.count(cost, weight[1])
            } else if k == last {
                linear[last - 1] += try RankPolynomial.count(cost, weight[0])
            } else {
                bilinear[k - 1] += cost
            }
        }
        return RankPolynomial(linear: linear, bilinear: bilinear)
    }
}
