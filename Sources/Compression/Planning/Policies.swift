import Basics
import Decomposition

/// The policies of the library. A new one is a value here, and its place in the list.
extension Policy {
    static let builtIn = [
        lwiq, lwiqFloored, uniform, energy, vbmf, minimax, knapsack, quadratic, barrier, lwiqEnergy, lwiqBarrier, features, proxy,
        output, sensitivity,
    ]

    /// What plans by the weights alone, where nobody says otherwise.
    public static let standard = barrier

    // MARK: One factor for all layers

    /// The paper's: a layer's share of its useful ranks is its significance times one factor β for all layers.
    ///
    /// A layer that brings no accuracy by itself gets the least rank, which on a chain of layers without shortcuts may cost
    /// everything: see `lwiqFloored`.
    public static let lwiq = Policy("lwiq", needsScores: true, .scaled { _ in { _, _ in .proportional } })

    /// The same with a floor: no layer counts for less than a quarter of the most significant one.
    public static let lwiqFloored = Policy(
        "lwiq_floored", needsScores: true, significance: { max($0, 0.25) }, .scaled { _ in { _, _ in .proportional } })

    /// The same share of its useful ranks for every layer.
    public static let uniform = Policy("uniform", .scaled { _ in { _, _ in .proportional } })

    /// The same share of its spectral energy at every bond of every layer.
    public static let energy = Policy(
        "energy",
        .scaled { model in
            { layer, chain in
                let factorization = model.layers[layer].chains[chain].factorization
                return .energy((0..<factorization.bondCount).map { factorization.retainedEnergy(bond: $0) })
            }
        })

    /// The ranks that empirical variational Bayes finds above the noise, times one factor for all layers.
    /// - Reference: Nakajima et al., JMLR 14, 2013.
    public static let vbmf = Policy(
        "vbmf",
        .scaled { model in
            // At factor 1 every layer is at its bound: the largest ratio of a bound to a rank found counts for all.
            let found = model.cache.variationalRanks(of: model.layers)
            var largest = 1.0
            for (layer, ranks) in zip(model.layers, found) {
                for (chain, own) in zip(layer.chains, ranks) {
                    for (bound, rank) in zip(chain.maxRanks, own) { largest = max(largest, Double(bound) / Double(max(1, rank))) }
                }
            }
            let ratio = largest
            return { layer, chain in .scaled(found[layer][chain].map { Double(max(1, $0)) * ratio }) }
        },
        notes: { model in
            let found = model.cache.variationalRanks(of: model.layers)
            let silent = zip(model.layers, found).filter { $1.contains { $0.contains(0) } }.map(\.0.name)
            return silent.isEmpty ? [] : ["nothing stands above the noise of these layers, so that rank 1 counts as found: " + silent.joined(separator: ", ")]
        })

    // MARK: What a knapsack weighs

    /// The largest relative error, σ_{r+1} / σ_1 over all bonds and layers, as small as possible.
    /// - Reference: Liebenwein et al., *Compressing Neural Networks: Towards Determining the Optimal Layer-wise
    ///   Decomposition* (ALDS), NeurIPS 2021, arXiv:2107.11442. There over one bond; here over all of a chain.
    public static let minimax = Policy(
        "minimax",
        .weighed(
            Weighing(
                error: .spectralNorm, goal: .largest,
                reason: { error, _ in "cuts singular values of up to \(DecimalText.percent(error)) of the largest" })))

    /// The sum over layers of the share of ‖W‖² lost, as small as possible; the bonds of a layer may differ.
    public static let knapsack = Policy("knapsack", .weighed(Weighing()))

    /// The sum over layers of the square of that share, as small as possible.
    ///
    /// `scripts/recipes/output_growth.lua` measured why: when a layer loses the share s of its energy, the
    /// divergence of the model's output grows as s² (median exponent 2.1 for the layers of ResNet-20 and 2.0 for ResNet-56), at
    /// much the same rate for most layers. So it says without images what `output` measures with noise. `knapsack`
    /// rather gives one layer up than takes a little from many, and `minimax` looks at nothing but the worst.
    public static let quadratic = Policy("quadratic", .weighed(Weighing(loss: { $0 * $0 })))

    /// As `quadratic`, but a layer that no shortcut leads around counts s² / (1 − s), which has no bound: what such a layer loses
    /// is lost for all that follow, so that it is never given up for the price of a layer that others stand beside. The default where no
    /// images choose.
    public static let barrier = Policy("barrier", .weighed(Weighing(loss: { $0 * $0 }, lossInSeries: seriesLoss)))

    /// s² / (1 − s), up to what is left when all but a thousandth is lost.
    private static let seriesLoss: LossTransform = { $0 * $0 / max(1e-3, 1 - $0) }

    /// `barrier` with every layer's loss weighted by its significance, shrunk halfway towards one.
    public static let lwiqBarrier = Policy(
        "lwiq_barrier", needsScores: true, significance: { (1 + $0) / 2 },
        .weighed(Weighing(loss: { $0 * $0 }, lossInSeries: seriesLoss)))

    /// `knapsack` with every layer's loss weighted by its significance.
    public static let lwiqEnergy = Policy("lwiq_energy", needsScores: true, .weighed(Weighing()))

    /// The sum over layers of the error of the features at their taps, each layer replaced alone, as small as possible.
    public static let features = measured(.features) { ", \(DecimalText.percent($0)) of the features behind it" }

    /// The same sum of the divergence of the imprinted classifiers at the taps.
    public static let proxy = measured(.proxy) { ", \(DecimalText.significant($0)) nats at its classifier" }

    /// The same sum of the divergence of the model's own output.
    public static let output = measured(.output) { ", \(DecimalText.significant($0)) nats at the output" }

    /// The same sum of the accuracy that the whole model loses: the slow reference.
    public static let sensitivity = measured(.sensitivity) { ", \(DecimalText.percent($0)) accuracy" }

    /// The sum of what curves measured, which give the policy its name.
    private static func measured(
        _ measure: SensitivityCurves.Measure, _ lost: @escaping @Sendable (Double) -> String
    ) -> Policy {
        Policy(measure.rawValue, .weighed(Weighing(measure: measure, reason: { energy($0) + lost($1) })))
    }
}
