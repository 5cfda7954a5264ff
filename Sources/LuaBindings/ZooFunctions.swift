import Graphs
import LuaRuntime
import Tensors

/// `mr.zoo`: well-known networks with fresh weights.
enum ZooFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ session: Session) throws {
        let zoo = try state.table()
        func define(
            _ name: String, _ known: [String], _ make: @escaping (OptionReader) throws -> any Architecture
        ) throws {
            try zoo.define(name, in: state, module: "mr.zoo") { call in
                let options = try call.options(1, known: known + ["image", "classes", "seed"])
                let seed = try options.integer("seed", default: session.seed)
                try call.push(ModelObject(try make(options).build(seed: UInt64(bitPattern: Int64(seed)))))
            }
        }
        try define("resnet", ["depth"]) { options in
            CIFARResNet(
                depth: try options.integer("depth", default: 20), imageShape: try options.image([3, 32, 32]),
                classCount: try options.integer("classes", default: 10))
        }
        try define("vgg", ["depth", "classifier"]) { options in
            let names = VGG.Classifier.allCases.map(\.rawValue)
            let name = try options.choice("classifier", among: names, default: VGG.Classifier.linear.rawValue)
            let classifier = VGG.Classifier(rawValue: name) ?? .linear
            let isFull = classifier == .full
            return VGG(
                depth: try options.integer("depth", default: 16),
                imageShape: try options.image(isFull ? [3, 224, 224] : [3, 32, 32]),
                classCount: try options.integer("classes", default: isFull ? 1000 : 10), classifier: classifier)
        }
        try table.set("zoo", zoo)
    }
}

extension OptionReader {
    fileprivate func image(_ fallback: [Int]) throws -> Shape { Shape(try optionalIntegers("image") ?? fallback) }
}
