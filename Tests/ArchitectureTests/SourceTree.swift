import Glibc

/// The files of this package, as text.
enum SourceTree {
    struct File {
        /// Relative to the root of the package: `Sources/Basics/Failure.swift`.
        let path: String
        let text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        var name: String { String(path.split(separator: "/").last ?? "") }
        /// The target that the file belongs to.
        var target: String { String(path.split(separator: "/")[1]) }
    }

    static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")

    /// The files below `Sources` whose names end so.
    static func sources(_ extensions: [String]) -> [File] {
        var found: [File] = []
        collect("Sources", extensions, into: &found)
        return found
    }

    static func text(_ path: String) -> String {
        guard let file = fopen(root + "/" + path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The directories in `path`.
    static func directories(_ path: String) -> [String] { entries(path).filter(\.isDirectory).map(\.name) }

    private static func collect(_ path: String, _ extensions: [String], into found: inout [File]) {
        for entry in entries(path) {
            let inner = path + "/" + entry.name
            if entry.isDirectory {
                collect(inner, extensions, into: &found)
            } else if extensions.contains(where: { entry.name.hasSuffix("." + $0) }) {
                found.append(File(path: inner, text: text(inner)))
            }
        }
    }

    private static func entries(_ path: String) -> [(name: String, isDirectory: Bool)] {
        guard let directory = opendir(root + "/" + path) else { return [] }
        defer { closedir(directory) }
        var found: [(name: String, isDirectory: Bool)] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { found.append((name, Int32(entry.pointee.d_type) == Int32(DT_DIR))) }
        }
        return found.sorted { $0.name < $1.name }
    }
}
