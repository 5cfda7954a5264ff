import Basics
import Formats
import Tensors

#if canImport(Glibc)
    import Glibc
#endif

/// 70,000 grey pictures of clothes, 28 × 28, in ten classes.
///
/// - Reference: H. Xiao, K. Rasul, R. Vollgraf, *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
///   Algorithms*, 2017, arXiv:1708.07747.
public enum FashionMNIST {
    /// Where the Debian package dataset-fashion-mnist puts the files.
    public static let packagedDirectory = "/usr/share/datasets/fashion-mnist"

    public static let classNames = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]

    /// Mean and standard deviation of all training pixels, where white is 1.
    public static let mean: Float = 0.2860
    public static let deviation: Float = 0.3530

    /// Reads the four files of the data set's authors, compressed or not, from `directory` (`packagedDirectory` unless
    /// given).
    /// - Throws: `DatasetFailure.missingFile` naming the file and the package, `FormatFailure` for a damaged one, or
    ///   `DatasetFailure` when images and labels do not belong together.
    public static func load(directory: String? = nil, split: ImageDataset.Split) throws -> ImageDataset {
        let name = "fashion-mnist"
        let prefix = (directory ?? packagedDirectory) + "/" + (split == .train ? "train" : "t10k")
        let images = try IDX.read(try existing(prefix + "-images-idx3-ubyte"))
        guard images.rank == 3, images.shape[1] == 28, images.shape[2] == 28 else {
            throw DatasetFailure.inconsistent(
                dataset: name, detail: "\(prefix)-images must be [N, 28, 28], but is \(images.shape)")
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

    private static func existing(_ path: String) throws -> String {
        for candidate in [path + ".gz", path] where access(candidate, F_OK) == 0 { return candidate }
        throw DatasetFailure.missingFile(
            dataset: "fashion-mnist", path: path + ".gz",
            hint: "`apt-get install dataset-fashion-mnist` puts it in \(packagedDirectory), or name another directory")
    }
}
