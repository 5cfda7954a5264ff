import COneDNN

/// Batch normalisation with the statistics of the batch, optionally with ReLU fused behind it.
///
/// - Reference: Ioffe, Szegedy, *Batch Normalization*, ICML 2015, arXiv:1502.03167.
package enum BatchNormalization {
    private struct Key: Hashable {
        let shape: Shape
        let format: UInt32
        let epsilon: Float
        let hasReLU: Bool
        let pass: UInt32
    }

    /// What backward needs of the forward pass.
    package struct Saved {
        package let x: Tensor
        /// Statistics of the batch over N, H and W: mean and biased variance, each [C].
        package let mean: Tensor
        package let variance: Tensor
        /// Which outputs ReLU let through.
        package let mask: Storage?
    }

    nonisolated(unsafe) private static var cache = PrimitiveCache<Key>()

    private static func primitive(
        _ pass: cod_pass, _ shape: Shape, _ format: ActivationFormat, _ epsilon: Float, _ hasReLU: Bool
    ) throws -> Primitive {
        let key = Key(
            shape: shape, format: format.cod.rawValue, epsilon: epsilon, hasReLU: hasReLU, pass: pass.rawValue)
        return try cache.primitive(for: key) { key in
            var spec = cod_batch_norm(
                n: Int64(shape[0]), c: Int64(shape[1]), h: Int64(shape[2]), w: Int64(shape[3]), format: format.cod,
                epsilon: epsilon, has_relu: hasReLU ? 1 : 0)
            return try Primitive("batch_norm", cod_batch_norm_create(&spec, pass))
        }
    }

    /// A format the kernels are fast in; a plain image is blocked first, since plain normalisation is a slow path.
    private static func workingFormat(_ x: Tensor) -> ActivationFormat {
        switch x.activationFormat {
        case .channelsLast: .channelsLast
        default: .blocked
        }
    }

    /// y = scale · (x − mean) / √(variance + ε) + shift over N, H, W of each channel, then ReLU if fused.
    package static func forward(
        _ input: Tensor, scale: Tensor, shift: Tensor, epsilon: Float, hasReLU: Bool
    ) throws -> (y: Tensor, saved: Saved) {
        for vector in [scale, shift] { try vector.requireType(.float32, "batch_norm") }
        try input.requireType(.float32, "batch_norm")
        let format = workingFormat(input)
        let x = try input.inFormat(format)
        let primitive = try primitive(cod_forward_training, x.shape, format, epsilon, hasReLU)
        let scale = try scale.contiguous()
        let shift = try shift.contiguous()
        let channels = x.shape[1]
        let padded = (channels + Layout.channelBlock - 1) / Layout.channelBlock * Layout.channelBlock
        let mean = try Tensor(uninitialized: [padded]).sliced(dim: 0, from: 0, to: channels)
        let variance = try Tensor(uninitialized: [padded]).sliced(dim: 0, from: 0, to: channels)
        let y = try Tensor(uninitializedActivation: x.shape, format: format)
        let mask = hasReLU ? try Storage(byteCount: primitive.byteCount(of: cod_workspace)) : nil
        try withExtendedLifetime((x.storage, scale.storage, shift.storage, mask)) {
            var arguments = [
                (cod_src, x.rawBase), (cod_scale, scale.rawBase), (cod_shift, shift.rawBase), (cod_dst, y.rawBase),
                (cod_mean, mean.rawBase), (cod_variance, variance.rawBase),
            ]
            if let mask { arguments.append((cod_workspace, mask.pointer)) }
            try primitive.execute(arguments)
        }
        return (y, Saved(x: x, mean: mean, variance: variance, mask: mask))
    }

    /// Gradients of input, scale and shift.
    package static func backward(
        _ dy: Tensor, saved: Saved, scale: Tensor, shift: Tensor, epsilon: Float
    ) throws -> (x: Tensor, scale: Tensor, shift: Tensor) {
        let format = workingFormat(saved.x)
        let primitive = try primitive(cod_backward_data, saved.x.shape, format, epsilon, saved.mask != nil)
        let dy = try dy.inFormat(format)
        let scale = try scale.contiguous()
        let shift = try shift.contiguous()
        let dx = try Tensor(uninitializedActivation: saved.x.shape, format: format)
        let channels = saved.x.shape[1]
        let dScale = try Tensor(uninitialized: [channels])
        let dShift = try Tensor(uninitialized: [channels])
        try withExtendedLifetime((saved.x.storage, saved.mean.storage, saved.variance.storage, dy.storage)) {
            var arguments = [
                (cod_src, saved.x.rawBase), (cod_mean, saved.mean.rawBase), (cod_variance, saved.variance.rawBase),
                (cod_diff_dst, dy.rawBase), (cod_scale, scale.rawBase), (cod_shift, shift.rawBase),
                (cod_diff_src, dx.rawBase), (cod_diff_scale, dScale.rawBase), (cod_diff_shift, dShift.rawBase),
            ]
            if let mask = saved.mask { arguments.append((cod_workspace, mask.pointer)) }
            try withExtendedLifetime((scale.storage, shift.storage, saved.mask)) { try primitive.execute(arguments) }
        }
        return (dx, dScale, dShift)
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
