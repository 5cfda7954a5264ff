import Basics
import Formats
import Tensors

/// Data sets in the files of MNIST: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-…`, plain or gzip.
public enum MNISTFamily {
    /// Reads one split from `directory`.
    /// - Parameters:
    ///   - name: what errors and reports call the data set.
    ///   - classNames: numbers up to the largest label unless given.
    ///   - mean, deviation: of all pixels, where white is 1; 0 and 1 unless given.
    ///   - hint: where to get the files.
    /// - Returns: images [N, 1, H, W].
    /// - Throws: `DatasetFailure.missingFile` naming the file, `FormatFailure` for a damaged one, or `DatasetFailure` when
    ///   images and labels do not belong together.
    public static func load(
        name: String, directory: String, split: ImageDataset.Split, classNames: [String]? = nil, mean: Float = 0,
        deviation: Float = 1, hint: String
    ) throws -> ImageDataset {
        func existing(_ path: String) throws -> String {
            for candidate in [path + ".gz", path] where AtomicFile.exists(candidate) { return candidate }
            throw DatasetFailure.missingFile(dataset: name, path: path + ".gz", hint: hint)
        }
        let prefix = directory + "/" + (split == .train ? "train" : "t10k")
        let images = try IDX.read(try existing(prefix + "-images-idx3-ubyte"))
        guard images.rank == 3 else {
            throw DatasetFailure.inconsistent(
                dataset: name, detail: "\(prefix)-images must be [N, H, W], but is \(images.shape)")
        }
        let labels = try IDX.read(try existing(prefix + "-labels-idx1-ubyte"))
        guard labels.rank == 1 else {
            throw DatasetFailure.inconsistent(
                dataset: name, detail: "\(prefix)-labels must be [N], but is \(labels.shape)")
        }
        return try ImageDataset(
            name: name, split: split, images: images.unsqueezed(dim: 1),
            labels: labels.array(of: UInt8.self).map(Int.init), classNames: classNames, mean: [mean],
            deviation: [deviation])
    }
}
