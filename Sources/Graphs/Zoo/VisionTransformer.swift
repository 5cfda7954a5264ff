import Operations
public import Tensors

/// A vision transformer: an image becomes a sequence of square patches, and blocks of attention and of a perceptron, each
/// normalised before and added to what came in, work on all of them. The classifier sees the mean over the patches.
///
/// The layers are those of timm's `VisionTransformer(class_token=False, global_pool="avg", fc_norm=False)`.
/// - Reference: Dosovitskiy et al., *An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale*, ICLR 2021,
///   arXiv:2010.11929, figure 1 and eq. 1–4; the mean in place of a class token as in Beyer, Zhai, Kolesnikov, *Better plain
///   ViT baselines for ImageNet-1k*, 2022, arXiv:2205.01580.
public struct VisionTransformer: Architecture {
    public var imageShape: Shape
    public var classCount: Int
    /// Rows and columns of a patch, which divide those of the image.
    public var patch: Int
    /// Features of each patch, a multiple of the heads: 1…65,536.
    public var width: Int
    /// How many blocks there are: 1…1000.
    public var depth: Int
    /// How many parts of the features attend on their own.
    public var heads: Int
    /// How many times as many features the perceptrons have inside: above 0, at most 64.
    public var mlpRatio: Double

    public init(
        imageShape: Shape = [1, 28, 28], classCount: Int = 10, patch: Int = 7, width: Int = 64, depth: Int = 4, heads: Int = 4,
        mlpRatio: Double = 3
    ) {
        self.imageShape = imageShape
        self.classCount = classCount
        self.patch = patch
        self.width = width
        self.depth = depth
        self.heads = heads
        self.mlpRatio = mlpRatio
    }

    /// How many patches there are.
    private var patchCount: Int { (imageShape[1] / patch) * (imageShape[2] / patch) }

    public func build(seed: UInt64) throws -> Graph {
        try check()
        var builder = GraphBuilder(name: "vit", seed: seed)
        let images = builder.input("images", imageShape)
        var value = try builder.convolution(
            "patch", images, channels: width, kernel: [patch, patch], geometry: ConvolutionGeometry(stride: patch, padding: 0), hasBias: true)
        value = try builder.apply("rows", Reshape(target: [0, width, patchCount]), value)
        value = try builder.apply("sequence", Transpose(order: [0, 2, 1]), value)
        value = try builder.embedding("positions", value)
        for block in 1...depth { value = try self.block(&builder, "block\(block)", value) }
        value = try builder.layerNorm("norm", value, epsilon: Self.epsilon)
        value = try builder.apply("pool", ReduceMean(dimensions: [1], keepsDimensions: false), value)
        value = try builder.linear("fc", value, features: classCount)
        return try builder.finish(outputs: [value])
    }

    /// What the normalisations of vision transformers add to variances.
    private static let epsilon = 1e-6

    private func check() throws {
        func refuse(_ detail: String) -> GraphFailure { .invalidArchitecture(detail: "vit: " + detail) }
        try requireImages(atLeast: 1, family: "vit")
        guard patch >= 1, imageShape[1] % patch == 0, imageShape[2] % patch == 0 else {
            throw refuse("patch must divide the \(imageShape[1])×\(imageShape[2]) pixels of an image, but got \(patch)")
        }
        guard (1...1 << 16).contains(width), heads >= 1, width % heads == 0 else {
            throw refuse("width must be in 1…65536 and a multiple of heads, but got a width of \(width) and \(heads) heads")
        }
        guard (1...1000).contains(depth) else { throw refuse("depth must be in 1…1000, but got \(depth)") }
        guard mlpRatio <= 64, mlpRatio * Double(width) >= 1 else {
            throw refuse("the MLP ratio must be at most 64 and give at least one feature, but got \(mlpRatio)")
        }
    }

    private func block(_ builder: inout GraphBuilder, _ name: String, _ input: String) throws -> String {
        var value = try builder.layerNorm(name + ".norm1", input, epsilon: Self.epsilon)
        value = try attention(&builder, name + ".attention", value)
        let middle = try builder.apply(name + ".add1", Add(), input, value)
        value = try builder.layerNorm(name + ".norm2", middle, epsilon: Self.epsilon)
        value = try builder.linear(name + ".mlp.fc1", value, features: Int(mlpRatio * Double(width)))
        value = try builder.apply(name + ".mlp.gelu", GELU(), value)
        value = try builder.linear(name + ".mlp.fc2", value, features: width)
        return try builder.apply(name + ".add2", Add(), middle, value)
    }

    /// softmax(q · kᵀ / √d) · v for each head, with d features of a head; queries, keys and values come from one layer.
    private func attention(_ builder: inout GraphBuilder, _ name: String, _ input: String) throws -> String {
        let features = width / heads
        func part(_ own: String, _ index: Int, of value: String) throws -> String {
            try builder.apply("\(name).\(own)", Slice(dimension: 1, from: index, to: index + 1), value)
        }
        var value = try builder.linear(name + ".qkv", input, features: 3 * width)
        // [N, patches, 3, heads, features], then [N, 3, heads, patches, features].
        value = try builder.apply(name + ".split", Reshape(target: [0, patchCount, 3, heads, features]), value)
        value = try builder.apply(name + ".parts", Transpose(order: [0, 2, 3, 1, 4]), value)
        let (queries, keys, values) = (try part("queries", 0, of: value), try part("keys", 1, of: value), try part("values", 2, of: value))
        let turned = try builder.apply(name + ".turned", Transpose(order: [0, 1, 2, 4, 3]), keys)
        value = try builder.apply(name + ".products", MatrixMultiply(), queries, turned)
        value = try builder.apply(name + ".scale", Scale(factor: 1 / Double(features).squareRoot()), value)
        value = try builder.apply(name + ".softmax", Softmax(), value)
        value = try builder.apply(name + ".mixed", MatrixMultiply(), value, values)
        value = try builder.apply(name + ".back", Transpose(order: [0, 3, 1, 2, 4]), value)
        value = try builder.apply(name + ".joined", Reshape(target: [0, patchCount, width]), value)
        return try builder.linear(name + ".proj", value, features: width)
    }

    /// As in timm: `blocks.0.attn.qkv`; the embeddings of the positions are a parameter of the network itself.
    public func stateDictModules() -> [String: [String]] {
        var modules = ["patch": ["patch_embed.proj"], "positions": ["pos_embed"], "norm": ["norm"], "fc": ["head"]]
        let parts = [
            "norm1": "norm1", "attention.qkv": "attn.qkv", "attention.proj": "attn.proj", "norm2": "norm2", "mlp.fc1": "mlp.fc1",
            "mlp.fc2": "mlp.fc2",
        ]
        for block in 0..<max(0, depth) {
            for (ours, theirs) in parts { modules["block\(block + 1).\(ours)"] = ["blocks.\(block).\(theirs)"] }
        }
        return modules
    }
}
