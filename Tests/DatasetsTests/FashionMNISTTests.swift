import FoundationEssentials
import Testing

import Basics
import Datasets
import Tensors

@Suite struct FashionMNISTTests {
    private static let isInstalled = FileManager.default.fileExists(
        atPath: FashionMNIST.packagedDirectory + "/t10k-images-idx3-ubyte.gz")

    @Test(.enabled(if: isInstalled, "the package dataset-fashion-mnist is not installed"))
    func packagedTestImagesAreRead() throws {
        let data = try FashionMNIST.load(split: .test)
        #expect(data.description == "fashion-mnist (test): 10000 images [1, 28, 28] of 10 classes")
        #expect(data.classSizes == [Int](repeating: 1000, count: 10))
        let firstNames = data.labels.prefix(5).map { data.classNames[$0] }
        #expect(firstNames == ["Ankle boot", "Pullover", "Trouser", "Trouser", "Shirt"])
        // The mean of the test images is that of the training images to two digits.
        #expect(abs(try data.images.converted(to: .float32).average() / 255 - 0.286) < 0.005)
    }

    /// A directory with data sets of `count` images and `labels`, in files that are not compressed.
    private func withFiles(
        shape: [UInt8] = [2, 28, 28], labels: [UInt8] = [3, 9], without missing: String? = nil,
        _ body: (String) throws -> Void
    ) throws {
        let path = "/tmp/moonrail-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try AtomicFile.makeDirectory(path)
        func header(_ dims: [UInt8]) -> [UInt8] { [0, 0, 8, UInt8(dims.count)] + dims.flatMap { [0, 0, 0, $0] } }
        let pixels = [UInt8](repeating: 51, count: shape.reduce(1) { $0 * Int($1) })
        let files = [
            "train-images-idx3-ubyte": header(shape) + pixels,
            "train-labels-idx1-ubyte": header([UInt8(labels.count)]) + labels,
        ]
        for (name, bytes) in files where name != missing {
            try AtomicFile.write(path + "/" + name) { append in try bytes.withUnsafeBytes { try append($0) } }
        }
        try body(path)
    }

    @Test func plainFilesOfADirectoryAreRead() throws {
        try withFiles { directory in
            let data = try FashionMNIST.load(directory: directory, split: .train)
            #expect(data.labels == [3, 9])
            let values = try #require(try BatchLoader(data).epoch().next()?.images.array(of: Float.self))
            let expected: Float = (0.2 - 0.2860) / 0.3530
            #expect(values.allSatisfy { abs($0 - expected) < 1e-6 })
        }
    }

    @Test(arguments: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
    func missingFileIsNamedWithItsPackage(_ name: String) throws {
        try withFiles(without: name) { directory in
            let error = failure { _ = try FashionMNIST.load(directory: directory, split: .train) }
            #expect(error?.code == "dataset.missingFile")
            #expect(error?.description.contains("\(directory)/\(name).gz") == true)
            #expect(error?.description.contains("apt-get install dataset-fashion-mnist") == true)
        }
    }

    static let misfits: [([UInt8], [UInt8], String, String)] = [
        ([2, 28, 28], [3, 10], "dataset.labelOutOfRange", "image 1 has the label 10"),
        ([2, 28, 28], [3], "dataset.inconsistent", "2 images, but 1 labels"),
        ([2, 28, 27], [3, 9], "dataset.inconsistent", "[2, 1, 28, 27]"),
        ([2, 28], [3, 9], "dataset.inconsistent", "[2, 28]"),
    ]

    @Test(arguments: misfits)
    func filesThatDoNotBelongTogetherAreRefused(
        _ shape: [UInt8], _ labels: [UInt8], _ code: String, _ mention: String
    ) throws {
        try withFiles(shape: shape, labels: labels) { directory in
            let error = failure { _ = try FashionMNIST.load(directory: directory, split: .train) }
            #expect(error?.code == code)
            #expect(error?.description.contains(mention) == true, "\(error?.description ?? "nothing thrown")")
        }
    }
}
