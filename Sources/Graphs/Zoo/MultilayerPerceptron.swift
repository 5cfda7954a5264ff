import Operations
public import Tensors

/// Linear layers with ReLU between them, on all pixels of an image.
public struct MultilayerPerceptron: Architecture {
    public var imageShape: Shape
    public var classCount: Int
    /// Features of the layers between, from the first on.
    public var hidden: [Int]

    public init(imageShape: Shape = [1, 28, 28], classCount: Int = 10, hidden: [Int] = [256, 128]) {
        self.imageShape = imageShape
        self.classCount = classCount
        self.hidden = hidden
    }

    public func build(seed: UInt64) throws -> Graph {
        guard hidden.count <= 1000 else {
            throw GraphFailure.invalidArchitecture(detail: "mlp: at most 1000 hidden layers, but got \(hidden.count)")
        }
        try requireImages(atLeast: 1, family: "mlp")
        var builder = GraphBuilder(name: "mlp", seed: seed)
        var value = try builder.apply("flatten", Flatten(), builder.input("images", imageShape))
        for (position, features) in hidden.enumerated() {
            value = try builder.linear("fc\(position + 1)", value, features: features)
            value = try builder.apply("relu\(position + 1)", ReLU(), value)
        }
        value = try builder.linear("fc\(hidden.count + 1)", value, features: classCount)
        return try builder.finish(outputs: [value])
    }

    /// `fc1`, …, or the positions in `nn.Sequential(nn.Flatten(), nn.Linear(…), nn.ReLU(), …)`.
    public func stateDictModules() -> [String: [String]] {
        Dictionary(uniqueKeysWithValues: (0...hidden.count).map { ("fc\($0 + 1)", ["fc\($0 + 1)", "\(2 * $0 + 1)"]) })
    }
}
