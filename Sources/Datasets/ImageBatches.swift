public import Tensors

/// Images as a model takes them, all in memory, with the class of each: what layers are scored and repaired on, and models judged.
public struct ImageBatches: Sendable {
    /// float32 [n, C, H, W] each, normalised.
    public private(set) var images: [Tensor] = []
    /// Counted from 0; one list for each batch.
    public private(set) var labels: [[Int]] = []

    /// The first epoch of `loader`.
    /// - Throws: `Interrupted`; `TensorFailure` when memory runs out.
    /// - Complexity: O(pixels), and 4 bytes a pixel of memory.
    public init(_ loader: BatchLoader) throws {
        let batches = try loader.epoch()
        while let batch = try batches.next() {
            images.append(batch.images)
            labels.append(try batch.classes())
        }
    }

    /// How many images there are.
    public var count: Int { labels.reduce(0) { $0 + $1.count } }
}

extension ImageDataset {
    /// All images in their order, in batches of at most `size`.
    /// - Throws: `DatasetFailure.invalidOption` for a size below 1; what making batches throws.
    public func batches(ofAtMost size: Int = 128) throws -> ImageBatches {
        var options = BatchLoader.Options()
        options.batchSize = size
        return try ImageBatches(BatchLoader(self, options))
    }
}

extension Batch {
    /// The labels as numbers, counted from 0.
    public func classes() throws -> [Int] { try labels.array(of: Int64.self).map(Int.init) }
}
