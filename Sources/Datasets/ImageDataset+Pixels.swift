import Basics
import Tensors

extension ImageDataset {
    /// The same images in another size. Mean and deviation stay.
    /// - Throws: `DatasetFailure.invalidOption` for a size that is none; `Interrupted`.
    public func resized(height: Int, width: Int) throws -> ImageDataset {
        try ImageDataset(
            name: name, split: split, images: ImageResizing.resize(images, height: height, width: width), labels: labels,
            classNames: classNames, mean: mean, deviation: deviation)
    }

    /// The same images seen with another mean and deviation per channel.
    /// - Throws: `DatasetFailure.inconsistent` unless there is one of each for every channel, deviations positive.
    public func normalized(mean: [Float], deviation: [Float]) throws -> ImageDataset {
        try ImageDataset(
            name: name, split: split, images: images, labels: labels, classNames: classNames, mean: mean,
            deviation: deviation)
    }

    /// Mean and standard deviation of each channel over all pixels, where the brightest uint8 pixel is 1; a channel of
    /// one colour has deviation 1.
    /// - Complexity: O(pixels).
    public func pixelStatistics() throws -> (mean: [Float], deviation: [Float]) {
        guard count > 0 else { return (mean, deviation) }
        return images.dtype == .uint8
            ? try images.withElements(of: UInt8.self) { try statistics($0) }
            : try images.withElements(of: Float.self) { try statistics($0) }
    }

    private func statistics<Raw: Pixel>(_ pixels: UnsafeBufferPointer<Raw>) throws -> (mean: [Float], deviation: [Float]) {
        let (channels, plane) = (images.shape[1], images.shape[2] * images.shape[3])
        var sums = [(Double, Double)](repeating: (0, 0), count: channels)
        for index in 0..<(count * channels) {
            if index & 0xFFF == 0 { try Cancellation.check() }
            var (sum, squares) = (0.0, 0.0)
            for i in (index * plane)..<((index + 1) * plane) {
                let value = Double(pixels[i].value)
                sum += value
                squares += value * value
            }
            sums[index % channels].0 += sum
            sums[index % channels].1 += squares
        }
        let total = Double(count * plane)
        let means = sums.map { $0.0 / total }
        let deviations = zip(sums, means).map { (max(0, $0.1 / total - $1 * $1)).squareRoot() / Raw.unit }
        // Rounding leaves a little where nothing varies.
        return (means.map { Float($0 / Raw.unit) }, deviations.map { $0 > 1e-6 ? Float($0) : 1 })
    }
}
