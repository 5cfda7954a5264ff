import Tensors

/// How far a value is from the wanted one: the mean over channels of the share of their variance that is missed, where channels
/// count by how much the model's results depend on them.
struct ChannelError {
    private let channelCount: Int
    /// Elements of a channel that lie next to each other.
    private let positionCount: Int
    /// What the squared difference of each channel is multiplied with.
    private let weights: [Float]

    /// A channel that varies less than this share of what channels vary on average counts as if it varied so much.
    private static let leastVariance = 1e-2
    /// A channel that the results hardly depend on counts at least this share of what channels count on average: how they
    /// depend on it is known from a few images only.
    private static let leastInfluence = 0.1

    /// - Parameters:
    ///   - wanted: [N, C, H, W], or [N, …, C] with any other number of dimensions.
    ///   - gradients: of the results after the wanted value, of its shape for any number of images; the influence of a channel is
    ///     their mean square times its variance. All channels count alike where `nil`.
    /// - Complexity: O(elements).
    init(towards wanted: Tensor, gradients: Tensor? = nil) throws {
        let dims = wanted.shape.dims
        channelCount = dims.count == 4 ? dims[1] : dims[dims.count - 1]
        positionCount = dims.count == 4 ? dims[2] * dims[3] : 1
        let moments = try Self.moments(wanted, channelCount, positionCount)
        var variances = moments.map { max(0, $0.square - $0.mean * $0.mean) }
        let mean = variances.reduce(0, +) / Double(max(1, channelCount))
        variances = variances.map { mean > 0 ? max($0, mean * Self.leastVariance) : 1 }
        var influences = [Double](repeating: 1, count: channelCount)
        if let gradients {
            let squares = try Self.moments(gradients, channelCount, positionCount)
            influences = zip(squares, variances).map { $0.square * $1 }
            let average = influences.reduce(0, +) / Double(max(1, channelCount))
            influences = influences.map { average > 0 ? ($0 / average + Self.leastInfluence) / (1 + Self.leastInfluence) : 1 }
        }
        weights = zip(influences, variances).map { Float($0 / $1) }
    }

    /// The mean and the mean square of each channel over images and positions.
    private static func moments(_ values: Tensor, _ channels: Int, _ positions: Int) throws -> [(mean: Double, square: Double)] {
        try values.withElements(of: Float.self) { elements in
            let count = Double(max(1, elements.count / max(1, channels)))
            var sums = [(mean: Double, square: Double)](repeating: (0, 0), count: channels)
            for row in 0..<elements.count / max(1, positions) {
                let part = UnsafeBufferPointer(rebasing: elements[row * positions..<(row + 1) * positions])
                sums[row % channels].mean += Vectors.sum(part) / count
                sums[row % channels].square += Vectors.dot(part, part) / count
            }
            return sums
        }
    }

    /// The error of `value`, and its gradient ∂error/∂value where it is asked for.
    /// - Throws: `TensorFailure.shapeMismatch` for values of different shapes.
    func error(of value: Tensor, _ wanted: Tensor, gradient: Tensor? = nil) throws -> Double {
        guard value.shape == wanted.shape else {
            throw TensorFailure.shapeMismatch(operation: "distill", detail: "\(value.shape) cannot be compared with \(wanted.shape)")
        }
        let scale = 1 / Float(max(1, value.elementCount))
        let target = gradient?.base(Float.self)
        let sampleSize = value.elementCount / max(1, value.shape[0])
        return try value.withElements(of: Float.self) { values in
            try wanted.withElements(of: Float.self) { wanted in
                var sums = [Double](repeating: 0, count: value.shape[0])
                sums.withUnsafeMutableBufferPointer { sums in
                    let results = sums.baseAddress!
                    parallelFor(value.shape[0], grain: max(1, 1 << 14 / max(1, sampleSize))) { samples in
                        for sample in samples {
                            results[sample] = sum(from: sample * sampleSize, sampleSize, values, wanted, target, scale)
                        }
                    }
                }
                return withExtendedLifetime(gradient?.storage) { sums.reduce(0, +) * Double(scale) }
            }
        }
    }

    /// The weighted sum of squares of `count` elements, a whole sample.
    private func sum(
        from start: Int, _ count: Int, _ values: UnsafeBufferPointer<Float>, _ wanted: UnsafeBufferPointer<Float>,
        _ gradient: UnsafeMutablePointer<Float>?, _ scale: Float
    ) -> Double {
        var total = 0.0
        for row in 0..<count / max(1, positionCount) {
            let (weight, first) = (weights[row % channelCount], start + row * positionCount)
            var sum: Float = 0
            for i in first..<first + positionCount {
                let difference = values[i] - wanted[i]
                sum += difference * difference
                gradient?[i] = 2 * weight * scale * difference
            }
            total += Double(sum * weight)
        }
        return total
    }
}
