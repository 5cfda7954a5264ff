import Basics
import Datasets
import FoundationEssentials
import Tensors
import Testing

/// CIFAR, the MNIST family, folders of pictures and arrays, from files made here.
@Suite struct PublishedDataTests {
    private static let fixtures =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Fixtures/"

    private func withFiles(_ files: [String: [UInt8]], _ body: (String) throws -> Void) throws {
        let root = "/tmp/moonrail-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try AtomicFile.makeDirectory(root)
        for (name, bytes) in files {
            let path = root + "/" + name
            try AtomicFile.makeDirectory(path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 })
            try AtomicFile.write(path) { append in try bytes.withUnsafeBytes { try append($0) } }
        }
        try body(root)
    }

    /// A record of CIFAR: labels, then a plane of each colour.
    private func record(_ labels: [UInt8], _ colours: [UInt8]) -> [UInt8] {
        labels + colours.flatMap { [UInt8](repeating: $0, count: 1024) }
    }

    @Test func cifar10IsRead() throws {
        var files: [String: [UInt8]] = ["cifar-10-batches-bin/test_batch.bin": record([9], [1, 2, 3])]
        for batch in 1...5 {
            files["cifar-10-batches-bin/data_batch_\(batch).bin"] = record([UInt8(batch)], [UInt8(batch), 20, 30]) + record([0], [7, 8, 9])
        }
        try withFiles(files) { directory in
            let train = try CIFAR.load(.cifar10, directory: directory, split: .train)
            #expect(train.count == 10 && train.labels == [1, 0, 2, 0, 3, 0, 4, 0, 5, 0] && train.imageShape == [3, 32, 32])
            let pixels = try train.images.array(of: UInt8.self)
            #expect(pixels[2 * 3072] == 2 && pixels[2 * 3072 + 1024] == 20 && pixels[2 * 3072 + 3071] == 30)
            let test = try CIFAR.load(.cifar10, directory: directory + "/cifar-10-batches-bin", split: .test)
            #expect(test.classNames[test.labels[0]] == "truck")
        }
    }

    @Test func cifar100HasTwoLabels() throws {
        let names = (0..<20).map { "group \($0)\n" }.joined()
        try withFiles(["train.bin": record([3, 77], [1, 2, 3]), "coarse_label_names.txt": Array(names.utf8)]) { directory in
            let fine = try CIFAR.load(.cifar100, directory: directory, split: .train)
            #expect(fine.labels == [77] && fine.classNames[77] == "77" && fine.classCount == 100)
            let coarse = try CIFAR.load(.cifar100Coarse, directory: directory, split: .train)
            #expect(coarse.labels == [3] && coarse.classNames[3] == "group 3" && coarse.classCount == 20)
            let missing = failure { _ = try CIFAR.load(.cifar100, directory: directory, split: .test) }
            #expect(missing?.code == "dataset.missingFile" && missing?.description.contains("test.bin") == true)
        }
    }

    static let badCIFAR: [(name: String, bytes: [UInt8], code: String)] = [
        ("cut", [UInt8](repeating: 0, count: 3000), "format.sizeMismatch"), ("empty", [], "format.sizeMismatch"),
        ("a label of 200", [200] + [UInt8](repeating: 0, count: 3072), "dataset.labelOutOfRange"),
    ]

    @Test(arguments: badCIFAR.indices) func damagedCIFARIsRefused(_ index: Int) throws {
        let (_, bytes, code) = Self.badCIFAR[index]
        try withFiles(["test_batch.bin": bytes]) { directory in
            #expect(failure { _ = try CIFAR.load(.cifar10, directory: directory, split: .test) }?.code == code)
        }
    }

    @Test func theMNISTFamilyMayHaveAnySize() throws {
        let images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3] + Array(0..<12)
        try withFiles(["t10k-images-idx3-ubyte": images, "t10k-labels-idx1-ubyte": [0, 0, 8, 1, 0, 0, 0, 2, 4, 1]]) { directory in
            let data = try MNISTFamily.load(name: "letters", directory: directory, split: .test, hint: "look around")
            #expect(data.imageShape == [1, 2, 3] && data.labels == [4, 1] && data.classCount == 5 && data.name == "letters")
            let missing = failure { _ = try MNISTFamily.load(name: "letters", directory: directory, split: .train, hint: "look around") }
            #expect(missing?.description.contains("look around") == true)
        }
    }

    @Test func foldersOfPicturesAreRead() throws {
        let (png, jpg) = (try AtomicFile.read(Self.fixtures + "picture.png"), try AtomicFile.read(Self.fixtures + "picture.jpg"))
        let files = ["b/2.PNG": png, "b/1.jpeg": jpg, "a/x.png": png, "a/notes.txt": [1], "a/.hidden.png": [2], ".git/c.png": [3]]
        try withFiles(files) { directory in
            let data = try ImageFolder.load(directory, name: "pets", split: .train, height: 9, width: 13, fit: .stretch)
            #expect(data.classNames == ["a", "b"] && data.labels == [0, 1, 1] && data.images.shape == [3, 3, 9, 13])
            let first = try data.images.sliced(dim: 0, from: 0, to: 1).array(of: UInt8.self)
            let last = try data.images.sliced(dim: 0, from: 2, to: 3).array(of: UInt8.self)
            #expect(first[1] == 20 && first[9 * 13 + 13] == 28 && first == last)
            let cropped = try ImageFolder.load(directory, name: "pets", split: .train, height: 9, width: 9)
            // The middle nine of thirteen columns begin at the third.
            #expect(try cropped.images.array(of: UInt8.self)[0] == 40)
            let grey = try ImageFolder.load(directory, name: "pets", split: .test, height: 9, width: 13, channels: 1, classNames: ["b", "a"])
            #expect(grey.images.shape == [3, 1, 9, 13] && grey.labels == [0, 0, 1])
            #expect(try grey.images.array(of: UInt8.self)[2 * 117] == 29)  // blue alone: 0.114 · 255
        }
    }

    @Test func aFolderOfPicturesAloneIsOfOneClass() throws {
        let png = try AtomicFile.read(Self.fixtures + "picture.png")
        try withFiles(["2.png": png, "1.png": png, "notes.txt": [1]]) { directory in
            let data = try ImageFolder.load(directory, name: "pets", split: .train, height: 9, width: 13)
            #expect(data.classNames == [ImageDataset.unlabelled] && data.labels == [0, 0] && data.images.shape == [2, 3, 9, 13])
        }
    }

    @Test func foldersThatAreNoneAreRefused() throws {
        func load(_ directory: String, size: Int = 8, classes: [String]? = nil) -> (any Failure)? {
            failure { _ = try ImageFolder.load(directory, name: "pets", split: .train, height: size, width: 8, classNames: classes) }
        }
        #expect(load("/nowhere")?.code == "dataset.missingFile")
        try withFiles(["a/readme.txt": [1]]) { directory in
            #expect(load(directory)?.description.contains("no PNG or JPEG files in \(directory)/a") == true)
            #expect(load(directory, classes: ["dogs"])?.code == "dataset.inconsistent")
            #expect(load(directory, size: 0)?.code == "dataset.invalidOption")
        }
        try withFiles(["readme.txt": [1]]) { #expect(load($0)?.description.contains("neither directories of classes") == true) }
        try withFiles(["a/1.png": Array("not a picture".utf8)]) { directory in
            let error = load(directory)
            #expect(error?.code == "format.wrongMagic" && error?.description.contains("\(directory)/a/1.png") == true)
        }
    }

    @Test func arraysOfEveryLayout() throws {
        let pixels = try Tensor((0..<24).map { UInt8($0) }, shape: [2, 2, 2, 3])
        let labels = try Tensor([1, 0] as [Int64])
        let last = try ArrayDataset.make(name: "x", images: pixels, labels: labels, layout: .channelsLast)
        #expect(last.imageShape == [3, 2, 2])
        #expect(try last.images.array(of: UInt8.self).prefix(4) == [0, 3, 6, 9])
        let grey = try ArrayDataset.make(name: "x", images: try pixels.reshaped([2, 2, 6]), labels: try labels.reshaped([2, 1]))
        #expect(grey.imageShape == [1, 2, 6] && grey.labels == [1, 0])
        let whole = try ArrayDataset.make(name: "x", images: try pixels.converted(to: .int64), labels: labels)
        #expect(whole.images.dtype == .uint8)
        for (images, classes) in [
            (try Tensor.full([2, 1, 2, 2], 300, dtype: .int64), labels), (try Tensor.zeros([2, 4]), labels),
            (try Tensor.zeros([2, 1, 2, 2]), try Tensor.zeros([2])), (try Tensor.zeros([3, 1, 2, 2]), labels),
            (try Tensor.zeros([2, 1, 2, 2]), try Tensor([-1, 0] as [Int64])),
        ] {
            #expect(throws: DatasetFailure.self) { try ArrayDataset.make(name: "x", images: images, labels: classes) }
        }
    }

    @Test func statisticsNormaliseToZeroAndOne() throws {
        var random = RandomSource(seed: 6)
        let images = try Tensor.uniform([50, 2, 4, 4], low: 3, high: 9, using: &random)
        for pixels in [images, try images.multiplying(20).converted(to: .uint8)] {
            let data = try ImageDataset(images: pixels, labels: [Int](repeating: 0, count: 50))
            let (mean, deviation) = try data.pixelStatistics()
            let normal = try data.normalized(mean: mean, deviation: deviation)
            var options = BatchLoader.Options()
            options.batchSize = 50
            let batch = try #require(try BatchLoader(normal, options).epoch().next()).images
            #expect(abs(try batch.average()) < 1e-4)
            #expect(abs(try batch.multiplying(batch).average() - 1) < 1e-3)
        }
        let flat = try ImageDataset(images: try .full([3, 1, 2, 2], 9, dtype: .uint8), labels: [0, 0, 0])
        #expect(try flat.pixelStatistics().deviation == [1])
        let resized = try ImageDataset(images: images, labels: [Int](repeating: 0, count: 50)).resized(height: 2, width: 3)
        #expect(resized.images.shape == [50, 2, 2, 3])
    }
}
