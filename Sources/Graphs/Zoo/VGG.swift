import Operations
public import Tensors

/// VGG networks with batch normalisation: 3×3 convolutions in five stages with a maximum pooling behind each.
///
/// - Reference: Simonyan, Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*, ICLR 2015,
///   arXiv:1409.1556, table 1, columns A, B, D and E.
public struct VGG: Architecture {
    /// What follows the convolutions.
    public enum Classifier: String, Sendable, CaseIterable {
        /// One linear layer on the last activation, convolutions without bias: the form used on CIFAR.
        case linear
        /// Pooling to 7×7 and three linear layers with dropout, convolutions with bias: the form used on ImageNet.
        case full
    }

    /// 11, 13, 16 or 19: the layers with weights in the full form.
    public var depth: Int
    public var imageShape: Shape
    public var classCount: Int
    public var classifier: Classifier

    public init(
        depth: Int, imageShape: Shape = [3, 32, 32], classCount: Int = 10, classifier: Classifier = .linear
    ) {
        self.depth = depth
        self.imageShape = imageShape
        self.classCount = classCount
        self.classifier = classifier
    }

    private static let channels = [64, 128, 256, 512, 512]
    /// Convolutions per stage.
    private static let stages = [11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]]

    public func build(seed: UInt64) throws -> Graph {
        guard let stages = Self.stages[depth] else {
            throw GraphFailure.invalidArchitecture(detail: "vgg: depth must be 11, 13, 16 or 19, but got \(depth)")
        }
        try requireImages(atLeast: 32, family: "vgg")
        var builder = GraphBuilder(name: "vgg\(depth)", seed: seed)
        var value = builder.input("images", imageShape)
        for (stage, count) in stages.enumerated() {
            for layer in 1...count {
                value = try unit(&builder, "stage\(stage + 1)", layer, value, channels: Self.channels[stage])
            }
            let halving = Pool2D(PoolingGeometry(kind: .max, window: [2, 2]))
            value = try builder.apply("stage\(stage + 1).pool", halving, value)
        }
        value = classifier == .linear ? try linearHead(&builder, value) : try fullHead(&builder, value)
        return try builder.finish(outputs: [value])
    }

    private func unit(
        _ builder: inout GraphBuilder, _ stage: String, _ layer: Int, _ input: String, channels: Int
    ) throws -> String {
        var value = try builder.convolution(
            "\(stage).conv\(layer)", input, channels: channels, kernel: [3, 3],
            geometry: ConvolutionGeometry(stride: 1, padding: 1), hasBias: classifier == .full)
        value = try builder.batchNorm("\(stage).bn\(layer)", value)
        return try builder.apply("\(stage).relu\(layer)", ReLU(), value)
    }

    private func linearHead(_ builder: inout GraphBuilder, _ input: String) throws -> String {
        let flat = try builder.apply("flatten", Flatten(), input)
        return try builder.linear("fc", flat, features: classCount)
    }

    private func fullHead(_ builder: inout GraphBuilder, _ input: String) throws -> String {
        var value = try builder.apply("pool", AdaptiveAveragePool2D(rows: 7, columns: 7), input)
        value = try builder.apply("flatten", Flatten(), value)
        for layer in 1...2 {
            value = try builder.linear("fc\(layer)", value, features: 4096)
            value = try builder.apply("relu\(layer)", ReLU(), value)
            value = try builder.dropout("dropout\(layer)", value, probability: 0.5)
        }
        return try builder.linear("fc3", value, features: classCount)
    }
}
