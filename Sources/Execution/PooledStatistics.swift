import Graphs
import Tensors

/// Mean and variance of what one batch normalisation has seen.
struct PooledStatistics {
    /// Variances below this share of the mean square are rounding.
    private static let resolution = 0x1p-40

    let names: NormParameters
    /// The first normalisation that has them.
    let node: String
    private var count = 0.0
    private var means: [Double]
    /// Σ (x − mean)².
    private var squares: [Double]

    init(_ names: NormParameters, node: String, channels: Int) {
        (self.names, self.node) = (names, node)
        means = [Double](repeating: 0, count: channels)
        squares = means
    }

    /// - Parameter variance: unbiased, as normalisation proposes it.
    mutating func add(mean: Tensor, variance: Tensor, count added: Int) throws {
        let (own, spread) = try (mean.array(of: Float.self), variance.array(of: Float.self))
        let size = Double(added)
        let share = size / (count + size)
        for channel in means.indices {
            let delta = Double(own[channel]) - means[channel]
            means[channel] += delta * share
            squares[channel] += Double(spread[channel]) * (size - 1) + delta * delta * count * share
        }
        count += size
    }

    private var variances: [Double] { squares.map { $0 / (count - 1) } }

    func write(to parameters: inout ParameterTable) throws { try write(means, variances, to: &parameters) }

    /// The share `seen` of what is written comes from these statistics, and the rest from those in `before`.
    func write(to parameters: inout ParameterTable, seen: Double, before: ParameterTable) throws {
        guard let mean = names.mean.flatMap({ before[$0] }), let variance = names.variance.flatMap({ before[$0] }) else { return }
        let (oldMeans, oldVariances) = try (mean.tensor.array(of: Float.self), variance.tensor.array(of: Float.self))
        let own = variances
        let mixed = means.indices.map { channel in
            let (old, delta) = (Double(oldMeans[channel]), means[channel] - Double(oldMeans[channel]))
            return (
                mean: old + seen * delta,
                variance: seen * own[channel] + (1 - seen) * Double(oldVariances[channel]) + seen * (1 - seen) * delta * delta
            )
        }
        try write(mixed.map(\.mean), mixed.map(\.variance), to: &parameters)
    }

    /// What `dense` had in `before`, moved by how these statistics differ from those that it has seen now.
    func write(to parameters: inout ParameterTable, movedFrom dense: PooledStatistics, before: ParameterTable) throws {
        guard let mean = dense.names.mean.flatMap({ before[$0] }), let variance = dense.names.variance.flatMap({ before[$0] }),
            dense.means.count == means.count
        else { return }
        let (oldMeans, oldVariances) = try (mean.tensor.array(of: Float.self), variance.tensor.array(of: Float.self))
        let (own, wanted) = (variances, dense.variances)
        let moved = means.indices.map { channel in
            let ratio = varies(channel, own) && dense.varies(channel, wanted) ? own[channel] / wanted[channel] : 1
            return (mean: Double(oldMeans[channel]) + (means[channel] - dense.means[channel]), variance: Double(oldVariances[channel]) * ratio)
        }
        try write(moved.map(\.mean), moved.map(\.variance), to: &parameters)
    }

    private func varies(_ channel: Int, _ variances: [Double]) -> Bool {
        variances[channel] > Self.resolution * (variances[channel] + means[channel] * means[channel])
    }

    private func write(_ means: [Double], _ variances: [Double], to parameters: inout ParameterTable) throws {
        guard count > 1 else { return }
        for (name, values) in [(names.mean, means), (names.variance, variances)] {
            guard let name else { continue }
            guard values.allSatisfy(\.isFinite) else { throw ExecutionFailure.notFiniteStatistics(parameter: name) }
            parameters.update(name, try Tensor(values.map { Float($0) }))
        }
    }
}
