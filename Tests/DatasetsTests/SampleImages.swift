import Basics
import Datasets
import Tensors

/// Images whose pixels tell where they are from: pixel p (row-major in [C, H, W]) of image i is `(7 i + p) mod 256`.
func sampleImages(
    _ count: Int, channels: Int = 1, height: Int = 5, width: Int = 7, classCount: Int = 3, mean: [Float]? = nil,
    deviation: [Float]? = nil
) throws -> ImageDataset {
    let size = channels * height * width
    let pixels = (0..<(count * size)).map { UInt8(truncatingIfNeeded: 7 * ($0 / size) + $0 % size) }
    return try ImageDataset(
        name: "sample", images: Tensor(pixels, shape: [count, channels, height, width]),
        labels: (0..<count).map { $0 % classCount }, mean: mean, deviation: deviation)
}

/// All batches that are left in an epoch.
func collect(_ iterator: BatchIterator) throws -> [Batch] {
    var batches: [Batch] = []
    while let batch = try iterator.next() { batches.append(batch) }
    return batches
}

/// The values of each image of a batch.
func imageValues(_ batch: Batch) throws -> [[Float]] {
    let values = try batch.images.array(of: Float.self)
    let size = values.count / batch.count
    return (0..<batch.count).map { Array(values[($0 * size)..<(($0 + 1) * size)]) }
}

/// The failure that `body` throws; `nil` when it throws none, or an error that is no `Failure`.
func failure(_ body: () throws -> Void) -> (any Failure)? {
    do {
        try body()
        return nil
    } catch {
        return error as? any Failure
    }
}
