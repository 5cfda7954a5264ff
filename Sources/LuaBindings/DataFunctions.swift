import Datasets
import LuaRuntime
import Tensors

/// `mr.data`: data sets.
enum DataFunctions {
    static let loaderOptions = ["batch", "shuffle", "augment", "seed", "drop_last"]

    static func add(to table: LuaTable, in state: LuaState, _ session: Session) throws {
        let data = try state.table()
        try data.define("fashion_mnist", in: state, module: "mr.data") { call in
            let options = try call.options(1, known: loaderOptions + ["dir"])
            let directory = try options.optionalString("dir")
            var defaults = BatchLoader.Options()
            defaults.seed = UInt64(bitPattern: Int64(session.seed))
            let training = try loader(options, from: defaults, shuffles: true)
            var testing = DatasetObject.plain(batchSize: training.batchSize)
            testing.seed = training.seed
            try call.push(DatasetObject(try FashionMNIST.load(directory: directory, split: .train), training))
            try call.push(DatasetObject(try FashionMNIST.load(directory: directory, split: .test), testing))
        }
        try data.define("from_tensors", in: state, module: "mr.data") { call in
            let options = try call.options(3, known: loaderOptions + ["name", "classes", "mean", "std"])
            let images = try call.object(1, "images", as: TensorObject.self).tensor
            let labels = try call.object(2, "labels", as: TensorObject.self).tensor
            let classes = try labels.converted(to: .int64).array(of: Int64.self).map { Int($0) - 1 }
            let dataset = try ImageDataset(
                name: try options.string("name", default: "images"), images: images, labels: classes,
                classNames: try options.optionalStrings("classes"),
                mean: try options.optionalNumbers("mean")?.map(Float.init),
                deviation: try options.optionalNumbers("std")?.map(Float.init))
            try call.push(DatasetObject(dataset, try loader(options, from: BatchLoader.Options())))
        }
        try table.set("data", data)
    }

    /// Options of a loader over those it had.
    static func loader(
        _ options: OptionReader, from old: BatchLoader.Options, shuffles: Bool? = nil
    ) throws -> BatchLoader.Options {
        var result = old
        if let batch = try options.optionalInteger("batch") {
            guard (1...1 << 20).contains(batch) else { throw options.invalid("batch", "must be positive, got \(batch)") }
            result.batchSize = batch
        }
        result.shuffles = try options.boolean("shuffle", default: shuffles ?? old.shuffles)
        result.dropsPartialBatch = try options.boolean("drop_last", default: old.dropsPartialBatch)
        if let seed = try options.optionalInteger("seed") { result.seed = UInt64(bitPattern: Int64(seed)) }
        if let names = try options.optionalStrings("augment") { result.augmentations = try names.map(Augmentation.init(named:)) }
        return result
    }
}
