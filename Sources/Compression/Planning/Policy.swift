import Basics

/// How ranks are shared out among the layers.
///
/// Policies come in two kinds. Scaled policies raise the ranks of all layers by one common factor, which bisection finds. The
/// others solve a knapsack: every layer may take any of its candidates, and their losses are weighed against each other.
public enum Policy: String, Sendable, CaseIterable {
    /// The paper's: a layer's share of its useful ranks is its significance times one factor β for all layers.
    case lwiq
    /// The same share of its useful ranks for every layer.
    case uniform
    /// The same share of its spectral energy at every bond of every layer.
    case energy
    /// The ranks that empirical variational Bayes finds above the noise, times one factor for all layers.
    /// - Reference: Nakajima et al., JMLR 14, 2013.
    case vbmf
    /// The largest relative error, σ_{r+1} / σ_1 over all bonds and layers, as small as possible.
    /// - Reference: Liebenwein et al., *Compressing Neural Networks: Towards Determining the Optimal Layer-wise
    ///   Decomposition* (ALDS), NeurIPS 2021, arXiv:2107.11442. There over one bond; here over all of a chain.
    case minimax
    /// The sum over layers of the share of ‖W‖² lost, as small as possible; the bonds of a layer may differ.
    case knapsack
    /// The sum over layers of the square of that share, as small as possible.
    ///
    /// The default. `scripts/recipes/output_growth.lua` measured why: when a layer loses the share s of its energy, the
    /// divergence of the model's output grows as s² (median exponent 2.1 for the layers of ResNet-20 and 2.0 for ResNet-56), at
    /// much the same rate for most layers. So it says without images what `output` measures with noise. `knapsack`
    /// rather gives one layer up than takes a little from many, and `minimax` looks at nothing but the worst.
    case quadratic
    /// `knapsack` with every layer's loss weighted by its significance.
    case lwiqEnergy = "lwiq_energy"
    /// The sum over layers of the error of the features at their taps, each layer replaced alone, as small as possible.
    case features
    /// The same sum of the divergence of the imprinted classifiers at the taps.
    case proxy
    /// The same sum of the divergence of the model's own output.
    case output
    /// The same sum of the accuracy that the whole model loses: the slow reference.
    case sensitivity

    public static let names = allCases.map(\.rawValue)

    public init?(name: String) { self.init(rawValue: name) }

    public var name: String { rawValue }

    var needsScores: Bool { self == .lwiq || self == .lwiqEnergy }

    /// What a candidate of a layer loses; `nil` for scaled policies.
    var loss: OptionLoss? {
        switch self {
        case .lwiq, .uniform, .energy, .vbmf: nil
        case .minimax: .spectralNorm
        case .knapsack, .quadratic, .lwiqEnergy, .features, .proxy, .output, .sensitivity: .energy
        }
    }

    /// What its curves must have measured; `nil` for a policy without curves.
    var measure: SensitivityCurves.Measure? {
        switch self {
        case .features: .features
        case .proxy: .proxy
        case .output: .output
        case .sensitivity: .sensitivity
        default: nil
        }
    }
}

extension Policy {
    /// Why a layer got the option that it got, for policies on options: what it loses by it.
    func reason(error: Double, loss: Double) -> String {
        if self == .minimax { return "cuts singular values of up to \(DecimalText.percent(error)) of the largest" }
        let energy = "loses \(DecimalText.percent(error)) of its energy"
        return switch measure {
        case nil: energy
        case .features: energy + ", \(DecimalText.percent(loss)) of the features behind it"
        case .proxy: energy + ", \(DecimalText.significant(loss)) nats at its classifier"
        case .output: energy + ", \(DecimalText.significant(loss)) nats at the output"
        case .sensitivity: energy + ", \(DecimalText.percent(loss)) accuracy"
        }
    }
}
