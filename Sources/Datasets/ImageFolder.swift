import Basics
import Formats
import Tensors

/// Pictures in a directory for each class: `cats/1.png`, `dogs/2.jpeg`, …; or all in one directory, without labels.
public enum ImageFolder {
    /// How a picture of another size is brought to that of the data set.
    public enum Fit: String, Sendable, CaseIterable {
        /// The shorter side is made to fit and the middle is kept: proportions stay.
        case crop
        /// Both sides are made to fit.
        case stretch
    }

    /// Reads the PNG and JPEG files in `directory`. Hidden files and directories do not count.
    ///
    /// Pictures in `directory` itself, where it has no directories of classes, are of the one class
    /// `ImageDataset.unlabelled`.
    /// - Parameters:
    ///   - channels: 3, or 1 for grey (0.299 R + 0.587 G + 0.114 B).
    ///   - classNames: the directories in the order of the classes, such as those of the training images, and some may be
    ///     missing; all directories by name unless given.
    ///   - skipsDamaged: whether pictures that cannot be decoded are left out, rather than an error.
    ///   - remark: takes a sentence for each kind of thing that is passed over, with its count: files of other formats and
    ///     outside the directories of classes, directories within them and beside the given ones, classes without pictures, damaged files.
    /// - Returns: uint8 images [N, C, height, width], class by class, files by name.
    /// - Throws: `DatasetFailure.missingFile` for a directory that is not there, `inconsistent` for one without pictures,
    ///   and unless classes are given for a class without, `invalidOption`, what reading a picture throws, `Interrupted`.
    /// - Complexity: O(pixels of all files).
    public static func load(
        _ directory: String, name: String, split: ImageDataset.Split, height: Int, width: Int, channels: Int = 3,
        fit: Fit = .crop, classNames: [String]? = nil, skipsDamaged: Bool = false, remark: (String) -> Void = { _ in }
    ) throws -> ImageDataset {
        guard (1...4096).contains(height), (1...4096).contains(width), [1, 3].contains(channels) else {
            throw DatasetFailure.invalidOption(
                option: "size", detail: "\(channels) channels of \(height)×\(width) cannot be; 1 or 3 of 1…4096 can")
        }
        // A class is a name in the directory and no path, which could lead out of it.
        for name in classNames ?? [] where name.isEmpty || name == "." || name == ".." || name.utf8.contains(UInt8(ascii: "/")) {
            throw DatasetFailure.invalidOption(
                option: "classes", detail: "'\(name)' is no name of a directory in \(directory)")
        }
        guard AtomicFile.exists(directory) else {
            throw DatasetFailure.missingFile(
                dataset: name, path: directory, hint: "it should have a directory of PNG or JPEG files for each class")
        }
        let listing = try PictureListing(of: directory, dataset: name, classNames: classNames)
        let images = try Tensor(uninitialized: [listing.files.count, channels, height, width], dtype: .uint8)
        var labels: [Int] = []
        var damaged: [any Failure] = []
        var progress = ProgressReport("reading pictures", total: listing.files.count)
        for file in listing.files {
            do {
                let picture = try Picture.read(file.path)
                let fitted = try fitted(channels == 1 ? grey(picture) : picture, height, width, fit)
                try images.selected(dim: 0, index: labels.count).assign(fitted)
                labels.append(file.label)
            } catch let failure as FormatFailure where skipsDamaged {
                damaged.append(failure)
            }
            try progress.advance()
        }
        guard !labels.isEmpty else {
            throw DatasetFailure.inconsistent(
                dataset: name, detail: "all \(damaged.count) pictures in \(directory) are damaged, the first: \(damaged[0].description)")
        }
        listing.remarks(present: Set(labels)).forEach(remark)
        if let first = damaged.first {
            remark("\(directory): left out \(damaged.count) damaged \(damaged.count == 1 ? "picture" : "pictures"), the first: \(first.description)")
        }
        return try ImageDataset(
            name: name, split: split, images: images.sliced(dim: 0, from: 0, to: labels.count), labels: labels,
            classNames: listing.classNames)
    }

    /// [3, H, W] to [1, H, W].
    private static func grey(_ picture: Tensor) throws -> Tensor {
        let pixels = try picture.array(of: UInt8.self)
        let count = pixels.count / 3
        let values = (0..<count).map { (i: Int) -> UInt8 in
            let (red, green, blue) = (Int(pixels[i]), Int(pixels[count + i]), Int(pixels[2 * count + i]))
            return UInt8((299 * red + 587 * green + 114 * blue + 500) / 1000)
        }
        return try Tensor(values, shape: [1, picture.shape[1], picture.shape[2]])
    }

    private static func fitted(_ picture: Tensor, _ height: Int, _ width: Int, _ fit: Fit) throws -> Tensor {
        let (rows, columns) = (picture.shape[1], picture.shape[2])
        if rows == height, columns == width { return picture }
        var part = picture
        if fit == .crop {
            // The largest part in the middle with the wanted proportions.
            let keptRows = min(rows, max(1, columns * height / width))
            let keptColumns = min(columns, max(1, rows * width / height))
            let (top, left) = ((rows - keptRows) / 2, (columns - keptColumns) / 2)
            part = try part.sliced(dim: 1, from: top, to: top + keptRows).sliced(dim: 2, from: left, to: left + keptColumns)
        }
        return try ImageResizing.resize(part.contiguous(), height: height, width: width)
    }
}
