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

    /// Reads every PNG and JPEG file below `directory`; files with other endings and hidden ones are passed over.
    ///
    /// Pictures in `directory` itself, where it has no directories of classes, are of the one class
    /// `ImageDataset.unlabelled`.
    /// - Parameters:
    ///   - channels: 3, or 1 for grey (0.299 R + 0.587 G + 0.114 B).
    ///   - classNames: the directories in the order of the classes; all of them by name unless given.
    /// - Returns: uint8 images [N, C, height, width], class by class, files by name.
    /// - Throws: `DatasetFailure.missingFile` for a directory that is not there, `inconsistent` for a class without
    ///   pictures, `invalidOption`, what reading a picture throws, `Interrupted`.
    /// - Complexity: O(pixels of all files).
    public static func load(
        _ directory: String, name: String, split: ImageDataset.Split, height: Int, width: Int, channels: Int = 3,
        fit: Fit = .crop, classNames: [String]? = nil
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
        var names = classNames ?? DirectoryListing.entries(of: directory)
            .filter { $0.isDirectory && !$0.name.hasPrefix(".") }.map(\.name).sorted()
        var files: [(path: String, label: Int)] = []
        for (label, className) in names.enumerated() {
            let place = directory + "/" + className
            let pictures = pictures(in: place)
            guard !pictures.isEmpty else {
                throw DatasetFailure.inconsistent(dataset: name, detail: "there are no PNG or JPEG files in \(place)")
            }
            files += pictures.map { ($0, label) }
        }
        if names.isEmpty {
            names = [ImageDataset.unlabelled]
            files = pictures(in: directory).map { ($0, 0) }
        }
        guard !files.isEmpty else {
            throw DatasetFailure.inconsistent(dataset: name, detail: "\(directory) has neither directories of classes nor PNG or JPEG files")
        }
        let images = try Tensor(uninitialized: [files.count, channels, height, width], dtype: .uint8)
        var progress = Progress("reading pictures", total: files.count)
        for (index, file) in files.enumerated() {
            let picture = try Picture.read(file.path)
            let fitted = try fitted(channels == 1 ? grey(picture) : picture, height, width, fit)
            try images.selected(dim: 0, index: index).assign(fitted)
            try progress.advance()
        }
        return try ImageDataset(name: name, split: split, images: images, labels: files.map(\.label), classNames: names)
    }

    /// Paths by name.
    private static func pictures(in directory: String) -> [String] {
        DirectoryListing.entries(of: directory)
            .filter { !$0.isDirectory && !$0.name.hasPrefix(".") && Picture.hasKnownName($0.name) }
            .map { directory + "/" + $0.name }.sorted()
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
