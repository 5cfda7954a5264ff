/// What may be tried on a model after it was cut, in this order; none of them needs labels.
public enum RepairStep: String, Sendable, CaseIterable {
    /// The last factors of every chain are fitted to what the dense layer gives (`LeastSquaresReconstruction`).
    case refit
    /// Blocks of layers are trained to give what the dense model's blocks give (`BlockDistillation`): only where it is said how
    /// long, because it takes as long as it is given.
    case distill
    /// The channels of chains that were not fitted, and that no batch normalisation follows, get the means and variances of
    /// the dense layers (`ChannelStatisticsMatching`). What least squares fitted has rightly less variance than the dense layer
    /// has, so that scaling it up again would scale its error up as well.
    case repair
    /// Batch normalisations get the dense model's statistics, moved by what the cut moved (`BatchNormRecalibration.matched`).
    case reestimate
}

/// What came of one step.
public struct StepOutcome: Sendable {
    public let step: RepairStep
    /// What it was tried on: the number of layers or of batch normalisations.
    public let layerCount: Int
    public let before: ModelQuality
    /// Of the changed model; `nil` where there was nothing to change.
    public let after: ModelQuality?
    /// Whether the changed model is the better one, and was kept.
    public let isKept: Bool
    public let elapsedSeconds: Double

    /// The measured quality of the model that was kept.
    public var quality: ModelQuality { isKept ? after ?? before : before }
}
