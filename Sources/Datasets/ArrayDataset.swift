import Formats
public import Tensors

/// Data sets of arrays, such as those of npz files.
public enum ArrayDataset {
    /// How the dimensions of image arrays are ordered.
    public enum Layout: String, Sendable, CaseIterable {
        /// [N, C, H, W], or [N, H, W] of one channel.
        case channelsFirst = "nchw"
        /// [N, H, W, C].
        case channelsLast = "nhwc"
    }

    /// A data set of images and labels, which count from 0 and may be of any integer type.
    /// - Parameter images: uint8 or float32; other integers of 0…255 are pixels too.
    /// - Throws: `DatasetFailure.inconsistent` for shapes that do not belong together; `labelOutOfRange`.
    public static func make(
        name: String, images: Tensor, labels: Tensor, layout: Layout = .channelsFirst, classNames: [String]? = nil,
        split: ImageDataset.Split = .train
    ) throws -> ImageDataset {
        var pixels = images
        switch (layout, images.rank) {
        case (_, 3): pixels = try images.unsqueezed(dim: 1)
        case (.channelsFirst, 4): break
        case (.channelsLast, 4): pixels = try images.permuted([0, 3, 1, 2])
        default:
            throw DatasetFailure.inconsistent(
                dataset: name, detail: "images must be [N, H, W] or have four dimensions, but are \(images.shape)")
        }
        if pixels.dtype == .int64 {
            let values = try pixels.contiguous().array(of: Int64.self)
            guard values.allSatisfy({ (0...255).contains($0) }) else {
                throw DatasetFailure.inconsistent(dataset: name, detail: "pixels of whole numbers must be in 0…255")
            }
            pixels = try Tensor(values.map { UInt8($0) }, shape: pixels.shape)
        }
        guard labels.rank == 1 || labels.rank == 2 && labels.shape[1] == 1, labels.dtype != .float32 else {
            throw DatasetFailure.inconsistent(
                dataset: name, detail: "labels must be whole numbers [N], but are \(labels.dtype) \(labels.shape)")
        }
        let classes = try labels.converted(to: .int64).contiguous().array(of: Int64.self).map { Int($0) }
        return try ImageDataset(
            name: name, split: split, images: pixels, labels: classes, classNames: classNames)
    }

    /// A data set of two arrays of an npz file.
    /// - Parameter labels: without, all images are of the one class `ImageDataset.unlabelled`.
    /// - Throws: `DatasetFailure.inconsistent` naming the arrays there are when one is missing; what reading throws.
    public static func load(
        npz path: String, images: String, labels: String?, layout: Layout = .channelsFirst, classNames: [String]? = nil,
        split: ImageDataset.Split = .train
    ) throws -> ImageDataset {
        let arrays = try NPZ.read(path)
        func array(_ wanted: String) throws -> Tensor {
            guard let found = arrays.first(where: { $0.name == wanted }) else {
                throw DatasetFailure.inconsistent(
                    dataset: path, detail: "there is no array '\(wanted)', but \(arrays.map { "'\($0.name)'" }.joined(separator: ", "))")
            }
            return found.tensor
        }
        let pixels = try array(images)
        let classes = try labels.map(array) ?? .zeros([pixels.shape.dims.first ?? 0], dtype: .int64)
        return try make(
            name: path, images: pixels, labels: classes, layout: layout,
            classNames: labels == nil ? [ImageDataset.unlabelled] : classNames, split: split)
    }
}
