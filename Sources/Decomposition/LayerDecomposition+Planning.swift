import Tensors

/// What a planner asks: bounds, errors and costs, from numbers alone.
extension LayerDecomposition {
    /// ‖W − Ŵ‖² / ‖W‖² at `ranks`: exact for one bond; for more bonds an upper bound on the error of `trains(ranks:)`. With a
    /// metric over whole patches the part of a third bond is an estimate.
    ///
    /// Ranks above their bound count as the bound. The result includes a bound on what float32 adds, 2⁻²⁰ of ‖W‖.
    /// - Throws: `rankCount` unless there is one per bond, `rankNotPositive`.
    /// - Complexity: O(groups).
    public func relativeSquaredError(at ranks: [Int]) throws -> Double {
        let cut = relativeSquaredError(ranks: try RankClamp.apply(ranks, bounds: maxRanks, operationName).ranks)
        return (cut.squareRoot() + 0x1p-20) * (cut.squareRoot() + 0x1p-20)
    }

    /// What is cut, for ranks that are one per bond: what planners compare.
    package func relativeSquaredError(ranks: [Int]) -> Double {
        func kept(_ k: Int) -> Int { max(0, min(ranks[k], bondSpectra[k].count)) }
        let cores = forms.compactMap { if case .projected(let core) = $0 { core } else { nil } }
        if cores.isEmpty { return tailShares[0][kept(0)] }
        let energy = cores.reduce(0) { $0 + $1.energy }
        guard energy > 0 else { return 0 }
        let corners = cores.reduce(0) { $0 + $1.energy(kept(0), kept(bondCount - 1)) }
        let outer = max(0, 1 - corners / energy)
        // Projecting on the outer bases never raises a singular value in the middle, so its tail bounds the rest.
        return bondCount == 3 ? min(1, outer + tailShares[1][kept(1)]) : outer
    }

    /// The share of ‖W‖² that a bond keeps at rank 0, 1, …, maxRank, if it is the only bond that is cut.
    public func retainedEnergy(bond: Int) -> [Double] { tailShares[bond].map { 1 - $0 } }

    /// `ranks` lowered to what tensors of these modes and of these neighbouring ranks can have: r_k ≤ maxRank_k,
    /// r_k ≤ r_{k−1} · n_k and r_k ≤ n_{k+1} · r_{k+1}; a chain beyond that only wastes parameters.
    /// - Throws: `rankCount`, `rankNotPositive`.
    public func clamped(_ ranks: [Int]) throws -> (ranks: [Int], clamps: [RankClamp]) {
        let (allowed, _) = try RankClamp.apply(ranks, bounds: maxRanks, operationName)
        return try RankClamp.apply(ranks, bounds: RankClamp.neighbourly(allowed, modes: modes), operationName)
    }

    /// The largest ranks, in the proportion of `maxRanks`, at which the chain has fewer parameters than the layer.
    public var maxUsefulRanks: [Int]? { parameterCost.largestRanks(below: denseParameterCount, bounds: maxRanks) }

    /// Multiply-accumulates per image at given ranks, for an input of H × W: pixels of a convolution, positions that a
    /// linear layer is applied to.
    /// - Throws: `tooLarge` for counts beyond 61 bits; a `TensorFailure` when the kernel does not fit the input.
    public func macCost(rows: Int, columns: Int) throws -> RankPolynomial {
        guard case .convolution(let grouping, let geometry) = kind else {
            _ = try RankPolynomial.count(rows, columns, parameterCost.linear.max() ?? 1)
            return parameterCost.multiplied(by: rows * columns)
        }
        return try grouping.macCost(weight: weightShape, geometry: geometry, rows: rows, columns: columns)
    }

    /// Multiply-accumulates per image of the layer itself.
    /// - Throws: as `macCost`.
    public func denseMacCount(rows: Int, columns: Int) throws -> Int {
        guard case .convolution(_, let geometry) = kind else { return try RankPolynomial.count(denseParameterCount, rows, columns) }
        return try ConvolutionGrouping.denseMacCount(weight: weightShape, geometry: geometry, rows: rows, columns: columns)
    }

    var operationName: String {
        switch kind {
        case .convolution(let grouping, _): "convolution \(weightShape) grouped \(grouping)"
        case .linear: "linear layer \(weightShape)"
        }
    }
}
