public import Decomposition
public import Graphs
import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// What a planner knows of one weighted layer.
public struct DecomposableLayer: Sendable {
    public let layer: WeightedLayer
    /// The ways to decompose it, one per grouping asked for; none where it must stay dense.
    public private(set) var chains: [LayerChain]
    /// Why it must stay dense.
    public let denseReason: String?
    /// Parameters of the dense weight, without bias.
    public let denseParameterCount: Int
    /// Multiply-accumulates per image of the dense layer.
    public let denseMacCount: Int
    let densePeakActivationByteCount: Int
    /// Nanoseconds of the dense layer; `nil` where nothing was timed.
    public private(set) var denseLatency: Int?

    public var name: String { layer.name }

    /// The chain with this grouping.
    func chainIndex(grouping: String) -> Int? { chains.firstIndex { $0.grouping == grouping } }

    package func denseCost(_ quantity: Budget.Quantity) -> Int {
        switch quantity {
        case .parameters: denseParameterCount
        case .macs: denseMacCount
        case .bytes: denseParameterCount * DType.float32.byteCount
        case .activations: densePeakActivationByteCount
        case .latency: denseLatency ?? 0
        }
    }

    /// Only the chain at `index` is left.
    mutating func keepChain(_ index: Int) { chains = [chains[index]] }

    mutating func setTimes(dense: Int, _ grids: [LatencyGrid]) {
        denseLatency = dense
        for index in chains.indices { chains[index].latency = grids[index] }
    }

    // MARK: Of the first chain

    public var grouping: String { chains.first?.grouping ?? (layer.weightShape.rank == 2 ? "I|O" : "dense") }
    /// The full-rank decomposition under the first grouping; `nil` where the layer must stay dense.
    public var decomposition: LayerDecomposition? { chains.first?.decomposition }
    public var parameterCost: RankPolynomial? { chains.first?.parameterCost }
    public var macCost: RankPolynomial? { chains.first?.macCost }
    public var maxRanks: [Int] { decomposition?.maxRanks ?? [] }

    /// The chain that costs least at equal error: the mean of the logarithms of its cost, over several errors.
    func cheapestChain(by quantities: [Budget.Quantity]) -> Int {
        guard chains.count > 1 else { return 0 }
        let errors = [0.01, 0.03, 0.1, 0.2, 0.3]
        func price(_ chain: LayerChain) -> Double {
            errors.reduce(0) { sum, error in
                let ranks = chain.decomposition.smallestRanks(squaredError: error)
                return sum + quantities.reduce(0) { $0 + log(Double(max(1, chain.cost(ranks, $1)))) }
            }
        }
        let prices = chains.map(price)
        return prices.indices.min { prices[$0] < prices[$1] } ?? 0
    }
}

extension LayerDecomposition {
    /// The smallest ranks in the proportion of their bounds whose ‖W − Ŵ‖² / ‖W‖² is at most `squaredError`.
    fileprivate func smallestRanks(squaredError: Double) -> [Int] {
        let steps = maxRanks.max() ?? 1
        func ranks(_ step: Int) -> [Int] { maxRanks.map { max(1, $0 * step / steps) } }
        var (low, high) = (0, steps)
        while high - low > 1 {
            let middle = (low + high) / 2
            if relativeSquaredError(ranks: ranks(middle)) <= squaredError { high = middle } else { low = middle }
        }
        return ranks(high)
    }
}
