import Basics
import Tensors

/// All that decides what the batches of one epoch hold, so that any of them can be made on any thread in any order.
struct EpochPlan: Sendable {
    private let loader: BatchLoader
    private let order: [Int]
    /// Gives each position of the order a random source of its own.
    private let augmentationSource: RandomSource
    private let pixelCopy: PixelCopy

    init(_ loader: BatchLoader, epoch: Int) {
        self.loader = loader
        let source = RandomSource(seed: loader.options.seed).stream(UInt64(bitPattern: Int64(epoch)))
        var orderSource = source.stream(0)
        order =
            loader.options.shuffles
            ? SampleOrder.shuffled(loader.dataset.count, using: &orderSource) : Array(0..<loader.dataset.count)
        augmentationSource = source.stream(1)
        pixelCopy = PixelCopy(loader.dataset)
    }

    var batchCount: Int { loader.batchCount }

    /// - Complexity: O(pixels of the batch).
    func batch(_ number: Int) throws -> Batch {
        let begin = number * loader.options.batchSize
        let end = min(begin + loader.options.batchSize, order.count)
        let indices = Array(order[begin..<end])
        let result = try Tensor(uninitialized: Shape([indices.count] + loader.dataset.imageShape.dims))
        if loader.dataset.images.dtype == .uint8 {
            try fill(result, indices, firstPosition: begin, UInt8.self)
        } else {
            try fill(result, indices, firstPosition: begin, Float.self)
        }
        let labels = try Tensor(indices.map { Int64(loader.dataset.labels[$0]) })
        return Batch(images: result, labels: labels, indices: indices)
    }

    private func fill<Raw: Pixel & TensorElement>(
        _ result: Tensor, _ indices: [Int], firstPosition: Int, _: Raw.Type
    ) throws {
        let augmentations = loader.options.augmentations
        let size = pixelCopy.pixelsPerImage
        try loader.dataset.images.withElements(of: Raw.self) { source in
            try result.withMutableElements(of: Float.self) { target in
                guard let sourceStart = source.baseAddress, let targetStart = target.baseAddress else { return }
                for (row, index) in indices.enumerated() {
                    var place = Placement()
                    if !augmentations.isEmpty {
                        var random = augmentationSource.stream(UInt64(firstPosition + row))
                        place = Placement(augmentations, using: &random)
                    }
                    pixelCopy.copy(sourceStart + index * size, to: targetStart + row * size, place)
                }
            }
        }
    }
}
