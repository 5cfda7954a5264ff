import Datasets
import LuaRuntime
import Tensors

/// A data set with how it is cut into batches.
final class DatasetObject: LuaObjectConvertible {
    let dataset: ImageDataset
    let options: BatchLoader.Options

    init(_ dataset: ImageDataset, _ options: BatchLoader.Options) {
        self.dataset = dataset
        self.options = options
    }

    /// Of images, labels and names.
    var byteCount: Int {
        let names = dataset.classNames.reduce(dataset.name.utf8.count) { $0 + $1.utf8.count + MemoryLayout<String>.size }
        return dataset.images.byteCount + dataset.labels.count * MemoryLayout<Int>.size + names
    }

    /// Up to `imageCount` images with classes in proportion, unshuffled and without augmentation, in batches as equal as they
    /// can be: in a last batch of one image, what normalises by batches would see that image alone.
    func calibration(imageCount: Int, seed: Int) throws -> BatchLoader {
        let part = try dataset.sample(count: imageCount, seed: UInt64(bitPattern: Int64(seed)))
        let batches = (part.count + options.batchSize - 1) / max(1, options.batchSize)
        return try BatchLoader(part, Self.plain(batchSize: max(1, (part.count + batches - 1) / max(1, batches))))
    }

    /// The same images in memory, with every class in proportion.
    func calibrationBatches(imageCount: Int, seed: Int) throws -> ImageBatches {
        try ImageBatches(calibration(imageCount: imageCount, seed: seed))
    }

    static func plain(batchSize: Int) -> BatchLoader.Options {
        var options = BatchLoader.Options()
        options.batchSize = batchSize
        return options
    }
}

enum DatasetClass {
    static func make(_ randomState: RandomState) -> LuaClass<DatasetObject> {
        LuaClass("Dataset") { members in
            members.byteCount { $0.byteCount }
            members.text { object in
                let shape = object.dataset.imageShape.dims.map(String.init).joined(separator: "×")
                return "Dataset \(object.dataset.name): \(object.dataset.count) images \(shape), "
                    + "\(object.dataset.classCount) classes, \(object.dataset.split), batches of \(object.options.batchSize)"
            }
            members.length { $0.dataset.count }
            members.property("name") { $0.dataset.name }
            members.property("split") { $0.dataset.split.rawValue }
            members.property("count") { $0.dataset.count }
            members.property("batch") { $0.options.batchSize }
            members.property("classes") { $0.dataset.classNames }
            members.property("image_shape") { $0.dataset.imageShape.dims }
            members.property("batches") { try BatchLoader($0.dataset, $0.options).batchCount }
            members.property("labels") { TensorObject(try Tensor($0.dataset.labels.map { Int64($0 + 1) })) }
            members.property("images") { TensorObject($0.dataset.images) }
            members.method("epoch") { call, object in try epoch(call, object) }
            members.property("mean") { $0.dataset.mean.map { Double($0) } }
            members.property("std") { $0.dataset.deviation.map { Double($0) } }
            members.method("with") { call, object in
                let options = try call.options(1)
                let dataset = try object.dataset.normalized(
                    mean: try options.optionalNumbers("mean")?.map { Float($0) } ?? object.dataset.mean,
                    deviation: try options.optionalNumbers("std")?.map { Float($0) } ?? object.dataset.deviation)
                return DatasetObject(dataset, try DataFunctions.loader(options, from: object.options))
            }
            members.method("resize") { call, object in
                let size = (try call.integer(1, "height"), try call.integer(2, "width"))
                return DatasetObject(try object.dataset.resized(height: size.0, width: size.1), object.options)
            }
            members.method("statistics") { _, object in
                let (mean, deviation) = try object.dataset.pixelStatistics()
                return ["mean": mean.map { Double($0) }, "std": deviation.map { Double($0) }] as LuaFields
            }
            members.method("take") { call, object in
                DatasetObject(try object.dataset.prefix(try call.integer(1, "count")), object.options)
            }
            members.method("divide") { call, object in
                let seed = UInt64(bitPattern: Int64(try call.optionalInteger(2, "seed") ?? randomState.seed))
                let (first, second) = try object.dataset.split(count: try call.integer(1, "count"), seed: seed)
                try call.push(DatasetObject(first, object.options))
                try call.push(DatasetObject(second, object.options))
            }
        }
    }

    /// Bytes of an iterator beside its tensors: the stack of a thread that reads ahead, and the order of the samples.
    private static let epochCost = 1 << 16

    /// An iterator for `for batch in data:epoch(n)`; labels count from 1.
    private static func epoch(_ call: borrowing LuaCall, _ object: DatasetObject) throws {
        let number = try call.optionalInteger(1, "epoch") ?? 1
        let options = try call.options(2)
        let start = try options.integer("start")
        guard number >= 1 else { throw call.invalid(1, "epoch", "counts from 1, got \(number)") }
        guard start >= 1 else { throw options.invalid("start", "counts from 1, got \(start)") }
        let iterator = try BatchLoader(object.dataset, object.options).epoch(number - 1, startingAt: start - 1)
        try call.push(
            try call.state.function("epoch", byteCount: Self.epochCost) { call in
                guard let batch = try iterator.next() else { return try call.push(LuaValue.nil) }
                let labels = try batch.labels.combined(.add, .full([], 1, dtype: .int64))
                try call.push(
                    [
                        "x": TensorObject(batch.images), "y": TensorObject(labels), "count": batch.count,
                        "number": iterator.nextBatch, "of": iterator.batchCount,
                    ] as LuaFields)
            })
    }
}
