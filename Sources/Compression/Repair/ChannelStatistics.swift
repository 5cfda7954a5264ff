import Tensors

/// Mean and deviation of every channel of a value, summed in double over batches.
struct ChannelStatistics {
    /// Deviations below this share of the root mean square are rounding.
    private static let resolution = 0x1p-20

    private var sums: [Double] = []
    private var squares: [Double] = []
    private var count = 0

    var channelCount: Int { sums.count }
    var isFinite: Bool { (sums + squares).allSatisfy(\.isFinite) }

    func mean(_ channel: Int) -> Double { sums[channel] / Double(max(1, count)) }

    func deviation(_ channel: Int) -> Double {
        let mean = mean(channel)
        return nonNegative(squares[channel] / Double(max(1, count)) - mean * mean).squareRoot()
    }

    /// Whether a channel's values differ by more than their rounding.
    func varies(_ channel: Int) -> Bool {
        deviation(channel) > Self.resolution * (squares[channel] / Double(max(1, count))).squareRoot()
    }

    /// Channels are dimension 1 of images [N, C, H, W] and the last one of rows [N, …, C].
    mutating func add(_ value: Tensor) throws {
        let channel = value.rank == 4 ? 1 : value.rank - 1
        let (channels, inner) = (value.shape[channel], value.shape.dims[(channel + 1)...].reduce(1, *))
        let outer = value.shape.dims[..<channel].reduce(1, *)
        if sums.isEmpty {
            sums = [Double](repeating: 0, count: channels)
            squares = sums
        }
        try value.withElements(of: Float.self) { elements in
            for block in 0..<outer * channels {
                let part = UnsafeBufferPointer(rebasing: elements[block * inner..<(block + 1) * inner])
                sums[block % channels] += Vectors.sum(part)
                squares[block % channels] += Vectors.dot(part, part)
            }
        }
        count += outer * inner
    }
}
