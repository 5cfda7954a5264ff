extension Tensor {
    /// What each position of a convolution's result is made of, as columns [C · Kh · Kw, N · P · Q] of an activation
    /// [N, C, H, W], in the order of a weight [O, C, Kh, Kw], whose product with them is the convolution.
    /// - Parameters:
    ///   - geometry: of one group.
    ///   - origin: one number per row that is taken off its elements, those in the padding too; nothing where empty.
    /// - Throws: failures of `ConvolutionGeometry.outputShape`.
    /// - Complexity: O(C·Kh·Kw·N·P·Q) copies.
    package func im2col(
        kernel: (rows: Int, columns: Int), _ geometry: ConvolutionGeometry, less origin: [Float] = []
    ) throws -> Tensor {
        let output = try geometry.outputShape(
            input: shape, weight: [1, rank == 4 ? shape[1] : 1, kernel.rows, kernel.columns])
        let source = try contiguous()
        let (images, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
        let pixels = output[2] * output[3]
        let result = try Tensor(uninitialized: [channels * kernel.rows * kernel.columns, images * pixels])
        let (from, to) = (source.base(Float.self), result.base(Float.self))
        withExtendedLifetime((source.storage, result.storage)) {
            parallelFor(result.shape[0] * images, grain: max(1, Elementwise.grain / max(1, pixels))) { range in
                for index in range {
                    let (element, image) = (index / images, index % images)
                    let tap = element % (kernel.rows * kernel.columns)
                    let plane = from + (image * channels + element / (kernel.rows * kernel.columns)) * height * width
                    let top = tap / kernel.columns * geometry.dilation[0] - geometry.padding[0]
                    let left = tap % kernel.columns * geometry.dilation[1] - geometry.padding[1]
                    let zero = origin.isEmpty ? 0 : origin[element]
                    for i in 0..<output[2] {
                        let row = i * geometry.stride[0] + top
                        shiftRow(
                            row >= 0 && row < height ? plane + row * width : nil, width, from: left,
                            stride: geometry.stride[1], less: zero, into: to + index * pixels + i * output[3], output[3])
                    }
                }
            }
        }
        return result
    }
}

/// out[j] = row[j · stride + left] − zero, where what lies outside of the row counts as 0, as does a row that is none.
@inline(__always)
private func shiftRow(
    _ row: UnsafePointer<Float>?, _ width: Int, from left: Int, stride: Int, less zero: Float,
    into out: UnsafeMutablePointer<Float>, _ count: Int
) {
    let blank = 0 - zero
    guard let row, left < width else { return out.update(repeating: blank, count: count) }
    let first = min(count, max(0, (stride - 1 - left) / stride))
    let end = max(first, min(count, (width - 1 - left) / stride + 1))
    for j in 0..<first { out[j] = blank }
    if stride == 1, zero == 0 {
        (out + first).update(from: row + left + first, count: end - first)
    } else {
        for j in first..<end { out[j] = row[left + j * stride] - zero }
    }
    for j in end..<count { out[j] = blank }
}
