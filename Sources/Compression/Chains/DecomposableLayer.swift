public import Decomposition
public import Graphs
import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// What a planner knows of one weighted layer. A weight that several nodes share is one layer with several uses.
public struct DecomposableLayer: Sendable {
    /// The layer, or the first of its uses.
    public let layer: WeightedLayer
    /// All nodes with this weight, in the order of the model.
    public let uses: [WeightedLayer]
    /// The ways to decompose it, one per family that takes it; none where it must stay dense.
    public internal(set) var chains: [LayerChain]
    /// Why it must stay dense.
    public let denseReason: String?
    /// Parameters of the dense weight, without bias.
    public let denseParameterCount: Int
    /// Multiply-accumulates per image of the dense layer, over all its uses.
    public let denseMacCount: Int
    let densePeakActivationByteCount: Int
    /// Whether everything that the model makes of its input passes through one of the uses: no shortcut leads around it.
    public let isInSeries: Bool
    /// Nanoseconds of one use of the dense layer; `nil` where nothing was timed.
    public private(set) var denseLatency: Int?

    public var name: String { layer.name }

    init(uses: [WeightedLayer], chains: [LayerChain], denseReason: String?, liveBytes: [Int], isInSeries: Bool) {
        layer = uses[0]
        self.isInSeries = isInSeries
        self.uses = uses
        self.chains = chains
        self.denseReason = denseReason
        denseParameterCount = uses[0].weightShape.elementCount
        denseMacCount = uses.reduce(0) { $0 + $1.macCount }
        densePeakActivationByteCount = liveBytes.max() ?? 0
    }

    /// The chain of this family.
    func chainIndex(format: String) -> Int? { chains.firstIndex { $0.format == format } }

    package func denseCost(_ quantity: Budget.Quantity) -> Int {
        switch quantity {
        case .parameters: denseParameterCount
        case .macs: denseMacCount
        case .bytes: denseParameterCount * DType.float32.byteCount
        case .activations: densePeakActivationByteCount
        case .latency: (denseLatency ?? 0) * uses.count
        }
    }

    /// Only the chain at `index` is left.
    mutating func keepChain(_ index: Int) { chains = [chains[index]] }

    mutating func setTimes(dense: Int, _ grids: [LatencyGrid]) {
        denseLatency = dense
        for index in chains.indices { chains[index].latency = grids[index] }
    }

    // MARK: Of the first chain

    public var format: String { chains.first?.format ?? "dense" }
    /// The weight in the first family; `nil` where the layer must stay dense.
    public var factorization: (any Factorization)? { chains.first?.factorization }
    public var parameterCost: RankPolynomial? { chains.first?.parameterCost }
    public var macCost: RankPolynomial? { chains.first?.macCost }
    public var maxRanks: [Int] { chains.first?.maxRanks ?? [] }

    /// The chain that costs least at equal error: the mean of the logarithms of its cost, over several errors.
    func cheapestChain(by quantities: [Budget.Quantity]) -> Int {
        guard chains.count > 1 else { return 0 }
        let errors = [0.01, 0.03, 0.1, 0.2, 0.3]
        func price(_ chain: LayerChain) -> Double {
            errors.reduce(0) { sum, error in
                let ranks = chain.smallestRanks(squaredError: error)
                return sum + quantities.reduce(0) { $0 + log(Double(max(1, chain.cost(ranks, $1)))) }
            }
        }
        let prices = chains.map(price)
        return prices.indices.min { prices[$0] < prices[$1] } ?? 0
    }
}

extension LayerChain {
    /// The smallest ranks in the proportion of their bounds whose ‖W − Ŵ‖² / ‖W‖² is at most `squaredError`.
    fileprivate func smallestRanks(squaredError: Double) -> [Int] {
        let steps = maxRanks.max() ?? 1
        func ranks(_ step: Int) -> [Int] { maxRanks.map { max(1, $0 * step / steps) } }
        var (low, high) = (0, steps)
        while high - low > 1 {
            let middle = (low + high) / 2
            if relativeSquaredError(ranks(middle)) <= squaredError { high = middle } else { low = middle }
        }
        return ranks(high)
    }
}
