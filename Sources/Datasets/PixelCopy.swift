import Tensors

/// A pixel type of stored images.
protocol Pixel: BitwiseCopyable {
    /// The value that means 1 in the unit of a data set's mean.
    static var unit: Double { get }
    var value: Float { get }
}

extension UInt8: Pixel {
    static var unit: Double { 255 }
    @inline(__always) var value: Float { Float(self) }
}

extension Float: Pixel {
    static var unit: Double { 1 }
    @inline(__always) var value: Float { self }
}

/// Copies images into float32 batches, normalised and placed.
struct PixelCopy {
    let channels: Int
    let height: Int
    let width: Int
    /// A channel's value is `pixel · scale + bias`; `bias` is what black becomes.
    private let scale: [Float]
    private let bias: [Float]

    init(_ dataset: ImageDataset) {
        (channels, height, width) = (dataset.images.shape[1], dataset.images.shape[2], dataset.images.shape[3])
        let unit = dataset.images.dtype == .uint8 ? UInt8.unit : Float.unit
        scale = dataset.deviation.map { Float(1 / (unit * Double($0))) }
        bias = zip(dataset.mean, dataset.deviation).map { Float(-Double($0) / Double($1)) }
    }

    var pixelsPerImage: Int { channels * height * width }

    /// Writes the image at `source` to `target`, both [C, H, W].
    /// - Complexity: O(C · H · W).
    @inline(__always)
    func copy<Raw: Pixel>(_ source: UnsafePointer<Raw>, to target: UnsafeMutablePointer<Float>, _ place: Placement) {
        if place == Placement() {
            for c in 0..<channels {
                let plane = c * height * width
                row(source + plane, target + plane, count: height * width, step: 1, channel: c)
            }
            return
        }
        // Columns of the target that the source reaches; mirrored, they count from the other end.
        let first = max(0, -place.left)
        let end = min(width, width - place.left)
        for c in 0..<channels {
            for y in 0..<height {
                let out = target + (c * height + y) * width
                let sourceRow = y + place.top
                guard sourceRow >= 0, sourceRow < height, first < end else {
                    out.update(repeating: bias[c], count: width)
                    continue
                }
                let start = source + (c * height + sourceRow) * width + first + place.left
                if place.isMirrored {
                    black(out, first: width - end, end: width - first, channel: c)
                    row(start + (end - first - 1), out + (width - end), count: end - first, step: -1, channel: c)
                } else {
                    black(out, first: first, end: end, channel: c)
                    row(start, out + first, count: end - first, step: 1, channel: c)
                }
            }
        }
    }

    /// Paints a row black outside first ..< end.
    @inline(__always)
    private func black(_ out: UnsafeMutablePointer<Float>, first: Int, end: Int, channel: Int) {
        for x in 0..<first { out[x] = bias[channel] }
        for x in end..<width { out[x] = bias[channel] }
    }

    @inline(__always)
    private func row<Raw: Pixel>(
        _ source: UnsafePointer<Raw>, _ out: UnsafeMutablePointer<Float>, count: Int, step: Int, channel: Int
    ) {
        let (scale, bias) = (scale[channel], bias[channel])
        for x in 0..<count { out[x] = source[x * step].value * scale + bias }
    }
}
