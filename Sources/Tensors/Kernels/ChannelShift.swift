/// Subsampled pixels with channels moved up by some and zeros elsewhere, in the blocked layout; and its transpose.
package enum ChannelShift {
    /// y[n, before + c, i, j] = x[n, c, stride·i, stride·j], other channels 0.
    package static func subsample(_ x: Tensor, into output: Shape, stride: Int, before: Int) throws -> Tensor {
        let y = try Tensor(uninitializedActivation: output, format: .blocked)
        let source = try x.inFormat(.blocked)
        withExtendedLifetime((source.storage, y.storage)) {
            subsample(source.base(), x.shape, into: y.base(), output, stride: stride, before: before)
        }
        return y
    }

    /// The same on blocked buffers.
    package static func subsample(
        _ x: UnsafePointer<Float>, _ input: Shape, into y: UnsafeMutablePointer<Float>, _ output: Shape, stride: Int,
        before: Int
    ) {
        let b = Layout.channelBlock
        let (inBlocks, outBlocks) = ((input[1] + b - 1) / b, (output[1] + b - 1) / b)
        let (p, q, h, w) = (output[2], output[3], input[2], input[3])
        parallelFor(output[0] * outBlocks, grain: max(1, Elementwise.grain / (p * q * b))) { range in
            for plane in range {
                let (image, block) = (plane / outBlocks, plane % outBlocks)
                let target = y + plane * p * q * b
                target.update(repeating: 0, count: p * q * b)
                for lane in 0..<b {
                    let channel = block * b + lane - before
                    guard channel >= 0, channel < input[1] else { continue }
                    let from = x + (image * inBlocks + channel / b) * h * w * b + channel % b
                    for i in 0..<p {
                        for j in 0..<q { target[(i * q + j) * b + lane] = from[(i * w + j) * stride * b] }
                    }
                }
            }
        }
    }

    /// The transpose of `subsample`: gradients go back to the pixels they came from.
    package static func spread(_ dy: Tensor, into input: Shape, stride: Int, before: Int) throws -> Tensor {
        let b = Layout.channelBlock
        let dx = try Tensor(uninitializedActivation: input, format: .blocked)
        let gradient = try dy.inFormat(.blocked)
        let (inBlocks, outBlocks) = ((input[1] + b - 1) / b, (dy.shape[1] + b - 1) / b)
        let (p, q, h, w) = (dy.shape[2], dy.shape[3], input[2], input[3])
        let (from, to) = (gradient.base(Float.self), dx.base(Float.self))
        withExtendedLifetime((gradient.storage, dx.storage)) {
            parallelFor(input[0] * inBlocks, grain: max(1, Elementwise.grain / (h * w * b))) { range in
                for plane in range {
                    let (image, block) = (plane / inBlocks, plane % inBlocks)
                    let target = to + plane * h * w * b
                    target.update(repeating: 0, count: h * w * b)
                    for lane in 0..<b where block * b + lane < input[1] {
                        let channel = block * b + lane + before
                        let source = from + (image * outBlocks + channel / b) * p * q * b + channel % b
                        for i in 0..<p {
                            for j in 0..<q { target[(i * w + j) * stride * b + lane] = source[(i * q + j) * b] }
                        }
                    }
                }
            }
        }
        return dx
    }
}
