/// A position in bytes that can be read at any place, or in a part of them.
///
/// What is read in small pieces from a file comes through a window that grows with use, so that a header takes one or two
/// reads and a whole directory of them no more than it needs; large pieces are read straight to where they go.
package struct ByteCursor: ByteSource {
    package let source: String
    package private(set) var offset = 0
    private let store: ByteStore
    private let range: Range<Int>
    /// Bytes of the file from `windowStart` on.
    private var window: [UInt8] = []
    private var windowStart = 0

    /// - Parameters:
    ///   - range: the part of the bytes that is read; all of them unless given.
    ///   - source: the name that errors begin with; that of the store unless given.
    package init(_ store: ByteStore, range: Range<Int>? = nil, source: String? = nil) {
        self.store = store
        self.range = range ?? 0..<store.count
        self.source = source ?? store.source
    }

    package init(_ bytes: [UInt8], source: String) { self.init(ByteStore(bytes, source: source)) }

    package var remainderBound: Int { range.count - offset }

    /// Skips the next `count` bytes and returns where they are in the store.
    /// - Throws: `FormatFailure.truncated` when there are fewer.
    @discardableResult
    package mutating func take(_ count: Int, _ what: String) throws -> Range<Int> {
        precondition(count >= 0, "a negative number of bytes")
        guard count <= remainderBound else { throw truncated(what, missing: count - remainderBound) }
        let start = range.lowerBound + offset
        offset += count
        return start..<(start + count)
    }

    package mutating func read(into target: UnsafeMutableRawBufferPointer, _ what: String) throws {
        guard target.count <= remainderBound else { throw truncated(what, missing: target.count - remainderBound) }
        let place = range.lowerBound + offset
        var got = 0
        if store.isFile, target.count <= Self.smallest {
            if place < windowStart || place + target.count > windowStart + window.count { try fillWindow(from: place) }
            got = min(target.count, max(0, windowStart + window.count - place))
            window.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[(place - windowStart)..<(place - windowStart + got)]))
            }
        } else {
            got = try store.read(into: target, at: place)
        }
        // A file may have shrunk since its size was asked for.
        guard got == target.count else { throw truncated(what, missing: target.count - got) }
        offset += got
    }

    package mutating func finish() throws {
        guard remainderBound == 0 else {
            throw FormatFailure.trailingBytes(source: source, offset: offset, byteCount: remainderBound)
        }
    }

    private static let smallest = 512
    private static let largest = 1 << 16

    private mutating func fillWindow(from place: Int) throws {
        let count = min(max(Self.smallest, min(2 * window.count, Self.largest)), range.upperBound - place)
        window = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try store.read(into: UnsafeMutableRawBufferPointer(buffer), at: place)
        }
        windowStart = place
    }

    private func truncated(_ what: String, missing: Int) -> FormatFailure {
        .truncated(source: source, what: what, offset: offset, missing: missing)
    }
}
