public import Decomposition
import Graphs
import Tensors

/// One way to decompose a layer: a family's factorisation of its weight, and what any ranks of it cost where the layer stands.
public struct LayerChain: Sendable {
    /// The family's name, such as `Tucker-2`.
    public let format: String
    public let factorization: any Factorization
    public let parameterCost: RankPolynomial
    /// For one sample, over all uses of the layer.
    public let macCost: RankPolynomial
    /// One per use of the layer.
    let activations: [ChainActivations]
    /// How often the layer is used.
    let useCount: Int
    /// Measured times of one use; `nil` where nothing was timed.
    var latency: LatencyGrid?

    init(format: String, _ factorization: any Factorization, activations: [ChainActivations]) {
        self.format = format
        self.factorization = factorization
        self.activations = activations
        useCount = activations.count
        parameterCost = factorization.parameterCost
        macCost = factorization.macCost.multiplied(by: useCount)
    }

    var maxRanks: [Int] { factorization.maxRanks }
    var bondCount: Int { factorization.maxRanks.count }

    /// What the chain costs at `ranks`. Of activations it is the peak while the chain runs.
    package func cost(_ ranks: [Int], _ quantity: Budget.Quantity) -> Int {
        switch quantity {
        case .parameters: parameterCost(ranks)
        case .macs: macCost(ranks)
        case .bytes: parameterCost(ranks) * DType.float32.byteCount
        case .activations: activations.reduce(0) { max($0, $1.peak(ranks: ranks)) }
        case .latency: (latency?(ranks) ?? 0) * useCount
        }
    }

    /// ‖W − Ŵ‖² / ‖W‖² at ranks that are one per bond.
    package func relativeSquaredError(_ ranks: [Int]) -> Double { factorization.relativeSquaredError(ranks: ranks) }
}

/// Bytes of activations alive while a layer, or the chain in its place, computes one image.
struct ChainActivations {
    /// Alive while the dense layer runs, without what it makes.
    let bytesBefore: Int
    /// Of the layer's input, where nothing reads it later; else 0.
    let inputBytes: Int
    /// Elements of what each node of the chain makes.
    let made: [RankPolynomial]

    func peak(ranks: [Int]) -> Int {
        var (live, held, peak) = (bytesBefore, inputBytes, 0)
        for elements in made {
            let bytes = elements(ranks) * DType.float32.byteCount
            peak = max(peak, live + bytes)
            live += bytes - held
            held = bytes
        }
        return peak
    }
}
