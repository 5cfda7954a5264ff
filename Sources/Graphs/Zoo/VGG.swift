import Operations
public import Tensors

/// VGG networks with batch normalisation: 3×3 convolutions in five stages with a maximum pooling behind each.
///
/// - Reference: Simonyan, Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*, ICLR 2015,
///   arXiv:1409.1556, table 1, columns A, B, D and E.
public struct VGG: Architecture {
    public enum Form: Sendable {
        /// Convolutions without bias and one linear layer on the last activation.
        case cifar
        /// Convolutions with bias, pooling to 7×7 and three linear layers with dropout.
        case imagenet
    }

    /// 11, 13, 16 or 19: the layers with weights in the ImageNet form.
    public var depth: Int
    public var imageShape: Shape
    public var classCount: Int
    public var form: Form

    public init(
        depth: Int, imageShape: Shape = [3, 32, 32], classCount: Int = 10, form: Form = .cifar
    ) {
        self.depth = depth
        self.imageShape = imageShape
        self.classCount = classCount
        self.form = form
    }

    private static let channels = [64, 128, 256, 512, 512]
    /// Convolutions per stage.
    private static let stages = [11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]]

    public func build(seed: UInt64) throws -> Graph {
        guard let stages = Self.stages[depth] else {
            throw GraphFailure.invalidArchitecture(detail: "vgg: depth must be 11, 13, 16 or 19, but got \(depth)")
        }
        // Pooling to 7×7 does not enlarge.
        try requireImages(atLeast: form == .imagenet ? 224 : 32, family: form == .imagenet ? "vgg of the ImageNet form" : "vgg")
        var builder = GraphBuilder(name: "vgg\(depth)", seed: seed)
        var value = builder.input("images", imageShape)
        for (stage, count) in stages.enumerated() {
            for layer in 1...count {
                let name = "stage\(stage + 1)"
                value = try builder.unit(
                    .init(conv: "\(name).conv\(layer)", norm: "\(name).bn\(layer)", activation: "\(name).relu\(layer)"),
                    value, channels: Self.channels[stage], kernel: 3, hasBias: form == .imagenet)
            }
            let halving = Pool2D(PoolingGeometry(kind: .max, window: [2, 2]))
            value = try builder.apply("stage\(stage + 1).pool", halving, value)
        }
        value = form == .cifar ? try linearHead(&builder, value) : try fullHead(&builder, value)
        return try builder.finish(outputs: [value])
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

    /// `features.0`, … and `classifier`; the CIFAR form also as one `nn.Sequential`.
    public func stateDictModules() -> [String: [String]] {
        var modules: [String: [String]] = [:]
        var position = 0
        func names(_ position: Int) -> [String] { form == .cifar ? ["features.\(position)", "\(position)"] : ["features.\(position)"] }
        for (stage, count) in (Self.stages[depth] ?? []).enumerated() {
            for layer in 1...count {
                modules["stage\(stage + 1).conv\(layer)"] = names(position)
                modules["stage\(stage + 1).bn\(layer)"] = names(position + 1)
                position += 3
            }
            position += 1
        }
        if form == .cifar {
            modules["fc"] = ["classifier", "fc", "\(position + 1)"]
        } else {
            for layer in 0..<3 { modules["fc\(layer + 1)"] = ["classifier.\(3 * layer)"] }
        }
        return modules
    }
}
