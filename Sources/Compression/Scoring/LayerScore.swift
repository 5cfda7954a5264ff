import Basics
public import Tensors

/// How significant one layer is: what its activation adds to a proxy classifier's accuracy.
public struct LayerScore: Sendable, Equatable {
    public var layer: String
    /// The scored layer before it on the path; `nil` for the first.
    public var parent: String?
    /// Share of the holdout images that the proxy on this layer classifies right, in [0, 1].
    public var accuracy: Double
    /// The same among the images of each class; not a number for a class without any.
    public var classAccuracies: [Double] = []
    /// √(a(1−a)/n) of that share.
    public var standardError: Double
    /// Accuracy minus the parent's, or minus 1/B for the first layer; may be negative.
    public var gain: Double
    /// What allocation uses: max(gain, floor) over the largest of all layers, in (0, 1].
    public var significance: Double

    public init(
        layer: String, parent: String?, accuracy: Double, standardError: Double, gain: Double, significance: Double
    ) {
        self.layer = layer
        self.parent = parent
        self.accuracy = accuracy
        self.standardError = standardError
        self.gain = gain
        self.significance = significance
    }
}

/// The scores of a model's layers in order, and what they were made from.
public struct LayerScores: Sendable {
    public var rows: [LayerScore]
    public var head: ProxyHead
    public var imprintCount: Int
    public var holdoutCount: Int
    public var classCount: Int
    public var elapsedSeconds: Double
    /// Where they were asked for: the holdout images' embeddings [images, D] by layer, and their labels.
    public var embeddings: [String: Tensor] = [:]
    public var holdoutLabels: [Int] = []
    /// Where they were asked for: those of what goes into each layer, over all images.
    public var moments: InputStatistics?

    public init(
        rows: [LayerScore], head: ProxyHead, imprintCount: Int, holdoutCount: Int, classCount: Int, elapsedSeconds: Double
    ) {
        self.rows = rows
        self.head = head
        self.imprintCount = imprintCount
        self.holdoutCount = holdoutCount
        self.classCount = classCount
        self.elapsedSeconds = elapsedSeconds
    }

    /// Works gains and significances out from accuracies.
    ///
    /// - Parameters:
    ///   - isMonotone: whether a layer counts as at least as accurate as its parent.
    ///   - floor: the least gain that allocation sees; one standard error of the layer when `nil`.
    package static func gains(
        _ accuracies: [(layer: String, parent: String?, accuracy: Double)], holdoutCount: Int, classCount: Int,
        isMonotone: Bool, floor: Double?
    ) -> [LayerScore] {
        var effective: [String: Double] = [:]
        var rows = accuracies.map { row -> LayerScore in
            let before = row.parent.flatMap { effective[$0] } ?? 1 / Double(max(1, classCount))
            let accuracy = isMonotone ? max(row.accuracy, before) : row.accuracy
            effective[row.layer] = accuracy
            let error = (row.accuracy * (1 - row.accuracy) / Double(max(1, holdoutCount))).squareRoot()
            return LayerScore(
                layer: row.layer, parent: row.parent, accuracy: row.accuracy, standardError: error,
                gain: accuracy - before, significance: 0)
        }
        let smallest = 1 / Double(max(1, holdoutCount))
        let floored = rows.map { max($0.gain, floor ?? $0.standardError, smallest) }
        let largest = floored.max() ?? 1
        for index in rows.indices { rows[index].significance = floored[index] / largest }
        return rows
    }
}
