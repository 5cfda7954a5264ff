import Datasets
import LuaRuntime
import Tensors

/// `mr.data`: data sets.
enum DataFunctions {
    static func add(to table: LuaTable, in state: LuaState, _ randomState: RandomState) throws {
        try table.offer(DatasetClass.make(randomState), in: state)
        let data = try state.table()
        try definePair("fashion_mnist", in: state, data, randomState) { options, split in
            try FashionMNIST.load(directory: try options.optionalPath("dir"), split: split)
        }
        try definePair("mnist", in: state, data, randomState) { options, split in
            let directory = try options.path("dir")
            return try MNISTFamily.load(
                name: try options.string("name"), directory: directory, split: split,
                classNames: try options.optionalStrings("classes"),
                hint: "the four files of an MNIST-like data set, plain or gzip, belong in 'dir'")
        }
        try definePair("cifar10", in: state, data, randomState) { options, split in
            try CIFAR.load(.cifar10, directory: try options.path("dir"), split: split)
        }
        try definePair("cifar100", in: state, data, randomState) { options, split in
            let isCoarse = try options.choice("labels", among: ["fine", "coarse"]) == "coarse"
            return try CIFAR.load(
                isCoarse ? .cifar100Coarse : .cifar100, directory: try options.path("dir"), split: split)
        }
        try data.define("folder", in: state, module: "mr.data") { call in
            let options = try call.options(1)
            try call.push(try folder(options) { [unowned state = call.state] in state.warn($0) })
        }
        try data.define("npz", in: state, module: "mr.data") { call in
            let options = try call.options(2)
            let layouts = ArrayDataset.Layout.allCases.map(\.rawValue)
            let layout = ArrayDataset.Layout(rawValue: try options.choice("layout", among: layouts))
            let dataset = try ArrayDataset.load(
                npz: try call.path(1, "path"), images: try options.string("images"),
                labels: try options.value("labels").boolean == false ? nil : options.string("labels"),
                layout: layout ?? .channelsFirst,
                classNames: try options.optionalStrings("classes"), split: try split(options))
            try call.push(DatasetObject(try normalized(dataset, options), try loader(options, from: BatchLoader.Options())))
        }
        try data.define("from_tensors", in: state, module: "mr.data") { call in
            let options = try call.options(3)
            let images = try call.object(1, "images", as: TensorObject.self).tensor
            let labels = try call.object(2, "labels", as: TensorObject.self).tensor
            let classes = try labels.converted(to: .int64).array(of: Int64.self).enumerated().map { offset, label in
                guard label >= 1 else {
                    throw call.invalid(2, "labels", "must count from 1, got \(label) at position \(offset + 1)")
                }
                return Int(label) - 1
            }
            let dataset = try ImageDataset(
                name: try options.string("name"), images: images, labels: classes,
                classNames: try options.optionalStrings("classes"),
                mean: try options.optionalNumbers("mean")?.map(Float.init),
                deviation: try options.optionalNumbers("std")?.map(Float.init))
            try call.push(DatasetObject(dataset, try loader(options, from: BatchLoader.Options())))
        }
        try table.set("data", data)
    }

    /// A function that gives the training and the test images of a published data set. Where the options say nothing
    /// else, both are normalised with mean and deviation of the training images.
    private static func definePair(
        _ name: String, in state: LuaState, _ data: LuaTable, _ randomState: RandomState,
        _ load: @escaping (OptionReader, ImageDataset.Split) throws -> ImageDataset
    ) throws {
        try data.define(name, in: state, module: "mr.data") { call in
            let options = try call.options(1)
            var defaults = BatchLoader.Options()
            defaults.seed = UInt64(bitPattern: Int64(randomState.seed))
            let training = try loader(options, from: defaults, shuffles: true)
            var testing = DatasetObject.plain(batchSize: training.batchSize)
            testing.seed = training.seed
            var images = try load(options, .train)
            var others = try load(options, .test)
            if OptionTable.options(of: call.functionName)?.contains(where: { $0.name == "mean" }) == true {
                images = try normalized(images, options)
                others = try others.normalized(mean: images.mean, deviation: images.deviation)
            }
            try call.push(DatasetObject(images, training))
            try call.push(DatasetObject(others, testing))
        }
    }

    /// - Parameter remark: takes sentences about what is passed over.
    private static func folder(_ options: OptionReader, _ remark: (String) -> Void) throws -> DatasetObject {
        let directory = try options.path("dir")
        let size = try options.optionalIntegers("size") ?? []
        guard size.count == 2 else { throw options.invalid("size", "must be { height, width }") }
        let fits = ImageFolder.Fit.allCases.map(\.rawValue)
        let dataset = try ImageFolder.load(
            directory, name: try options.string("name", default: directory), split: try split(options), height: size[0],
            width: size[1], channels: try options.integer("channels"),
            fit: ImageFolder.Fit(rawValue: try options.choice("fit", among: fits)) ?? .crop,
            classNames: try options.optionalStrings("classes"),
            skipsDamaged: try options.boolean("skip_damaged"), remark: remark)
        return DatasetObject(try normalized(dataset, options), try loader(options, from: BatchLoader.Options()))
    }

    private static func split(_ options: OptionReader) throws -> ImageDataset.Split {
        try options.choice("split", among: ["train", "test"]) == "test" ? .test : .train
    }

    /// With the mean and deviation of the options, or those of the images themselves.
    private static func normalized(_ dataset: ImageDataset, _ options: OptionReader) throws -> ImageDataset {
        let mean = try options.optionalNumbers("mean")?.map { Float($0) }
        let deviation = try options.optionalNumbers("std")?.map { Float($0) }
        if let mean, let deviation { return try dataset.normalized(mean: mean, deviation: deviation) }
        let own = try dataset.pixelStatistics()
        return try dataset.normalized(mean: mean ?? own.mean, deviation: deviation ?? own.deviation)
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
