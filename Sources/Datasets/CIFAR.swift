import Basics
import Formats
import Tensors

/// 60,000 colour pictures, 32 × 32, in 10 or 100 classes: the "binary version" of their authors.
///
/// - Reference: A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009; the layout is that of
///   https://www.cs.toronto.edu/~kriz/cifar.html, section "Binary version".
public enum CIFAR {
    /// Which of the data sets, and of CIFAR-100's two labels which one counts.
    public enum Variant: String, Sendable, CaseIterable {
        case cifar10 = "cifar-10"
        case cifar100 = "cifar-100"
        /// The 20 groups of the 100 classes.
        case cifar100Coarse = "cifar-100-coarse"
    }

    public static let classNames10 = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]
    private static let imageByteCount = 3 * 32 * 32

    /// Reads one split from `directory`, or from the directory in it that the archive makes.
    /// - Throws: `DatasetFailure.missingFile` naming the file, `FormatFailure.sizeMismatch` unless it consists of whole
    ///   records, `DatasetFailure.labelOutOfRange`.
    public static func load(_ variant: Variant, directory: String, split: ImageDataset.Split) throws -> ImageDataset {
        let isTen = variant == .cifar10
        let inner = directory + (isTen ? "/cifar-10-batches-bin" : "/cifar-100-binary")
        let place = AtomicFile.exists(inner) ? inner : directory
        let files =
            switch (isTen, split) {
            case (true, .train): (1...5).map { "data_batch_\($0).bin" }
            case (true, .test): ["test_batch.bin"]
            case (false, .train): ["train.bin"]
            case (false, .test): ["test.bin"]
            }
        let labelCount = isTen ? 1 : 2
        var parts: [Tensor] = []
        var labels: [Int] = []
        for file in files {
            let path = place + "/" + file
            guard AtomicFile.exists(path) else {
                throw DatasetFailure.missingFile(
                    dataset: variant.rawValue, path: path,
                    hint: "unpack the binary version from https://www.cs.toronto.edu/~kriz/cifar.html there")
            }
            let records = try records(path, labelCount: labelCount)
            labels += try records.sliced(dim: 1, from: 0, to: labelCount)
                .selected(dim: 1, index: variant == .cifar100 ? 1 : 0).contiguous().array(of: UInt8.self).map(Int.init)
            parts.append(try records.sliced(dim: 1, from: labelCount, to: labelCount + imageByteCount).contiguous())
        }
        let images = try Tensor.concatenated(parts, dim: 0).reshaped([labels.count, 3, 32, 32])
        return try ImageDataset(
            name: variant.rawValue, split: split, images: images, labels: labels,
            classNames: isTen ? classNames10 : try classNames(variant, place))
    }

    /// [N, labels + pixels].
    private static func records(_ path: String, labelCount: Int) throws -> Tensor {
        let store = try ByteStore(path: path)
        let size = labelCount + imageByteCount
        guard store.count % size == 0, store.count > 0 else {
            throw FormatFailure.sizeMismatch(
                source: path, what: "every image with its label", expected: max(1, (store.count + size / 2) / size) * size,
                got: store.count)
        }
        var cursor = ByteCursor(store)
        return try StoredType.uint8.tensor(&cursor, shape: [store.count / size, size], as: .uint8)
    }

    /// The names beside the images, one a line; numbers where the file is missing.
    private static func classNames(_ variant: Variant, _ directory: String) throws -> [String] {
        let isCoarse = variant == .cifar100Coarse
        let path = directory + (isCoarse ? "/coarse_label_names.txt" : "/fine_label_names.txt")
        let count = isCoarse ? 20 : 100
        guard AtomicFile.exists(path) else { return (0..<count).map { String($0) } }
        let names = String(decoding: try AtomicFile.read(path, limit: 1 << 20), as: UTF8.self)
            .split(whereSeparator: \.isNewline).map(String.init)
        guard names.count == count else {
            throw DatasetFailure.inconsistent(
                dataset: variant.rawValue, detail: "\(path) must have \(count) names, but has \(names.count)")
        }
        return names
    }
}
