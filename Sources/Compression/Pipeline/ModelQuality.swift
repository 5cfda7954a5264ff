/// How good a changed model is on some images, as a value that can be compared.
///
/// A model that gives a row of classes for each image has a divergence, and an accuracy where the labels are known and an
/// agreement where the dense model is. Results of any other form, such as maps, boxes or a single number, have a likeness.
public struct ModelQuality: Sendable {
    /// The images that it was measured on.
    public let imageCount: Int
    /// Whether the model names the right class of each image; `nil` without labels. A row with a not-a-number names none.
    public var hits: [Bool]?
    /// The mean divergence KL(dense ‖ model) of the probabilities in nats; without a dense model the mean cross-entropy of
    /// the labels. `nil` where the results are no rows of classes.
    public var divergence: Double?
    /// The share of the images for which both models name the same class; `nil` without a dense model.
    public var agreement: Double?
    /// 1 − ‖result − dense result‖ / ‖dense result‖ over all images and results, where these are no rows of classes.
    public var likeness: Double?

    /// How far the results are from the dense model's, without labels: the divergence, or what they lack of being alike.
    public var distance: Double { divergence ?? likeness.map { 1 - $0 } ?? .nan }

    /// With nothing measured yet.
    public init(imageCount: Int) { self.imageCount = imageCount }

    /// The share of the images whose class is named rightly; `nil` without labels.
    public var accuracy: Double? { hits.map { hits in Double(hits.count { $0 }) / Double(max(1, hits.count)) } }

    /// Whether this is better than `other`, measured on the same images; equal ones are not, and neither is what holds a
    /// not-a-number.
    ///
    /// With labels the images decide that one of the models names rightly and the other does not, where their difference is
    /// more than two standard errors √(won + lost), which chance exceeds once in twenty times (one it would exceed once in
    /// three). Below that, and without labels, the divergence does: it moves with every probability, so that a few images are
    /// enough for it.
    /// - Parameter margin: with labels, `other` may diverge as much as this does before it counts as worse. Training with labels
    ///   moves away from the dense model even where it does good, and the dense model knows its own training images by heart, so
    ///   that accuracy on these shows it late.
    /// - Reference: McNemar, *Note on the Sampling Error of the Difference Between Correlated Proportions or Percentages*,
    ///   Psychometrika 12(2), 1947.
    public func isBetter(than other: ModelQuality, upTo margin: ModelQuality? = nil) -> Bool {
        var divergence = divergence
        if let hits, let others = other.hits {
            let pairs = zip(hits, others)
            let (won, lost) = (pairs.count { $0 && !$1 }, pairs.count { !$0 && $1 })
            if Double(abs(won - lost)) > 2 * Double(won + lost).squareRoot() { return won > lost }
            if let own = divergence, let allowed = margin?.divergence, own < allowed { divergence = allowed }
        }
        if let divergence, let otherDivergence = other.divergence { return Self.isLess(divergence, otherDivergence) }
        if let likeness, let otherLikeness = other.likeness { return Self.isLess(-likeness, -otherLikeness) }
        return false
    }

    /// Any number is less than a not-a-number.
    private static func isLess(_ a: Double, _ b: Double) -> Bool { a < b || (b.isNaN && !a.isNaN) }
}
