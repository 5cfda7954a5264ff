/// The proxy classifier that is imprinted from class means.
public enum ProxyHead: String, Sendable, CaseIterable {
    /// w_c = normalised mean of the class's normalised embeddings; the largest ⟨w_c, e⟩ wins.
    /// - Reference: Qi, Brown, Lowe, *Low-Shot Learning with Imprinted Weights*, CVPR 2018, arXiv:1712.07136, §3.2.
    case imprint
    /// As `imprint`, after subtracting the mean embedding of all classes from means and embeddings.
    case centred
    /// The nearest class mean by Euclidean distance wins.
    case nearestMean = "nearest_mean"
}
