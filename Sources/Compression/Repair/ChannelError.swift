import Tensors

/// How far a value is from the wanted one: the mean of the squared difference, where each channel counts by the inverse of the
/// variance that it has in what is wanted, so that a channel of small values counts as much as one of large ones.
struct ChannelError {
    private let channelCount: Int
    /// Elements of a channel that lie next to each other.
    private let positionCount: Int
    /// What the squared difference of each channel is multiplied with.
    private let weights: [Float]

    /// A channel that varies less than this share of what channels vary on average counts as if it varied so much.
    private static let leastVariance = 1e-2

    /// - Parameter wanted: [N, C, H, W], or [N, …, C] with any other number of dimensions.
    /// - Complexity: O(elements).
    init(towards wanted: Tensor) throws {
        let dims = wanted.shape.dims
        let channels = dims.count == 4 ? dims[1] : dims[dims.count - 1]
        let positions = dims.count == 4 ? dims[2] * dims[3] : 1
        let variances = try Self.variances(wanted, channels, positions)
        let mean = variances.reduce(0, +) / Double(max(1, channels))
        weights = variances.map { Float(mean > 0 ? 1 / max($0, mean * Self.leastVariance) : 1) }
        (channelCount, positionCount) = (channels, positions)
    }

    /// The variance of each channel over images and positions.
    private static func variances(_ wanted: Tensor, _ channels: Int, _ positions: Int) throws -> [Double] {
        try wanted.withElements(of: Float.self) { elements in
            let count = Double(max(1, elements.count / max(1, channels)))
            var (means, squares) = ([Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels))
            for start in stride(from: 0, to: elements.count, by: positions) {
                means[start / positions % channels] += elements[start..<start + positions].reduce(0.0) { $0 + Double($1) } / count
            }
            for start in stride(from: 0, to: elements.count, by: positions) {
                let channel = start / positions % channels
                squares[channel] += elements[start..<start + positions].reduce(0.0) {
                    let deviation = Double($1) - means[channel]
                    return $0 + deviation * deviation
                }
            }
            return squares.map { $0 / count }
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
