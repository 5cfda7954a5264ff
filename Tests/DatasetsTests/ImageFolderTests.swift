import Basics
import Datasets
import Foundation
import Tensors
import Testing

/// What a directory of pictures leaves out is said, and classes can be given.
@Suite struct ImageFolderTests {
    private static let fixtures =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Fixtures/"

    private func withFiles(_ files: [String: [UInt8]], _ body: (String) throws -> Void) throws {
        let root = "/tmp/moonrail-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (name, bytes) in files {
            let path = root + "/" + name
            try AtomicFile.makeDirectory(DirectoryListing.split(path).directory)
            try AtomicFile.write(path) { append in try bytes.withUnsafeBytes { try append($0) } }
        }
        try body(root)
    }

    private func load(
        _ directory: String, classes: [String]? = nil, skipsDamaged: Bool = false
    ) throws -> (data: ImageDataset, remarks: [String]) {
        var remarks: [String] = []
        let data = try ImageFolder.load(
            directory, name: "pets", split: .train, height: 9, width: 13, classNames: classes, skipsDamaged: skipsDamaged
        ) { remarks.append($0.replacing(directory, with: "DIR")) }
        return (data, remarks)
    }

    @Test func whatIsPassedOverIsCounted() throws {
        let png = try AtomicFile.read(Self.fixtures + "picture.png")
        let files = [
            "a/1.png": png, "a/2.webp": png, "a/3.WEBP": png, "a/4.bmp": png, "a/none": png, "a/more/5.png": png, "b/1.png": png,
            "b/.hidden/6.png": png, "b/.DS_Store": [1], "notes.txt": [1], "7.png": png,
        ]
        try withFiles(files) { directory in
            let (data, remarks) = try load(directory)
            #expect(data.count == 2)
            #expect(
                remarks == [
                    "DIR: passed over 4 files that are neither PNG nor JPEG (2 .webp, 1 .bmp, 1 without an ending)",
                    "DIR: passed over 2 files beside the directories of the classes (7.png, notes.txt)",
                    "DIR: passed over 1 directory within a class (DIR/a/more)",
                ])
        }
        try withFiles(["a/1.png": png]) { directory in
            let remarks = try load(directory).remarks
            #expect(remarks.isEmpty)
        }
        try withFiles(["1.png": png, "2.tif": [1]]) { directory in
            let remarks = try load(directory).remarks
            #expect(remarks == ["DIR: passed over 1 file that is neither PNG nor JPEG (1 .tif)"])
        }
        try withFiles(["a/1.webp": png]) { directory in
            let error = failure { _ = try load(directory) }
            #expect(error?.description.hasSuffix("no PNG or JPEG files in \(directory)/a (1 .webp)") == true)
        }
    }

    @Test func givenClassesMayBeMissing() throws {
        let png = try AtomicFile.read(Self.fixtures + "picture.png")
        try withFiles(["a/1.png": png, "c/1.png": png, "d/notes.txt": [1], "e/1.png": png]) { directory in
            let (data, remarks) = try load(directory, classes: ["c", "b", "a", "d"])
            #expect(data.classNames == ["c", "b", "a", "d"] && data.labels == [0, 2])
            #expect(
                remarks == [
                    "DIR: passed over 1 file that is neither PNG nor JPEG (1 .txt)",
                    "DIR: passed over 1 directory that is none of the classes (e)",
                    "DIR: there are no pictures of 2 classes (b, d)",
                ])
            #expect(failure { _ = try load(directory, classes: ["x", "y"]) }?.description.contains("in directories of the classes x, y") == true)
            for bad in [["a", "a"], ["../a"], [""], []] {
                #expect(failure { _ = try load(directory, classes: bad) }?.code == "dataset.invalidOption", "\(bad)")
            }
        }
        try withFiles(["1.png": png]) { directory in
            let data = try load(directory, classes: [ImageDataset.unlabelled]).data
            #expect(data.labels == [0])
        }
    }

    @Test func damagedPicturesAreLeftOutWhereThatIsAskedFor() throws {
        let (png, jpg) = (try AtomicFile.read(Self.fixtures + "picture.png"), try AtomicFile.read(Self.fixtures + "picture.jpg"))
        let files = ["a/1.png": png, "a/2.jpg": Array(jpg.prefix(300)), "b/1.png": Array("GIF89a".utf8), "b/2.png": png]
        try withFiles(files) { directory in
            let error = failure { _ = try load(directory) }
            #expect(error?.code == "format.invalidImage" && error?.description.hasPrefix("\(directory)/a/2.jpg: damaged picture: ") == true)
            let (data, remarks) = try load(directory, skipsDamaged: true)
            #expect(data.labels == [0, 1] && data.images.shape == [2, 3, 9, 13])
            #expect(try data.images.array(of: UInt8.self).prefix(351) == data.images.array(of: UInt8.self).suffix(351))
            #expect(remarks.count == 1 && remarks[0].hasPrefix("DIR: left out 2 damaged pictures, the first: DIR/a/2.jpg: "), "\(remarks)")
        }
        try withFiles(["a/1.png": [1]]) { directory in
            #expect(failure { _ = try load(directory, skipsDamaged: true) }?.description.contains("all 1 pictures in") == true)
        }
    }
}
