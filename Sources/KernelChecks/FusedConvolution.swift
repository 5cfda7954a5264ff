import COneDNN
package import Tensors

/// A convolution as programs for inference run it: y = x ⋆ w + b, plus what lies in y already, then ReLU, in float32 or
/// in bfloat16.
package struct FusedConvolution {
    package let convolution: ConvolutionCase
    package var addsToResult = false
    package var rectifies = false
    package var isBFloat16 = false

    package init(_ convolution: ConvolutionCase, addsToResult: Bool = false, rectifies: Bool = false, isBFloat16: Bool = false) {
        self.convolution = convolution
        self.addsToResult = addsToResult
        self.rectifies = rectifies
        self.isBFloat16 = isBFloat16
    }

    package func primitive() throws -> Primitive {
        try Convolution.primitive(
            cod_forward_inference, input: convolution.input, weight: convolution.weight, geometry: convolution.geometry,
            hasBias: convolution.hasBias, hasSum: addsToResult, activation: rectifies ? .rectifier() : nil,
            isBFloat16: isBFloat16)
    }

    /// y in plain order; `nil` where bfloat16 is asked for and there is no such kernel.
    package func run(_ x: Tensor, _ w: Tensor, _ b: Tensor?, into y: Tensor) throws -> [Float]? {
        let primitive = try primitive()
        if isBFloat16, primitive.format(of: cod_dst) != .bfloat16 { return nil }
        let source = try stored(x, for: cod_src, of: primitive)
        let weights = try primitive.packed(w, as: cod_weights)
        let bias = try b?.contiguous()
        let target = try stored(y, for: cod_dst, of: primitive)
        try withExtendedLifetime((source, weights, bias?.storage, target)) {
            var arguments = [
                (cod_src, source.pointer), (cod_weights, weights.pointer), (cod_dst, target.pointer),
            ]
            if let bias { arguments.append((cod_bias, bias.rawBase)) }
            try primitive.execute(arguments)
        }
        let plain = try Tensor(uninitialized: y.shape)
        try withExtendedLifetime((target, plain.storage)) {
            try Reorder.primitive(y.shape, from: primitive.format(of: cod_dst), to: .plain)
                .execute([(cod_src, target.pointer), (cod_dst, plain.rawBase)])
        }
        return try plain.array(of: Float.self)
    }

    /// The activation in the format that an argument has, which may be one that tensors have not.
    private func stored(_ x: Tensor, for argument: cod_argument, of primitive: Primitive) throws -> Storage {
        let plain = try x.copy()
        let result = try Storage(byteCount: primitive.byteCount(of: argument))
        try withExtendedLifetime((plain.storage, result)) {
            try Reorder.primitive(x.shape, from: .plain, to: primitive.format(of: argument))
                .execute([(cod_src, plain.rawBase), (cod_dst, result.pointer)])
        }
        return result
    }
}

extension FusedConvolution {
    /// The same by the definition, from y = x ⋆ w + b and what lay in the result.
    package func expected(_ y: [Double], _ before: [Double]) -> [Double] {
        zip(y, before).map { convolved, old in
            let sum = addsToResult ? convolved + old : convolved
            return rectifies ? max(0, sum) : sum
        }
    }
}
