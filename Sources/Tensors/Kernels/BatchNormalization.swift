import CKernels

/// Batch normalisation with the statistics of the batch or with given ones, optionally with a residual added and ReLU fused
/// behind it.
///
/// oneDNN has the normalisation, but no residual, and asks for a mask that ReLU's gradient can do without: its sign is
/// that of the output, or of the input once more normalised. Activations are taken in the blocked layout.
/// - Reference: Ioffe, Szegedy, *Batch Normalization*, ICML 2015, arXiv:1502.03167.
package enum BatchNormalization {
    /// What backward needs of the forward pass.
    package struct Saved {
        package let x: Tensor
        /// Statistics of the batch over N, H and W, or the given ones: mean and biased variance, each [C].
        package let mean: Tensor
        package let variance: Tensor
        /// Whether the statistics are the batch's, so that they depend on x too.
        fileprivate let isOfBatch: Bool
        /// The output, where ReLU followed a residual.
        fileprivate let y: Tensor?
        fileprivate let hasReLU: Bool
        /// 1/√(variance + ε), the mean, and y = x · factor + offset; surplus channels of the last block included.
        fileprivate let inverse: [Float]
        fileprivate let center: [Float]
        fileprivate let factor: [Float]
        fileprivate let offset: [Float]
    }

    /// Tiles of a blocked activation: one block of channels of one image each.
    fileprivate struct Tiling {
        let images: Int
        let blocks: Int
        let pixels: Int
        let lanes = Layout.channelBlock
        let shape: Shape

        init(_ shape: Shape) {
            self.shape = shape
            images = shape[0]
            blocks = (shape[1] + Layout.channelBlock - 1) / Layout.channelBlock
            pixels = shape[2] * shape[3]
        }

        var paddedChannels: Int { blocks * lanes }

        /// Calls `body` with the number of a tile, the offset of its first element and that of its first channel.
        func forEach(_ body: (_ tile: Int, _ element: Int, _ channel: Int) -> Void) {
            let size = pixels * lanes
            parallelFor(images * blocks, grain: max(1, Elementwise.grain / max(1, size))) { range in
                for tile in range { body(tile, tile * size, tile % blocks * lanes) }
            }
        }

        /// A vector [C] with zeros for the surplus channels.
        func padded(_ vector: Tensor) throws -> [Float] {
            try vector.array(of: Float.self) + [Float](repeating: 0, count: paddedChannels - shape[1])
        }
    }

    /// y = scale · (x − mean) / √(variance + ε) + shift over N, H and W of each channel, plus `residual`, then ReLU.
    /// - Parameter statistics: mean and variance; those of the batch where `nil`.
    /// - Shape: x, residual and y [N, C, H, W]; scale, shift, mean and variance [C].
    package static func forward(
        _ input: Tensor, scale: Tensor, shift: Tensor, statistics: (mean: Tensor, variance: Tensor)? = nil, epsilon: Float,
        residual: Tensor? = nil, hasReLU: Bool
    ) throws -> (y: Tensor, saved: Saved) {
        let given = statistics.map { [$0.mean, $0.variance] } ?? []
        for vector in [scale, shift] + given { try vector.requireType(.float32, "batch_norm") }
        let x = try input.inFormat(.blocked)
        let tiling = Tiling(x.shape)
        let (mean, variance) = try statistics.map { (try tiling.padded($0.mean), try tiling.padded($0.variance)) } ?? moments(x, tiling)
        let inverse = variance.map { 1 / ($0 + epsilon).squareRoot() }
        let (scale, shift) = (try tiling.padded(scale), try tiling.padded(shift))
        let factor = zip(scale, inverse).map { $0 * $1 }
        let offset = zip(shift, zip(mean, factor)).map { $0 - $1.0 * $1.1 }
        let added = try residual?.inFormat(.blocked)
        let y = try Tensor(uninitializedActivation: x.shape, format: .blocked)
        let (from, to, other) = (x.base(Float.self), y.base(Float.self), added?.base(Float.self))
        withExtendedLifetime((x.storage, y.storage, added?.storage)) {
            factor.withUnsafeBufferPointer { factor in
                offset.withUnsafeBufferPointer { offset in
                    tiling.forEach { _, element, channel in
                        ck_normalize(
                            from + element, other.map { UnsafePointer($0) + element }, tiling.pixels, Int32(tiling.lanes),
                            factor.baseAddress! + channel, offset.baseAddress! + channel, hasReLU ? 1 : 0, to + element)
                    }
                }
            }
        }
        let channels = x.shape[1]
        let saved = Saved(
            x: x, mean: try Tensor(Array(mean[..<channels])), variance: try Tensor(Array(variance[..<channels])),
            isOfBatch: statistics == nil, y: hasReLU && residual != nil ? y : nil, hasReLU: hasReLU, inverse: inverse, center: mean,
            factor: factor, offset: offset)
        return (y, saved)
    }

    /// Mean and biased variance of each channel, surplus ones included.
    ///
    /// Tiles are joined in double precision and always in the same order, whatever the number of threads.
    private static func moments(_ x: Tensor, _ tiling: Tiling) -> (mean: [Float], variance: [Float]) {
        let width = tiling.paddedChannels
        var means = [Float](repeating: 0, count: tiling.images * width)
        var deviations = means
        let from = x.base(Float.self)
        withExtendedLifetime(x.storage) {
            means.withUnsafeMutableBufferPointer { means in
                deviations.withUnsafeMutableBufferPointer { deviations in
                    let (m, d) = (means.baseAddress!, deviations.baseAddress!)
                    tiling.forEach { tile, element, _ in
                        ck_moments(
                            from + element, tiling.pixels, Int32(tiling.lanes), m + tile * tiling.lanes,
                            d + tile * tiling.lanes)
                    }
                }
            }
        }
        var (mean, variance) = ([Float](repeating: 0, count: width), [Float](repeating: 0, count: width))
        for channel in 0..<width {
            var (center, between, within) = (0.0, 0.0, 0.0)
            for image in 0..<tiling.images {
                let delta = Double(means[image * width + channel]) - center
                center += delta / Double(image + 1)
                between += delta * delta * Double(image) / Double(image + 1)
                within += Double(deviations[image * width + channel])
            }
            mean[channel] = Float(center)
            variance[channel] = Float((within / Double(tiling.pixels) + between) / Double(tiling.images))
        }
        return (mean, variance)
    }

    /// Gradients of input, scale, shift and, where there was one, residual.
    ///
    /// - Parameter parts: one or two tensors whose sum is the gradient of y. They are used up: memory that nobody else
    ///   holds takes the results.
    package static func backward(
        _ parts: inout [Tensor], saved: Saved, hasResidual: Bool
    ) throws -> (x: Tensor, scale: Tensor, shift: Tensor, residual: Tensor?) {
        for index in parts.indices { parts[index] = try parts[index].inFormat(.blocked) }
        let hasTwo = parts.count == 2
        // The masked sum is kept where it is wanted again: as the residual's gradient, or so as to add only once.
        let sum = hasResidual || hasTwo ? try parts[0].takeOver() : nil
        let dx: Tensor =
            if hasResidual {
                hasTwo ? try parts[1].takeOver() : try Tensor(uninitializedActivation: saved.x.shape, format: .blocked)
            } else {
                try sum ?? parts[0].takeOver()
            }
        let tiling = Tiling(saved.x.shape)
        let (first, second) = (parts[0].base(Float.self), hasTwo ? parts[1].base(Float.self) : nil)
        var incoming = saved.gradient(first, second)
        let totals = withExtendedLifetime((parts, saved, sum)) { gradientSums(incoming, saved, tiling, keeping: sum) }
        if let sum {
            incoming = ck_gradient()
            (incoming.first, incoming.x) = (UnsafePointer(sum.base(Float.self)), UnsafePointer(saved.x.base(Float.self)))
        }
        withExtendedLifetime((parts, saved, sum, dx)) { inputGradient(incoming, saved, tiling, totals, into: dx) }
        let channels = 0..<saved.x.shape[1]
        return (
            dx, try Tensor(channels.map { Float(totals[$0].product) * saved.inverse[$0] }),
            try Tensor(channels.map { Float(totals[$0].sum) }), hasResidual ? sum : nil
        )
    }

    /// Σ g and Σ g · (x − mean) of each channel; g is stored in `sum` where there is one.
    private static func gradientSums(
        _ incoming: ck_gradient, _ saved: Saved, _ tiling: Tiling, keeping sum: Tensor?
    ) -> [(sum: Double, product: Double)] {
        let width = tiling.paddedChannels
        var sums = [Float](repeating: 0, count: tiling.images * width)
        var products = sums
        let stored = sum?.base(Float.self)
        sums.withUnsafeMutableBufferPointer { sums in
            products.withUnsafeMutableBufferPointer { products in
                let (s, p) = (sums.baseAddress!, products.baseAddress!)
                saved.forEachTile(incoming, tiling) { gradient, mean, tile, element, _ in
                    ck_gradient_sums(
                        gradient, tiling.pixels, Int32(tiling.lanes), mean, stored.map { $0 + element },
                        s + tile * tiling.lanes, p + tile * tiling.lanes)
                }
            }
        }
        return (0..<width).map { channel in
            (0..<tiling.images).reduce(into: (sum: 0.0, product: 0.0)) {
                $0.sum += Double(sums[$1 * width + channel])
                $0.product += Double(products[$1 * width + channel])
            }
        }
    }

    /// dx = γ/σ · (g − Σg/n − (x − μ)/σ² · Σg(x − μ)/n), as one linear function of g and x per channel; γ/σ · g alone where the
    /// statistics do not depend on x.
    private static func inputGradient(
        _ incoming: ck_gradient, _ saved: Saved, _ tiling: Tiling, _ totals: [(sum: Double, product: Double)],
        into dx: Tensor
    ) {
        let count = saved.isOfBatch ? Double(tiling.images * tiling.pixels) : .infinity
        let ofInput = totals.indices.map { channel in
            let inverse = Double(saved.inverse[channel])
            return Float(-Double(saved.factor[channel]) * inverse * inverse * totals[channel].product / count)
        }
        let constant = totals.indices.map { channel in
            Float(-Double(saved.factor[channel]) * totals[channel].sum / count)
                - ofInput[channel] * saved.center[channel]
        }
        let target = dx.base(Float.self)
        ofInput.withUnsafeBufferPointer { ofInput in
            constant.withUnsafeBufferPointer { constant in
                let (b, c) = (ofInput.baseAddress!, constant.baseAddress!)
                saved.forEachTile(incoming, tiling) { gradient, _, _, element, channel in
                    ck_gradient_input(
                        gradient, tiling.pixels, Int32(tiling.lanes), gradient.pointee.factor, b + channel, c + channel,
                        target + element)
                }
            }
        }
    }

    /// y = scale · (x − mean) / √(variance + ε) + shift with given statistics.
    package static func inference(
        _ x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor, epsilon: Float
    ) throws -> Tensor {
        let factor = try scale.dividing(variance.adding(Double(epsilon)).squareRoot())
        let offset = try shift.subtracting(mean.multiplying(factor))
        let channels: Shape = [1, x.shape[1], 1, 1]
        return try x.multiplying(factor.reshaped(channels)).adding(offset.reshaped(channels))
    }
}

extension BatchNormalization {
    /// Per channel y = factor · x + offset, then ReLU where wanted, over blocked activations: for programs that run again
    /// and again.
    package struct ChannelMap {
        private let factor: [Float]
        private let offset: [Float]
        private let tiling: Tiling
        private let hasReLU: Bool

        /// - Parameter shape: of x and y, [N, C, H, W]; factor and offset have C elements.
        package init(_ shape: Shape, factor: Tensor, offset: Tensor, hasReLU: Bool) throws {
            tiling = Tiling(shape)
            self.factor = try tiling.padded(factor)
            self.offset = try tiling.padded(offset)
            self.hasReLU = hasReLU
        }

        /// Both may be the same memory.
        package func run(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
            factor.withUnsafeBufferPointer { factor in
                offset.withUnsafeBufferPointer { offset in
                    tiling.forEach { _, element, channel in
                        ck_normalize(
                            x + element, nil, tiling.pixels, Int32(tiling.lanes), factor.baseAddress! + channel,
                            offset.baseAddress! + channel, hasReLU ? 1 : 0, y + element)
                    }
                }
            }
        }
    }

    /// y[n, c, i, j] = x[n, c, i, j] · factor[n, c] over blocked activations; both may be the same memory.
    /// - Parameter factor: blocked [N, C, 1, 1].
    package static func scaleChannels(
        _ x: UnsafePointer<Float>, _ shape: Shape, by factor: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
    ) {
        let tiling = Tiling(shape)
        let zeros = [Float](repeating: 0, count: tiling.lanes)
        zeros.withUnsafeBufferPointer { zeros in
            tiling.forEach { tile, element, _ in
                ck_normalize(
                    x + element, nil, tiling.pixels, Int32(tiling.lanes), factor + tile * tiling.lanes,
                    zeros.baseAddress!, 0, y + element)
            }
        }
    }
}

extension BatchNormalization.Saved {
    /// The gradient of y = `first` (+ `second`) with what ReLU's mask is told by.
    fileprivate func gradient(_ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>?) -> ck_gradient {
        var result = ck_gradient()
        (result.first, result.second, result.x) = (first, second, UnsafePointer(x.base(Float.self)))
        result.y = y.map { UnsafePointer($0.base(Float.self)) }
        result.mask = !hasReLU ? ck_mask_none : y == nil ? ck_mask_from_input : ck_mask_from_output
        return result
    }

    /// Calls `body` with the gradient and the mean of every tile, its number and the offsets of its first element and
    /// channel.
    fileprivate func forEachTile(
        _ incoming: ck_gradient, _ tiling: BatchNormalization.Tiling,
        _ body: (UnsafePointer<ck_gradient>, _ mean: UnsafePointer<Float>, _ tile: Int, _ element: Int, _ channel: Int) -> Void
    ) {
        center.withUnsafeBufferPointer { mean in
            factor.withUnsafeBufferPointer { factor in
                offset.withUnsafeBufferPointer { offset in
                    let (m, a, b) = (mean.baseAddress!, factor.baseAddress!, offset.baseAddress!)
                    tiling.forEach { tile, element, channel in
                        var shifted = incoming.advanced(by: element)
                        (shifted.factor, shifted.offset) = (a + channel, b + channel)
                        body(&shifted, m + channel, tile, element, channel)
                    }
                }
            }
        }
    }
}

extension ck_gradient {
    /// The same for the tile that begins `element` floats later.
    fileprivate func advanced(by element: Int) -> ck_gradient {
        var result = self
        result.first += element
        result.second = second.map { $0 + element }
        result.x += element
        result.y = y.map { $0 + element }
        return result
    }
}
