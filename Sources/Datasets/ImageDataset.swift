public import Tensors

/// Labelled images with what is needed to feed them to a network.
///
/// Images are stored as uint8 pixels or as float32 values, [N, C, H, W]. A network sees
/// `(pixel / 255 − mean) / deviation` of a uint8 pixel and `(value − mean) / deviation` of a float32 value.
public struct ImageDataset: Sendable {
    /// Which part of a published data set the images are from.
    public enum Split: String, Sendable, CaseIterable {
        case train, test
    }

    /// The one class of images that nobody labelled: they serve where labels are not needed.
    public static let unlabelled = "unlabelled"

    /// What errors and reports call the data set.
    public let name: String
    public let split: Split
    /// uint8 or float32 [N, C, H, W], row-major.
    public let images: Tensor
    /// The class of each image, in `classNames.indices`.
    public let labels: [Int]
    public let classNames: [String]
    /// Per channel, where the brightest uint8 pixel is 1.
    public let mean: [Float]
    /// Standard deviation per channel, in the unit of `mean`; positive.
    public let deviation: [Float]

    /// A data set of tensors.
    /// - Parameters:
    ///   - images: uint8 or float32 [N, C, H, W], at least one pixel each.
    ///   - labels: one per image.
    ///   - classNames: numbers up to the largest label unless given.
    ///   - mean: one per channel; 0 unless given.
    ///   - deviation: one per channel, positive; 1 unless given, so that float32 images are left as they are.
    /// - Throws: `DatasetFailure.inconsistent` or `labelOutOfRange` naming the first bad label.
    /// - Complexity: O(N).
    public init(
        name: String = "images", split: Split = .train, images: Tensor, labels: [Int], classNames: [String]? = nil,
        mean: [Float]? = nil, deviation: [Float]? = nil
    ) throws {
        func require(_ condition: Bool, _ detail: @autoclosure () -> String) throws {
            guard condition else { throw DatasetFailure.inconsistent(dataset: name, detail: detail()) }
        }
        try require(
            images.rank == 4 && images.shape.dims.dropFirst().allSatisfy { $0 > 0 },
            "images must be [N, C, H, W] with at least one pixel each, but got \(images.shape)")
        try require(images.dtype != .int64, "images must be uint8 or float32, but got \(images.dtype)")
        let channels = images.shape[1]
        try require(
            labels.count == images.shape[0], "there are \(images.shape[0]) images, but \(labels.count) labels")
        let mean = mean ?? [Float](repeating: 0, count: channels)
        let deviation = deviation ?? [Float](repeating: 1, count: channels)
        try require(
            mean.count == channels && deviation.count == channels,
            "\(channels) channels need as many means and deviations, but got \(mean.count) and \(deviation.count)")
        try require(mean.allSatisfy(\.isFinite), "a mean of \(mean) is not finite")
        try require(
            deviation.allSatisfy { $0 > 0 && $0.isFinite }, "a deviation of \(deviation) is not positive and finite")
        let largest = labels.max() ?? -1
        // A stray label must not make as many names.
        try require(classNames != nil || largest < 1_000_000, "the label \(largest) is absurdly large")
        let classNames = classNames ?? (0..<max(0, largest + 1)).map { String($0) }
        if let index = labels.firstIndex(where: { !classNames.indices.contains($0) }) {
            throw DatasetFailure.labelOutOfRange(
                dataset: name, index: index, label: labels[index], classCount: classNames.count)
        }
        self.init(
            name: name, split: split, checkedImages: try images.contiguous(), labels: labels, classNames: classNames,
            mean: mean, deviation: deviation)
    }

    init(
        name: String, split: Split, checkedImages: Tensor, labels: [Int], classNames: [String], mean: [Float],
        deviation: [Float]
    ) {
        self.name = name
        self.split = split
        self.images = checkedImages
        self.labels = labels
        self.classNames = classNames
        self.mean = mean
        self.deviation = deviation
    }

    /// How many images there are.
    public var count: Int { labels.count }
    /// C, H, W of an image.
    public var imageShape: Shape { images.shape.sample }
    public var classCount: Int { classNames.count }

    /// How many images each class has.
    public var classSizes: [Int] {
        var sizes = [Int](repeating: 0, count: classCount)
        for label in labels { sizes[label] += 1 }
        return sizes
    }

    /// The labels as int64 [N].
    public func labelTensor() throws -> Tensor { try Tensor(labels.map(Int64.init)) }
}

extension ImageDataset: CustomStringConvertible {
    /// `fashion-mnist (test): 10000 images [1, 28, 28] of 10 classes`
    public var description: String {
        "\(name) (\(split.rawValue)): \(count) images \(imageShape) of \(classCount) classes"
    }
}
