/// What each layer alone loses when it is replaced by its chain at some ranks.
public struct SensitivityCurves: Sendable {
    /// What was measured at each point.
    public enum Measure: String, Sendable, CaseIterable {
        /// ‖t̂ − t‖² / ‖t‖² of the activation t at the layer's tap.
        case features
        /// KL divergence from the classifier imprinted on the dense layer to the same classifier on the chain.
        case proxy
        /// KL divergence from the softmax of the model's output to that of the model with the chain.
        case output
        /// Accuracy lost by the whole model.
        case sensitivity

        /// Images that are enough for it. Every class has its share in an output, so few images tell much: plans from 32,
        /// 64, 128 and 256 images kept 93.2 to 93.5 % of accuracy at 31.25 % of the parameters and 92.0 to 92.2 at 20 %
        /// (ResNet-20, two draws, `leaderboard.lua --curve_images`).
        public var usualImageCount: Int { self == .output ? 64 : 512 }
    }

    public struct Point: Sendable, Equatable {
        public var ranks: [Int]
        /// ‖W − Ŵ‖² / ‖W‖² at these ranks, by which other ranks find their place on the curve.
        public var squaredError: Double
        public var loss: Double

        public init(ranks: [Int], squaredError: Double, loss: Double) {
            self.ranks = ranks
            self.squaredError = squaredError
            self.loss = loss
        }
    }

    public var measure: Measure
    /// Points by layer, in any order.
    public var layers: [(name: String, points: [Point])]
    public var imageCount: Int
    public var elapsedSeconds: Double

    public init(measure: Measure, layers: [(name: String, points: [Point])], imageCount: Int, elapsedSeconds: Double) {
        self.measure = measure
        self.layers = layers
        self.imageCount = imageCount
        self.elapsedSeconds = elapsedSeconds
    }
}

extension SensitivityCurves {
    /// A layer's loss as a function of ‖W − Ŵ‖² / ‖W‖²; `nil` where it was not measured.
    package func curve(of layer: String) -> ((Double) -> Double)? {
        guard let points = layers.last(where: { $0.name == layer })?.points, !points.isEmpty else { return nil }
        return LossCurve(points).callAsFunction
    }
}

/// The loss of one layer as a function of the error of its weight: straight lines between the points measured.
///
/// A loss that falls while the error grows is noise, and is lifted to the loss before it. The curve starts at no loss
/// without error, and goes on beyond its last point in proportion to the error.
struct LossCurve {
    private let errors: [Double]
    private let losses: [Double]

    init(_ points: [SensitivityCurves.Point]) {
        var (errors, losses) = ([0.0], [0.0])
        for point in points.sorted(by: { ($0.squaredError, $0.loss) < ($1.squaredError, $1.loss) })
        where point.squaredError > errors[errors.count - 1] {
            errors.append(point.squaredError)
            losses.append(max(losses[losses.count - 1], point.loss))
        }
        (self.errors, self.losses) = (errors, losses)
    }

    func callAsFunction(_ error: Double) -> Double {
        guard errors.count > 1, error > 0 else { return 0 }
        var (low, high) = (0, errors.count - 1)
        if error >= errors[high] { return losses[high] * error / errors[high] }
        while high - low > 1 {
            let middle = (low + high) / 2
            if errors[middle] <= error { low = middle } else { high = middle }
        }
        let share = (error - errors[low]) / (errors[high] - errors[low])
        return losses[low] + share * (losses[high] - losses[low])
    }
}
