import Operations
public import Tensors

/// MobileNetV2: blocks that widen by 1×1 convolutions, work by depthwise 3×3 ones and narrow again, with ReLU6.
///
/// - Reference: Sandler, Howard, Zhu, Zhmoginov, Chen, *MobileNetV2: Inverted Residuals and Linear Bottlenecks*,
///   CVPR 2018, arXiv:1801.04381, table 2.
public struct MobileNetV2: Architecture {
    public var imageShape: Shape
    public var classCount: Int
    /// Factor of the channels, 0.1…4; they are rounded to multiples of eight.
    public var width: Double

    public init(imageShape: Shape = [3, 224, 224], classCount: Int = 1000, width: Double = 1) {
        self.imageShape = imageShape
        self.classCount = classCount
        self.width = width
    }

    /// How often a block widens, its channels, how many of it follow each other, and the stride of the first.
    private static let stages: [(expansion: Int, channels: Int, count: Int, stride: Int)] = [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]
    private static let activation = Clip(low: 0, high: 6)

    /// The nearest multiple of eight, but not less than nine tenths.
    private func scaled(_ channels: Int, by factor: Double) -> Int {
        let exact = Double(channels) * factor
        let rounded = max(8, Int(exact + 4) / 8 * 8)
        return Double(rounded) < 0.9 * exact ? rounded + 8 : rounded
    }

    public func build(seed: UInt64) throws -> Graph {
        guard width >= 0.1, width <= 4 else {
            throw GraphFailure.invalidArchitecture(detail: "mobilenet_v2: width must be in 0.1…4, but got \(width)")
        }
        try requireImages(atLeast: 32, family: "mobilenet_v2")
        var builder = GraphBuilder(name: "mobilenet_v2", seed: seed)
        var value = builder.input("images", imageShape)
        value = try unit(&builder, "stem", value, channels: scaled(32, by: width), kernel: 3, stride: 2)
        for (stage, row) in Self.stages.enumerated() {
            for block in 1...row.count {
                value = try self.block(
                    &builder, "stage\(stage + 1).block\(block)", value, expansion: row.expansion,
                    channels: scaled(row.channels, by: width), stride: block == 1 ? row.stride : 1)
            }
        }
        value = try unit(&builder, "head", value, channels: scaled(1280, by: max(1, width)), kernel: 1)
        value = try builder.apply("pool", GlobalAveragePool2D(), value)
        value = try builder.apply("flatten", Flatten(), value)
        value = try builder.dropout("dropout", value, probability: 0.2)
        value = try builder.linear("fc", value, features: classCount)
        return try builder.finish(outputs: [value])
    }

    private func unit(
        _ builder: inout GraphBuilder, _ name: String, _ input: String, channels: Int, kernel: Int, stride: Int = 1,
        groups: Int = 1, isActive: Bool = true
    ) throws -> String {
        let names = GraphBuilder.UnitNames(
            conv: name + ".conv", norm: name + ".bn", activation: isActive ? name + ".relu6" : nil)
        return try builder.unit(
            names, input, channels: channels, kernel: kernel, stride: stride, groups: groups, activation: Self.activation)
    }

    private func block(
        _ builder: inout GraphBuilder, _ name: String, _ input: String, expansion: Int, channels: Int, stride: Int
    ) throws -> String {
        let inputChannels = builder.shape(of: input)?[1] ?? 0
        let wide = inputChannels * expansion
        var value = input
        if expansion > 1 { value = try unit(&builder, name + ".expand", value, channels: wide, kernel: 1) }
        value = try unit(&builder, name + ".depthwise", value, channels: wide, kernel: 3, stride: stride, groups: wide)
        value = try unit(&builder, name + ".project", value, channels: channels, kernel: 1, isActive: false)
        guard stride == 1, inputChannels == channels else { return value }
        return try builder.apply(name + ".add", Add(), input, value)
    }

    public func stateDictModules() -> [String: [String]] {
        var modules = ["stem.conv": ["features.0.0"], "stem.bn": ["features.0.1"], "fc": ["classifier.1"]]
        var feature = 1
        for (stage, row) in Self.stages.enumerated() {
            for block in 1...row.count {
                let (ours, theirs) = ("stage\(stage + 1).block\(block)", "features.\(feature).conv")
                // Where nothing is widened, the first of the three is missing and the others move up.
                let parts = row.expansion > 1 ? ["expand", "depthwise"] : ["depthwise"]
                for (position, part) in parts.enumerated() {
                    modules["\(ours).\(part).conv"] = ["\(theirs).\(position).0"]
                    modules["\(ours).\(part).bn"] = ["\(theirs).\(position).1"]
                }
                modules["\(ours).project.conv"] = ["\(theirs).\(parts.count)"]
                modules["\(ours).project.bn"] = ["\(theirs).\(parts.count + 1)"]
                feature += 1
            }
        }
        modules["head.conv"] = ["features.\(feature).0"]
        modules["head.bn"] = ["features.\(feature).1"]
        return modules
    }
}
