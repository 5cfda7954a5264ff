import Operations
public import Tensors

/// The ResNets of the ImageNet experiments: a 7×7 stem, four stages and projections as shortcuts.
///
/// The bottlenecks put their stride on the 3×3 convolution, as torchvision does.
/// - Reference: He, Zhang, Ren, Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016, arXiv:1512.03385,
///   table 1.
public struct ResNet: Architecture {
    /// 18, 34, 50, 101 or 152.
    public var depth: Int
    public var imageShape: Shape
    public var classCount: Int

    public init(depth: Int, imageShape: Shape = [3, 224, 224], classCount: Int = 1000) {
        self.depth = depth
        self.imageShape = imageShape
        self.classCount = classCount
    }

    /// Blocks per stage.
    private static let stages = [
        18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3],
    ]
    /// Whether blocks are 1×1 → 3×3 → 1×1, rather than two 3×3.
    private var hasBottlenecks: Bool { depth >= 50 }

    public func build(seed: UInt64) throws -> Graph {
        guard let stages = Self.stages[depth] else {
            throw GraphFailure.invalidArchitecture(
                detail: "resnet of the ImageNet form: depth must be 18, 34, 50, 101 or 152, but got \(depth)")
        }
        try requireImages(atLeast: 32, family: "resnet of the ImageNet form")
        var builder = GraphBuilder(name: "resnet\(depth)", seed: seed)
        var value = builder.input("images", imageShape)
        value = try builder.unit(.init(conv: "conv1", norm: "bn1", activation: "relu1"), value, channels: 64, kernel: 7, stride: 2)
        let pool = Pool2D(PoolingGeometry(kind: .max, window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1]))
        value = try builder.apply("pool1", pool, value)
        for (stage, count) in stages.enumerated() {
            for block in 1...count {
                let stride = stage > 0 && block == 1 ? 2 : 1
                value = try self.block(
                    &builder, "stage\(stage + 1).block\(block)", value, channels: 64 << stage, stride: stride)
            }
        }
        value = try builder.apply("pool", GlobalAveragePool2D(), value)
        value = try builder.apply("flatten", Flatten(), value)
        value = try builder.linear("fc", value, features: classCount)
        return try builder.finish(outputs: [value])
    }

    private func block(
        _ builder: inout GraphBuilder, _ name: String, _ input: String, channels: Int, stride: Int
    ) throws -> String {
        func names(_ position: Int, last: Bool = false) -> GraphBuilder.UnitNames {
            .init(
                conv: "\(name).conv\(position)", norm: "\(name).bn\(position)",
                activation: last ? nil : "\(name).relu\(position)")
        }
        var value: String
        if hasBottlenecks {
            value = try builder.unit(names(1), input, channels: channels, kernel: 1)
            value = try builder.unit(names(2), value, channels: channels, kernel: 3, stride: stride)
            value = try builder.unit(names(3, last: true), value, channels: 4 * channels, kernel: 1)
        } else {
            value = try builder.unit(names(1), input, channels: channels, kernel: 3, stride: stride)
            value = try builder.unit(names(2, last: true), value, channels: channels, kernel: 3)
        }
        var shortcut = input
        let outputChannels = hasBottlenecks ? 4 * channels : channels
        if stride > 1 || builder.shape(of: input)?[1] != outputChannels {
            let down = GraphBuilder.UnitNames(conv: name + ".down.conv", norm: name + ".down.bn")
            shortcut = try builder.unit(down, input, channels: outputChannels, kernel: 1, stride: stride)
        }
        value = try builder.apply(name + ".add", Add(), value, shortcut)
        return try builder.apply(name + ".relu\(hasBottlenecks ? 3 : 2)", ReLU(), value)
    }

    public func stateDictModules() -> [String: [String]] {
        var modules = ["conv1": ["conv1"], "bn1": ["bn1"], "fc": ["fc"]]
        for (stage, count) in (Self.stages[depth] ?? []).enumerated() {
            for block in 0..<count {
                let (ours, theirs) = ("stage\(stage + 1).block\(block + 1)", "layer\(stage + 1).\(block)")
                for position in 1...(hasBottlenecks ? 3 : 2) {
                    modules["\(ours).conv\(position)"] = ["\(theirs).conv\(position)"]
                    modules["\(ours).bn\(position)"] = ["\(theirs).bn\(position)"]
                }
                modules["\(ours).down.conv"] = ["\(theirs).downsample.0"]
                modules["\(ours).down.bn"] = ["\(theirs).downsample.1"]
            }
        }
        return modules
    }
}
