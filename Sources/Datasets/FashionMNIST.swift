import Basics
import Tensors

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
    /// - Throws: as `MNISTFamily.load`, `FileFailure` where a script may not reach `packagedDirectory`, and `DatasetFailure.inconsistent` unless images are 28 × 28.
    public static func load(directory: String? = nil, split: ImageDataset.Split) throws -> ImageDataset {
        // A script in a sandbox is told that it may not, rather than to install what may be there.
        if directory == nil { try FileRoots.check(packagedDirectory) }
        let dataset = try MNISTFamily.load(
            name: "fashion-mnist", directory: directory ?? packagedDirectory, split: split, classNames: classNames,
            mean: mean, deviation: deviation,
            hint: "`apt-get install dataset-fashion-mnist` puts it in \(packagedDirectory), or name another directory")
        guard dataset.imageShape == [1, 28, 28] else {
            throw DatasetFailure.inconsistent(
                dataset: dataset.name, detail: "images must be [N, 28, 28], but are \(dataset.images.shape)")
        }
        return dataset
    }
}
