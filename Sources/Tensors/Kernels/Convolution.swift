import Basics
package import COneDNN

/// Stride, padding, dilation and groups of a two-dimensional convolution.
public struct ConvolutionGeometry: Hashable, Sendable {
    public var stride: [Int]
    /// Rows above, columns left, rows below, columns right.
    public var padding: [Int]
    public var dilation: [Int]
    public var groups: Int

    /// - Parameters:
    ///   - stride, dilation: rows, columns; ≥ 1.
    ///   - padding: one number, rows and columns, or top, left, bottom, right; ≥ 0.
    public init(stride: [Int] = [1, 1], padding: [Int] = [0, 0, 0, 0], dilation: [Int] = [1, 1], groups: Int = 1) {
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
    }

    public init(stride: Int, padding: Int, groups: Int = 1) {
        self.init(
            stride: [stride, stride], padding: [padding, padding, padding, padding], groups: groups)
    }

    /// The output shape [N, O, P, Q] for an input [N, C, H, W] and a weight [O, C/g, Kh, Kw].
    /// - Throws: `shapeMismatch` saying which extents disagree.
    public func outputShape(input: Shape, weight: Shape) throws -> Shape {
        func fail(_ detail: String) -> TensorFailure { .shapeMismatch(operation: "conv2d", detail: detail) }
        guard input.rank == 4, weight.rank == 4 else {
            throw fail("needs an input [N, C, H, W] and a weight [O, C/g, Kh, Kw], but got \(input) and \(weight)")
        }
        guard weight.elementCount > 0 else { throw fail("weight \(weight) has no elements") }
        guard stride.count == 2, dilation.count == 2, padding.count == 4, groups >= 1, groups <= weight[0],
            (stride + dilation).allSatisfy({ $0 >= 1 }), padding.allSatisfy({ $0 >= 0 }),
            (stride + dilation + padding).allSatisfy({ $0 < 1 << 20 })
        else {
            throw fail("stride \(stride), padding \(padding), dilation \(dilation), groups \(groups) are no geometry")
        }
        guard weight[0] % groups == 0, input[1] == weight[1] * groups else {
            throw fail("input \(input) and weight \(weight) disagree on the channels for \(groups) group(s)")
        }
        let extents = (0..<2).map { axis in
            let reach = dilation[axis] * (weight[2 + axis] - 1) + 1
            return (input[2 + axis] + padding[axis] + padding[axis + 2] - reach) / stride[axis] + 1
        }
        let fits = (0..<2).allSatisfy { axis in
            input[2 + axis] + padding[axis] + padding[axis + 2] >= dilation[axis] * (weight[2 + axis] - 1) + 1
        }
        guard fits else {
            throw fail("kernel of weight \(weight) is larger than the padded input \(input)")
        }
        return [input[0], weight[0], extents[0], extents[1]]
    }
}

/// Two-dimensional convolution on oneDNN, forward and backward.
package enum Convolution {
    package struct Key: Hashable, Sendable {
        package let input: Shape
        package let weight: Shape
        package let output: Shape
        package let geometry: ConvolutionGeometry
        package let hasBias: Bool
        package let hasSum: Bool
        package let activation: ActivationFunction?
        package let isBFloat16: Bool
        package let pass: UInt32
    }

    /// The primitive for these shapes; `hasSum` and `activation` fuse `dst += conv` and a function of that;
    /// `isBFloat16` asks for a kernel in bfloat16 and settles for float32 where there is none (all inference only).
    package static func primitive(
        _ pass: cod_pass, input: Shape, weight: Shape, geometry: ConvolutionGeometry, hasBias: Bool,
        hasSum: Bool = false, activation: ActivationFunction? = nil, isBFloat16: Bool = false
    ) throws -> Primitive {
        let output = try geometry.outputShape(input: input, weight: weight)
        let key = Key(
            input: input, weight: weight, output: output, geometry: geometry, hasBias: hasBias, hasSum: hasSum,
            activation: activation, isBFloat16: isBFloat16, pass: pass.rawValue)
        return try ComputeContext.current.primitives.primitive(for: .convolution(key)) { try create(key) }
    }

    private static func create(_ key: Key) throws -> Primitive {
        let g = key.geometry
        let stages = key.activation?.stages ?? []
        func long(_ value: Int) -> Int64 { Int64(value) }
        var shape = cod_convolution(
            n: long(key.input[0]), c: long(key.input[1]), h: long(key.input[2]), w: long(key.input[3]),
            o: long(key.output[1]), p: long(key.output[2]), q: long(key.output[3]),
            kh: long(key.weight[2]), kw: long(key.weight[3]), groups: long(g.groups),
            stride_h: long(g.stride[0]), stride_w: long(g.stride[1]), pad_top: long(g.padding[0]),
            pad_left: long(g.padding[1]), pad_bottom: long(g.padding[2]), pad_right: long(g.padding[3]),
            dilation_h: long(g.dilation[0]), dilation_w: long(g.dilation[1]),
            has_bias: key.hasBias ? 1 : 0, has_sum: key.hasSum ? 1 : 0,
            in_bfloat16: key.isBFloat16 ? 1 : 0,
            activations: (stages.first?.cod ?? cod_activation(), stages.dropFirst().first?.cod ?? cod_activation()))
        return try Primitive("conv2d") { cod_convolution_create(&shape, cod_pass(rawValue: key.pass)) }
    }

    /// y = x ⋆ w + b.
    package static func forward(
        _ x: Tensor, _ w: Tensor, _ b: Tensor?, _ geometry: ConvolutionGeometry, training: Bool,
        most: Int = MatrixPieces.most
    ) throws -> Tensor {
        try x.requireType(.float32, "conv2d")
        try w.requireType(.float32, "conv2d")
        try b?.requireType(.float32, "conv2d")
        let output = try geometry.outputShape(input: x.shape, weight: w.shape)
        if let b, b.shape != [w.shape[0]] {
            throw TensorFailure.shapeMismatch(operation: "conv2d", detail: "bias \(b.shape) is not [\(w.shape[0])]")
        }
        guard output.elementCount > 0, x.elementCount > 0 else { return try .zeros(output) }
        if let pieces = pieces(w.shape, output, most: most) {
            let plain = try x.contiguous()
            return try whole(pieces, output) { try forward(plain.images($0), w, b, geometry, training: training) }
        }
        let primitive = try primitive(
            training ? cod_forward_training : cod_forward_inference, input: x.shape, weight: w.shape,
            geometry: geometry, hasBias: b != nil)
        let source = try x.inFormat(primitive.format(of: cod_src))
        let weights = try primitive.packed(w, as: cod_weights)
        let bias = try b?.contiguous()
        let y = try Tensor(uninitializedActivation: output, format: primitive.format(of: cod_dst))
        try withExtendedLifetime((source.storage, weights, bias?.storage)) {
            var arguments = [(cod_src, source.rawBase), (cod_weights, weights.pointer), (cod_dst, y.rawBase)]
            if let bias { arguments.append((cod_bias, bias.rawBase)) }
            try primitive.execute(arguments)
        }
        return y
    }

    /// ∂L/∂x from ∂L/∂y.
    package static func gradientOfInput(
        _ dy: Tensor, _ w: Tensor, input: Shape, _ geometry: ConvolutionGeometry, most: Int = MatrixPieces.most
    ) throws -> Tensor {
        if let pieces = pieces(w.shape, dy.shape, most: most) {
            let plain = try dy.contiguous()
            return try whole(pieces, input) { part in
                try gradientOfInput(plain.images(part), w, input: Shape([part.count] + input.dims.dropFirst()), geometry)
            }
        }
        let primitive = try primitive(cod_backward_data, input: input, weight: w.shape, geometry: geometry, hasBias: false)
        let gradient = try dy.inFormat(primitive.format(of: cod_diff_dst))
        let weights = try primitive.packed(w, as: cod_weights)
        let dx = try Tensor(uninitializedActivation: input, format: primitive.format(of: cod_diff_src))
        try withExtendedLifetime((gradient.storage, weights)) {
            try primitive.execute([
                (cod_diff_dst, gradient.rawBase), (cod_weights, weights.pointer), (cod_diff_src, dx.rawBase),
            ])
        }
        return dx
    }

    /// ∂L/∂w, and ∂L/∂b when there is a bias, from ∂L/∂y.
    package static func gradientOfWeights(
        _ dy: Tensor, _ x: Tensor, weight: Shape, hasBias: Bool, _ geometry: ConvolutionGeometry,
        most: Int = MatrixPieces.most
    ) throws -> (weights: Tensor, bias: Tensor?) {
        if let pieces = pieces(weight, dy.shape, most: most) {
            let (images, gradients) = (try x.contiguous(), try dy.contiguous())
            var sum: (weights: Tensor, bias: Tensor?)?
            for part in pieces {
                try Cancellation.check()
                let more = try gradientOfWeights(
                    gradients.images(part), images.images(part), weight: weight, hasBias: hasBias, geometry)
                guard let before = sum else { sum = more; continue }
                sum = (try before.weights.adding(more.weights), try before.bias.flatMap { try more.bias?.adding($0) })
            }
            if let sum { return sum }
        }
        let primitive = try primitive(
            cod_backward_weights, input: x.shape, weight: weight, geometry: geometry, hasBias: hasBias)
        let gradient = try dy.inFormat(primitive.format(of: cod_diff_dst))
        let source = try x.inFormat(primitive.format(of: cod_src))
        let packed = try Storage(byteCount: primitive.byteCount(of: cod_diff_weights))
        let bias = hasBias ? try Tensor(uninitialized: [weight[0]]) : nil
        try withExtendedLifetime((gradient.storage, source.storage, packed, bias?.storage)) {
            var arguments = [
                (cod_diff_dst, gradient.rawBase), (cod_src, source.rawBase), (cod_diff_weights, packed.pointer),
            ]
            if let bias { arguments.append((cod_diff_bias, bias.rawBase)) }
            try primitive.execute(arguments)
        }
        return (try primitive.unpacked(packed, as: cod_diff_weights, shape: weight), bias)
    }
}

/// Convolutions of many images in parts that take a fraction of a second each, between which a request to stop is seen. One
/// image is never cut.
extension Convolution {
    /// Parts of the batch; `nil` where one call is short enough.
    private static func pieces(_ weight: Shape, _ output: Shape, most: Int) -> [Range<Int>]? {
        let perImage = Double(output.elementCount / max(1, output[0])) * Double(weight.elementCount / max(1, weight[0]))
        guard output[0] > 1, perImage * Double(output[0]) > Double(most) else { return nil }
        let size = min(output[0] - 1, max(1, Int(Double(most) / perImage)))
        return stride(from: 0, to: output[0], by: size).map { $0..<min($0 + size, output[0]) }
    }

    /// The results of parts behind each other.
    private static func whole(_ pieces: [Range<Int>], _ shape: Shape, _ part: (Range<Int>) throws -> Tensor) throws -> Tensor {
        let result = try Tensor(uninitialized: shape)
        for piece in pieces {
            try Cancellation.check()
            try result.images(piece).assign(try part(piece))
        }
        return result
    }
}

extension Tensor {
    fileprivate func images(_ range: Range<Int>) throws -> Tensor {
        try sliced(dim: 0, from: range.lowerBound, to: range.upperBound)
    }
}
