import Formats
import Graphs
import Interchange
import LuaRuntime
import Tensors

/// `mr.zoo`: well-known networks with fresh weights.
enum ZooFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        let zoo = try state.table()
        func define(_ name: String, _ make: @escaping (OptionReader) throws -> any Architecture) throws {
            try zoo.define(name, in: state, module: "mr.zoo") { call in
                let options = try call.options(1)
                let architecture = try make(options)
                let seed = try options.integer("seed", default: randomState.seed)
                var graph = try architecture.build(seed: UInt64(bitPattern: Int64(seed)))
                if let path = try options.optionalPath("weights") {
                    let file = try SafetensorsFile(path: path)
                    try StateDict(modules: architecture.stateDictModules(), source: path)
                        .load(names: file.names, into: &graph) { file[$0] }
                }
                try call.push(ModelObject(graph))
            }
        }
        try define("lenet5") { options in
            LeNet5(imageShape: try options.image([1, 28, 28]), classCount: try options.classCount(10))
        }
        try define("mlp") { options in
            MultilayerPerceptron(
                imageShape: try options.image([1, 28, 28]), classCount: try options.classCount(10),
                hidden: try options.integers("hidden"))
        }
        try define("resnet") { options in
            if try options.isImageNetForm() {
                return ResNet(
                    depth: try options.integer("depth", default: 18), imageShape: try options.image([3, 224, 224]),
                    classCount: try options.classCount(1000))
            }
            return CIFARResNet(
                depth: try options.integer("depth", default: 20), imageShape: try options.image([3, 32, 32]),
                classCount: try options.classCount(10))
        }
        try define("vgg") { options in
            let isImageNet = try options.isImageNetForm()
            return VGG(
                depth: try options.integer("depth"),
                imageShape: try options.image(isImageNet ? [3, 224, 224] : [3, 32, 32]),
                classCount: try options.classCount(isImageNet ? 1000 : 10), form: isImageNet ? .imagenet : .cifar)
        }
        try define("mobilenet_v2") { options in
            MobileNetV2(
                imageShape: try options.image([3, 224, 224]), classCount: try options.classCount(1000),
                width: try options.number("width"))
        }
        try define("vit") { options in
            VisionTransformer(
                imageShape: try options.image([1, 28, 28]), classCount: try options.classCount(10),
                patch: try options.integer("patch"), width: try options.integer("width"), depth: try options.integer("depth"),
                heads: try options.integer("heads"), mlpRatio: try options.number("mlp_ratio"))
        }
        try table.set("zoo", zoo)
    }
}

extension OptionReader {
    fileprivate func image(_ fallback: [Int]) throws -> Shape { Shape(try optionalIntegers("image") ?? fallback) }
    fileprivate func classCount(_ fallback: Int) throws -> Int { try integer("classes", default: fallback) }

    /// Whether `form` asks for the network of the ImageNet experiments, rather than that of CIFAR.
    fileprivate func isImageNetForm() throws -> Bool {
        try choice("form", among: ["cifar", "imagenet"]) == "imagenet"
    }
}
