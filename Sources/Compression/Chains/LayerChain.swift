public import Decomposition
import Graphs
import Tensors

/// One way to decompose a layer: a grouping, the full-rank decomposition, and its costs as functions of the ranks.
public struct LayerChain: Sendable {
    /// Such as `C|Kh·Kw|O`; `I|O` for a linear layer.
    public let grouping: String
    public let decomposition: LayerDecomposition
    public let parameterCost: RankPolynomial
    public let macCost: RankPolynomial
    let activations: ChainActivations
    /// Measured times; `nil` where nothing was timed.
    var latency: LatencyGrid?

    var maxRanks: [Int] { decomposition.maxRanks }

    /// What the chain costs at `ranks`. Of activations it is the peak while the chain runs.
    package func cost(_ ranks: [Int], _ quantity: Budget.Quantity) -> Int {
        switch quantity {
        case .parameters: parameterCost(ranks)
        case .macs: macCost(ranks)
        case .bytes: parameterCost(ranks) * DType.float32.byteCount
        case .activations: activations.peak(ranks: ranks)
        case .latency: latency?(ranks) ?? 0
        }
    }

    /// `ranks` lowered to what neighbouring ranks allow: r_k ≤ r_{k−1} · n_k and r_k ≤ n_{k+1} · r_{k+1}.
    func lowerToNeighbours(_ ranks: inout [Int]) {
        let modes = decomposition.modes
        for k in 1..<max(1, ranks.count) { ranks[k] = min(ranks[k], ranks[k - 1] * modes[k]) }
        for k in stride(from: ranks.count - 2, through: 0, by: -1) { ranks[k] = min(ranks[k], ranks[k + 1] * modes[k + 1]) }
    }
}

/// Bytes of activations alive while a layer, or the chain in its place, computes one image.
struct ChainActivations {
    /// Alive while the dense layer runs, without what it makes.
    let bytesBefore: Int
    /// Of the layer's input, where nothing reads it later; else 0.
    let inputBytes: Int
    /// Rows times columns after each convolution, in elements of one rank: times groups.
    let elementsPerRank: [Int]
    let outputBytes: Int

    var densePeak: Int { bytesBefore + outputBytes }

    func peak(ranks: [Int]) -> Int {
        var (live, held, peak) = (bytesBefore, inputBytes, 0)
        for (k, elements) in elementsPerRank.enumerated() {
            let made = k < ranks.count ? ranks[k] * elements * DType.float32.byteCount : outputBytes
            peak = max(peak, live + made)
            live += made - held
            held = made
        }
        return peak
    }
}
