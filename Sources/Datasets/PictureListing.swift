import Basics
import Formats

/// The pictures in a directory and their classes, and what else is there and is passed over.
struct PictureListing {
    private(set) var files: [(path: String, label: Int)] = []
    private(set) var classNames: [String]
    private let directory: String
    /// Files of other formats, in the directories of classes.
    private var otherFormats: [String] = []
    /// Files beside the directories of classes.
    private var outside: [String] = []
    /// Directories within those of classes.
    private var within: [String] = []
    /// Directories that are none of the given classes.
    private var otherClasses: [String] = []

    /// - Throws: `DatasetFailure.inconsistent` where there are no pictures, or none of a class that was found rather than
    ///   given; `invalidOption` for names that no directory has.
    init(of directory: String, dataset: String, classNames given: [String]?) throws {
        self.directory = directory
        let entries = Self.visible(directory)
        let directories = entries.filter(\.isDirectory).map(\.name)
        if let given { try Self.check(given) }
        // Images without labels have one class, and no directory is called that.
        let given = given == [ImageDataset.unlabelled] && directories.isEmpty ? nil : given
        classNames = given ?? directories
        guard !classNames.isEmpty else {
            classNames = [ImageDataset.unlabelled]
            add(entries, of: directory, label: 0)
            guard !files.isEmpty else {
                throw DatasetFailure.inconsistent(
                    dataset: dataset,
                    detail: "\(directory) has neither directories of classes nor PNG or JPEG files\(endings(otherFormats))")
            }
            return
        }
        outside = entries.filter { !$0.isDirectory }.map(\.name)
        otherClasses = directories.filter { !classNames.contains($0) }
        for (label, className) in classNames.enumerated() {
            let (place, before, others) = (directory + "/" + className, files.count, otherFormats.count)
            add(Self.visible(place), of: place, label: label)
            guard given != nil || files.count > before else {
                throw DatasetFailure.inconsistent(
                    dataset: dataset,
                    detail: "there are no PNG or JPEG files in \(place)\(endings(Array(otherFormats[others...])))")
            }
        }
        guard !files.isEmpty else {
            throw DatasetFailure.inconsistent(
                dataset: dataset,
                detail: "\(directory) has no PNG or JPEG files in directories of the classes \(classNames.joined(separator: ", "))")
        }
    }

    private static func check(_ names: [String]) throws {
        guard !names.isEmpty else { throw DatasetFailure.invalidOption(option: "classes", detail: "there is none") }
        for (index, name) in names.enumerated() {
            guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
                throw DatasetFailure.invalidOption(option: "classes", detail: "'\(name)' is no name of a directory")
            }
            guard !names[..<index].contains(name) else {
                throw DatasetFailure.invalidOption(option: "classes", detail: "'\(name)' is there twice")
            }
        }
    }

    /// By name, without hidden ones.
    private static func visible(_ directory: String) -> [DirectoryListing.Entry] {
        DirectoryListing.entries(of: directory).filter { !$0.name.hasPrefix(".") }.sorted { $0.name < $1.name }
    }

    private mutating func add(_ entries: [DirectoryListing.Entry], of place: String, label: Int) {
        for entry in entries {
            let path = place + "/" + entry.name
            if entry.isDirectory {
                within.append(path)
            } else if Picture.hasKnownName(entry.name) {
                files.append((path, label))
            } else {
                otherFormats.append(entry.name)
            }
        }
    }

    /// A sentence for each kind of thing that was passed over; `present` are the labels of which there are pictures.
    func remarks(present: Set<Int>) -> [String] {
        func count(_ things: [String], _ one: String, _ more: String) -> String {
            "\(things.count) \(things.count == 1 ? one : more)"
        }
        func names(_ things: [String]) -> String {
            things.prefix(5).joined(separator: ", ") + (things.count > 5 ? ", …" : "")
        }
        var sentences: [String] = []
        if !otherFormats.isEmpty {
            sentences.append("passed over \(count(otherFormats, "file that is", "files that are")) neither PNG nor JPEG\(endings(otherFormats))")
        }
        if !outside.isEmpty {
            sentences.append("passed over \(count(outside, "file", "files")) beside the directories of the classes (\(names(outside)))")
        }
        if !within.isEmpty {
            sentences.append("passed over \(count(within, "directory", "directories")) within a class (\(names(within)))")
        }
        if !otherClasses.isEmpty {
            sentences.append("passed over \(count(otherClasses, "directory that is", "directories that are")) none of the classes (\(names(otherClasses)))")
        }
        let absent = classNames.indices.filter { !present.contains($0) }.map { classNames[$0] }
        if !absent.isEmpty {
            sentences.append("there are no pictures of \(count(absent, "class", "classes")) (\(names(absent)))")
        }
        return sentences.map { "\(directory): \($0)" }
    }

    /// ` (2 .webp, 1 .bmp)`: the endings of files, the most frequent first.
    private func endings(_ names: [String]) -> String {
        guard !names.isEmpty else { return "" }
        var counts: [String: Int] = [:]
        for name in names {
            let ending = name.lastIndex(of: ".").map { name[$0...].lowercased() } ?? "without an ending"
            counts[ending, default: 0] += 1
        }
        let parts = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
        return " (\(parts.joined(separator: ", ")))"
    }
}
