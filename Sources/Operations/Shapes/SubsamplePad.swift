public import Tensors

/// Every `stride`-th pixel with zero channels before and behind: the option-A shortcut of a CIFAR ResNet as one pass
/// (fusion makes it from two slices and a pad).
///
/// - Shape: [N, C, H, W] to [N, before + C + after, ⌈H/stride⌉, ⌈W/stride⌉].
/// - Reference: He, Zhang, Ren, Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016, arXiv:1512.03385, §4.2.
public struct SubsamplePad: GraphOperation {
    public static let name = "subsample_pad"
    public static let traits = OperationTraits(finishesLayer: false, inference: .steps)
    public var stride: Int
    public var before: Int
    public var after: Int

    public init(stride: Int, before: Int, after: Int) {
        self.stride = stride
        self.before = before
        self.after = after
    }

    public init(attributes: Attributes) throws {
        stride = try attributes.int("stride")
        before = try attributes.int("before")
        after = try attributes.int("after")
    }

    public var attributes: Attributes {
        Attributes(Self.name, ["stride": .int(stride), "before": .int(before), "after": .int(after)])
    }

    public func outputShapes(of inputs: [Shape]) throws -> [Shape] {
        try requireInputs(inputs.count, 1...1)
        let x = inputs[0]
        guard x.rank == 4, x[2] >= 1, x[3] >= 1, stride >= 1, (0..<1 << 20).contains(before), (0..<1 << 20).contains(after) else {
            throw OperationFailure.shapes(
                operation: name, detail: "stride \(stride), \(before) before and \(after) behind do not fit \(x)")
        }
        return [[x[0], before + x[1] + after, (x[2] - 1) / stride + 1, (x[3] - 1) / stride + 1]]
    }

    public func evaluate(_ inputs: [Tensor], _ mode: EvaluationMode) throws -> Evaluation {
        let output = try outputShapes(of: [inputs[0].shape])[0]
        let input = inputs[0].shape
        let y = try ChannelShift.subsample(inputs[0], into: output, stride: stride, before: before)
        return Evaluation(y, mode) { dy, _ in
            [try ChannelShift.spread(dy, into: input, stride: stride, before: before)]
        }
    }
}
