import Basics
public import Tensors

/// Bilinear resizing whose filter widens where pictures shrink, so that no pixel is skipped.
///
/// Pixel centres lie at half numbers; the weights of a target pixel are a triangle over the source around its centre,
/// of radius max(1, source / target), cut off at the borders and normalised: what Pillow's BILINEAR and PyTorch's
/// `interpolate(mode="bilinear", antialias=True)` compute.
public enum ImageResizing {
    /// - Parameter images: uint8 or float32 […, H, W], at least one pixel.
    /// - Returns: […, height, width] of the same type; uint8 is rounded once, in the end.
    /// - Throws: `DatasetFailure.invalidOption` for a size that is none.
    /// - Complexity: O(H · width · (W/width + 1) + height · width · (H/height + 1)) per plane.
    public static func resize(_ images: Tensor, height: Int, width: Int) throws -> Tensor {
        let rank = images.rank
        guard rank >= 2, images.elementCount > 0, images.dtype != .int64, (1...1 << 16).contains(height), (1...1 << 16).contains(width)
        else {
            throw DatasetFailure.invalidOption(
                option: "resize", detail: "\(images.dtype) images \(images.shape) cannot be brought to \(height)×\(width)")
        }
        let (rows, columns) = (images.shape[rank - 2], images.shape[rank - 1])
        if rows == height, columns == width { return images }
        let result = try Tensor(
            uninitialized: Shape(images.shape.dims.dropLast(2) + [height, width]), dtype: images.dtype)
        let resizer = PlaneResizer(
            vertical: TriangleFilter(from: rows, to: height), horizontal: TriangleFilter(from: columns, to: width),
            rows: rows, columns: columns)
        let source = try images.contiguous()
        if images.dtype == .uint8 {
            try source.withElements(of: UInt8.self) { input in
                try result.withMutableElements(of: UInt8.self) { output in
                    try resizer.run(input, output) { UInt8(min(max($0.rounded(), 0), 255)) }
                }
            }
        } else {
            try source.withElements(of: Float.self) { input in
                try result.withMutableElements(of: Float.self) { output in try resizer.run(input, output) { $0 } }
            }
        }
        return result
    }
}

/// For every target position the first source position and the weights from there on.
private struct TriangleFilter {
    let first: [Int]
    let weights: [[Float]]

    init(from source: Int, to target: Int) {
        let scale = Double(source) / Double(target)
        let radius = max(1, scale)
        var (first, weights): ([Int], [[Float]]) = ([], [])
        for position in 0..<target {
            let centre = (Double(position) + 0.5) * scale
            let begin = max(0, Int(centre - radius + 0.5))
            let end = min(source, max(begin + 1, Int(centre + radius + 0.5)))
            let raw = (begin..<end).map { max(0, 1 - abs((Double($0) + 0.5 - centre) / radius)) }
            let total = raw.reduce(0, +)
            first.append(begin)
            weights.append(raw.map { Float(total > 0 ? $0 / total : 1 / Double(raw.count)) })
        }
        (self.first, self.weights) = (first, weights)
    }
}

/// Rows first, then columns, plane by plane.
private struct PlaneResizer {
    let vertical: TriangleFilter
    let horizontal: TriangleFilter
    let rows: Int
    let columns: Int

    func run<Raw: Pixel>(
        _ input: UnsafeBufferPointer<Raw>, _ output: UnsafeMutableBufferPointer<Raw>, _ finish: (Float) -> Raw
    ) throws {
        let (height, width) = (vertical.first.count, horizontal.first.count)
        var narrow = [Float](repeating: 0, count: rows * width)
        var line = [Float](repeating: 0, count: width)
        for plane in 0..<(input.count / (rows * columns)) {
            try Cancellation.check()
            let source = input.baseAddress! + plane * rows * columns
            for y in 0..<rows {
                for x in 0..<width {
                    var sum: Float = 0
                    let start = source + y * columns + horizontal.first[x]
                    for (k, weight) in horizontal.weights[x].enumerated() { sum += weight * start[k].value }
                    narrow[y * width + x] = sum
                }
            }
            for y in 0..<height {
                for x in 0..<width { line[x] = 0 }
                for (k, weight) in vertical.weights[y].enumerated() {
                    let start = (vertical.first[y] + k) * width
                    for x in 0..<width { line[x] += weight * narrow[start + x] }
                }
                let target = (plane * height + y) * width
                for x in 0..<width { output[target + x] = finish(line[x]) }
            }
        }
    }
}
