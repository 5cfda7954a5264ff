import Basics
import Foundation

/// The files of one kind, which processes write one after the other.
final class Folder {
    let kind: Kind
    private let path: String
    /// What each file may hold, by its name.
    private var versions: [String: Set<[UInt8]>] = [:]
    /// Files that were seen, and so must never be gone again.
    private var seen: Set<String> = []

    /// Makes every version once in a folder of its own.
    init(_ kind: Kind, in directory: String) throws {
        (self.kind, path) = (kind, directory + "/" + kind.name)
        try AtomicFile.makeDirectory(path)
        guard kind.isRepeatable else { return }
        let reference = path + "-reference"
        try AtomicFile.makeDirectory(reference)
        for version in 1...kind.versionCount {
            try Writer(in: reference, isWithoutUnnamed: false) { try kind.save(version, number: 0) }.finish()
            for name in Self.names(in: reference) { versions[name, default: []].insert(try AtomicFile.read(reference + "/" + name)) }
        }
    }

    /// A process that saves without end.
    func begin(number: Int, isWithoutUnnamed: Bool) throws -> Writer {
        let kind = kind
        return try Writer(in: path, isWithoutUnnamed: isWithoutUnnamed) {
            for turn in 0... { try kind.save(turn % kind.versionCount + 1, number: number) }
        }
    }

    /// Lets a process save every version once, which removes what others left.
    /// - Returns: What is wrong then.
    func saveOnce(isWithoutUnnamed: Bool) throws -> [String] {
        let kind = kind
        try Writer(in: path, isWithoutUnnamed: isWithoutUnnamed) {
            for version in 1...kind.versionCount { try kind.save(version, number: 0) }
        }.finish()
        return temporaryNames.map { "\($0) stays after the next save" }
    }

    /// Names of temporary files.
    var temporaryNames: [String] { Self.names(in: path).filter(Self.isTemporary) }

    /// What is wrong with the files that are there.
    func faults() throws -> [String] {
        var faults: [String] = []
        let names = Self.names(in: path).filter { !Self.isTemporary($0) }
        for name in names {
            let content = try AtomicFile.read(path + "/" + name)
            let isWhole = try kind.isRepeatable ? versions[name]?.contains(content) ?? false : kind.accepts(content)
            if !isWhole { faults.append("\(name), \(content.count) bytes, is neither the old file nor the new one") }
            if kind.isOfOneProcess { try FileManager.default.removeItem(atPath: path + "/" + name) }
        }
        if !kind.beginsAnew && !kind.isOfOneProcess {
            faults += seen.subtracting(names).map { "\($0) is gone" }
            seen.formUnion(names)
        }
        return faults
    }

    private static func isTemporary(_ name: String) -> Bool { name.hasSuffix(".partial") }

    /// Files in the folder and one below, by their paths from there.
    private static func names(in path: String) -> [String] {
        DirectoryListing.entries(of: path).flatMap { entry in
            entry.isDirectory ? DirectoryListing.entries(of: path + "/" + entry.name).map { entry.name + "/" + $0.name } : [entry.name]
        }
    }
}
