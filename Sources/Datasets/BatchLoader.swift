public import Tensors

/// Images as a network takes them, with their classes.
public struct Batch: Sendable {
    /// float32 [n, C, H, W], normalised and augmented.
    public let images: Tensor
    /// int64 [n].
    public let labels: Tensor
    /// Where the images are in the data set.
    public let indices: [Int]

    public var count: Int { indices.count }
}

/// Cuts a data set into batches, epoch by epoch.
///
/// What an epoch holds depends on the data set, the options and the epoch's number alone: not on threads, nor on
/// whether the epoch was begun in the middle.
public struct BatchLoader: Sendable {
    public struct Options: Sendable {
        /// Images in a batch, at least 1.
        public var batchSize = 128
        /// Whether each epoch has an order of its own; otherwise that of the data set.
        public var shuffles = false
        /// Fixes the orders and the augmentation.
        public var seed: UInt64 = 0
        /// Applied in this order, each at most once.
        public var augmentations: [Augmentation] = []
        /// Whether the last batch of an epoch is left out when it is not full.
        public var dropsPartialBatch = false
        /// Whether up to two batches are made ahead on a thread.
        public var prefetches = true

        public init() {}
    }

    public let dataset: ImageDataset
    public let options: Options

    /// - Throws: `DatasetFailure.invalidOption` for a batch size below 1 or an augmentation that does not suit the
    ///   images.
    public init(_ dataset: ImageDataset, _ options: Options = Options()) throws {
        guard options.batchSize >= 1 else {
            throw DatasetFailure.invalidOption(
                option: "batch", detail: "a batch of \(options.batchSize) images cannot be made")
        }
        let (height, width) = (dataset.images.shape[2], dataset.images.shape[3])
        try Augmentation.validate(options.augmentations, height: height, width: width)
        self.dataset = dataset
        self.options = options
    }

    /// Batches in an epoch.
    public var batchCount: Int {
        let full = dataset.count / options.batchSize
        return options.dropsPartialBatch || dataset.count % options.batchSize == 0 ? full : full + 1
    }

    /// The batches of epoch `number` from batch `start` on (0…`batchCount`), counted from 0.
    /// - Throws: `DatasetFailure.invalidOption` for a start beyond the epoch.
    public func epoch(_ number: Int = 0, startingAt start: Int = 0) throws -> BatchIterator {
        guard (0...batchCount).contains(start) else {
            throw DatasetFailure.invalidOption(
                option: "start", detail: "batch \(start) is beyond the \(batchCount) batches of an epoch")
        }
        return try BatchIterator(EpochPlan(self, epoch: number), from: start, prefetches: options.prefetches)
    }
}
