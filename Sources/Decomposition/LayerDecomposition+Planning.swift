import Tensors

/// What a planner asks: bounds, errors and costs, from numbers alone.
extension LayerDecomposition {
    /// ‖W − Ŵ‖² / ‖W‖² at `ranks`: exact for one bond, never exceeded by what `trains(ranks:)` gives for more. In a metric that
    /// knows whole patches the bound of a third bond is an estimate.
    ///
    /// Ranks above their bound count as the bound.
    /// - Complexity: O(groups).
    public func relativeSquaredError(ranks: [Int]) -> Double {
        precondition(ranks.count == bondCount, "a chain of \(bondCount) bond(s) has no ranks \(ranks)")
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

    /// The share of ‖W‖² that a bond keeps at rank 0, 1, …, maxRank, were it the only one cut.
    public func retainedEnergy(bond: Int) -> [Double] { tailShares[bond].map { 1 - $0 } }

    /// `ranks` lowered to what tensors of these modes and of these neighbouring ranks can have: r_k ≤ maxRank_k,
    /// r_k ≤ r_{k−1} · n_k and r_k ≤ n_{k+1} · r_{k+1}; a chain beyond that only wastes parameters.
    /// - Throws: `rankCount`, `rankNotPositive`.
    public func clamped(_ ranks: [Int]) throws -> (ranks: [Int], clamps: [RankClamp]) {
        let (allowed, _) = try RankClamp.apply(ranks, bounds: maxRanks, operationName)
        var bounds = allowed
        for k in bounds.indices.dropFirst() { bounds[k] = min(bounds[k], bounds[k - 1] * modes[k]) }
        for k in bounds.indices.dropLast().reversed() { bounds[k] = min(bounds[k], bounds[k + 1] * modes[k + 1]) }
        return try RankClamp.apply(ranks, bounds: bounds, operationName)
    }

    /// The largest ranks, in the proportion of `maxRanks`, at which the chain has fewer parameters than the layer.
    public var maxUsefulRanks: [Int]? { parameterCost.largestRanks(below: denseParameterCount, bounds: maxRanks) }

    /// Multiply-accumulates per image at given ranks, for an input of H × W: pixels of a convolution, positions that a
    /// linear layer is applied to.
    public func macCost(rows: Int, columns: Int) throws -> RankPolynomial {
        guard case .convolution(let grouping, let geometry) = kind else { return parameterCost.multiplied(by: rows * columns) }
        return try grouping.macCost(weight: weightShape, geometry: geometry, rows: rows, columns: columns)
    }

    /// Multiply-accumulates per image of the layer itself.
    public func denseMacCount(rows: Int, columns: Int) throws -> Int {
        guard case .convolution(_, let geometry) = kind else { return denseParameterCount * rows * columns }
        return try ConvolutionGrouping.denseMacCount(weight: weightShape, geometry: geometry, rows: rows, columns: columns)
    }

    var operationName: String {
        switch kind {
        case .convolution(let grouping, _): "convolution \(weightShape) grouped \(grouping)"
        case .linear: "linear layer \(weightShape)"
        }
    }

    /// Per bond, the share of the energy in the singular values from each rank on: 1 at rank 0, 0 at the full rank.
    static func tailShares(_ spectra: [[Float]]) -> [[Double]] {
        spectra.map { values in
            var tails = [Double](repeating: 0, count: values.count + 1)
            for i in values.indices.reversed() { tails[i] = tails[i + 1] + Double(values[i]) * Double(values[i]) }
            let total = tails[0]
            return total > 0 ? tails.map { $0 / total } : tails
        }
    }
}
