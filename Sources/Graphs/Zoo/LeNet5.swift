import Operations
public import Tensors

/// LeNet-5 with ReLU and maximum pooling: two convolutions and three linear layers.
///
/// - Reference: LeCun, Bottou, Bengio, Haffner, *Gradient-Based Learning Applied to Document Recognition*, Proceedings
///   of the IEEE 86(11), 1998, doi:10.1109/5.726791, figure 2.
public struct LeNet5: Architecture {
    public var imageShape: Shape
    public var classCount: Int

    public init(imageShape: Shape = [1, 28, 28], classCount: Int = 10) {
        self.imageShape = imageShape
        self.classCount = classCount
    }

    public func build(seed: UInt64) throws -> Graph {
        try requireImages(atLeast: 12, family: "lenet5")
        var builder = GraphBuilder(name: "lenet5", seed: seed)
        var value = builder.input("images", imageShape)
        // Images of 28 × 28 get a border of two, which makes them the 32 × 32 of the paper.
        for (position, (channels, padding)) in [(6, 2), (16, 0)].enumerated() {
            value = try builder.convolution(
                "conv\(position + 1)", value, channels: channels, kernel: [5, 5],
                geometry: ConvolutionGeometry(stride: 1, padding: padding), hasBias: true)
            value = try builder.apply("relu\(position + 1)", ReLU(), value)
            value = try builder.apply("pool\(position + 1)", Pool2D(PoolingGeometry(kind: .max, window: [2, 2])), value)
        }
        value = try builder.apply("flatten", Flatten(), value)
        value = try builder.apply("relu3", ReLU(), builder.linear("fc1", value, features: 120))
        value = try builder.apply("relu4", ReLU(), builder.linear("fc2", value, features: 84))
        value = try builder.linear("fc3", value, features: classCount)
        return try builder.finish(outputs: [value])
    }

    public func stateDictModules() -> [String: [String]] {
        ["conv1": ["conv1"], "conv2": ["conv2"], "fc1": ["fc1"], "fc2": ["fc2"], "fc3": ["fc3"]]
    }
}
