package import Basics

/// Bytes that can be read at any place: those of a file, which stay there until they are asked for, or some in memory.
package struct ByteStore: Sendable {
    private enum Content {
        case file(OpenFile), memory([UInt8])
    }

    /// The path or other name that errors begin with.
    package let source: String
    package let count: Int
    private let content: Content

    /// The bytes of the file at `path`.
    /// - Throws: `FileFailure`.
    package init(path: String) throws { self.init(try OpenFile(path)) }

    package init(_ file: OpenFile) { (source, count, content) = (file.path, file.byteCount, .file(file)) }

    package init(_ bytes: [UInt8], source: String) {
        (self.source, count, content) = (source, bytes.count, .memory(bytes))
    }

    /// Fills `target` with the bytes from `offset` on; gives how many there were, which are fewer at the end, or where a
    /// file has shrunk since it was opened.
    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        switch content {
        case .file(let file): return try file.read(into: target, at: offset)
        case .memory(let bytes):
            let range = min(offset, count)..<min(offset + target.count, count)
            bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }
            return range.count
        }
    }

    /// Whether small reads should be gathered.
    var isFile: Bool { if case .file = content { true } else { false } }

    /// The first bytes; fewer than `count` where there are no more.
    func prefix(_ count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }
}
