import Basics
import Operations
public import Tensors

/// The ResNets of the CIFAR experiments: 6n + 2 layers, 16, 32 and 64 channels, parameter-free (option A) shortcuts.
///
/// - Reference: He, Zhang, Ren, Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016, arXiv:1512.03385, §4.2.
public struct CIFARResNet: Architecture {
    public var depth: Int
    /// One image: [C, H, W].
    public var imageShape: Shape
    public var classCount: Int

    /// - Parameter depth: 6n + 2 with n ≥ 1: 8, 14, 20, 32, 44, 56, 110, ….
    public init(depth: Int, imageShape: Shape = [3, 32, 32], classCount: Int = 10) {
        self.depth = depth
        self.imageShape = imageShape
        self.classCount = classCount
    }

    /// The model with freshly initialised weights.
    /// - Throws: `GraphFailure.invalidArchitecture` when the depth, image or number of classes is none of this family.
    public func build(seed: UInt64) throws -> Graph {
        guard depth >= 8, depth <= 1202, (depth - 2) % 6 == 0 else {
            throw GraphFailure.invalidArchitecture(
                detail: "resnet: depth must be 6n + 2 (8, 14, 20, …, 1202), but got \(depth)")
        }
        try requireImages(atLeast: 4, family: "resnet")
        let blocks = (depth - 2) / 6
        var builder = GraphBuilder(name: "resnet\(depth)", seed: seed)
        var value = builder.input("images", imageShape)
        value = try builder.unit(.init(conv: "conv1", norm: "bn1", activation: "relu1"), value, channels: 16, kernel: 3)
        for (stage, channels) in [16, 32, 64].enumerated() {
            for block in 1...blocks {
                let name = "stage\(stage + 1).block\(block)"
                let stride = stage > 0 && block == 1 ? 2 : 1
                value = try basicBlock(&builder, name, value, channels: channels, stride: stride)
            }
        }
        value = try builder.apply("pool", GlobalAveragePool2D(), value)
        value = try builder.apply("flatten", Flatten(), value)
        value = try builder.linear("fc", value, features: classCount)
        return try builder.finish(outputs: [value])
    }

    private func basicBlock(
        _ builder: inout GraphBuilder, _ name: String, _ input: String, channels: Int, stride: Int
    ) throws -> String {
        let first = GraphBuilder.UnitNames(conv: name + ".conv1", norm: name + ".bn1", activation: name + ".relu1")
        let second = GraphBuilder.UnitNames(conv: name + ".conv2", norm: name + ".bn2")
        var value = try builder.unit(first, input, channels: channels, kernel: 3, stride: stride)
        value = try builder.unit(second, value, channels: channels, kernel: 3)
        var shortcut = input
        if stride > 1 {
            shortcut = try builder.apply(name + ".rows", Slice(dimension: 2, by: stride), shortcut)
            shortcut = try builder.apply(name + ".columns", Slice(dimension: 3, by: stride), shortcut)
            let missing = channels - (builder.shape(of: input)?[1] ?? channels)
            let pad = Pad(dimension: 1, before: missing / 2, after: missing - missing / 2)
            shortcut = try builder.apply(name + ".channels", pad, shortcut)
        }
        value = try builder.apply(name + ".add", Add(), value, shortcut)
        return try builder.apply(name + ".relu2", ReLU(), value)
    }

    /// As in torchvision: `layer1.0.conv1`; the last layer is `fc`, or `linear` as in other implementations.
    public func stateDictModules() -> [String: [String]] {
        var modules = ["conv1": ["conv1"], "bn1": ["bn1"], "fc": ["fc", "linear"]]
        for stage in 1...3 {
            for block in 1...max(1, (depth - 2) / 6) {
                for part in ["conv1", "bn1", "conv2", "bn2"] {
                    modules["stage\(stage).block\(block).\(part)"] = ["layer\(stage).\(block - 1).\(part)"]
                }
            }
        }
        return modules
    }
}
