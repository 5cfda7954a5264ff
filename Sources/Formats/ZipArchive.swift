import CZlib

/// The entries of a zip archive: what npz files are. Entries are read when they are asked for.
///
/// Everything is checked against the bytes that are there before anything is decompressed: entries lie inside the
/// archive and do not overlap, and what they expand to together is bounded, so that no bomb goes off.
/// - Reference: PKWARE, *.ZIP File Format Specification* 6.3.10 (APPNOTE), §4.3 and §4.4.
struct ZipArchive {
    struct Entry {
        let name: String
        let isDeflated: Bool
        let checksum: UInt32
        /// Where the stored bytes lie in the archive.
        let range: Range<Int>
        let byteCount: Int
    }

    let entries: [Entry]
    private let store: ByteStore
    private var source: String { store.source }

    private static let endSignature: UInt32 = 0x0605_4B50
    private static let centralSignature: UInt32 = 0x0201_4B50
    private static let localSignature: UInt32 = 0x0403_4B50

    init(_ store: ByteStore, byteLimit: Int) throws {
        self.store = store
        let source = store.source
        guard let end = try Self.endRecord(store) else {
            throw FormatFailure.wrongMagic(source: source, expected: "a zip archive", got: try store.prefix(4))
        }
        var cursor = ByteCursor(store)
        try cursor.take(end + 10, "what is before the end record")
        let count = try cursor.integer(UInt16.self, .little, "the number of entries")
        _ = try cursor.integer(UInt32.self, .little, "the size of the directory")
        let begin = try cursor.integer(UInt32.self, .little, "the place of the directory")
        guard count != .max, begin != .max else {
            throw FormatFailure.unsupported(source: source, detail: "zip archives of more than 4 GB or 65,534 entries are not read")
        }
        cursor = ByteCursor(store)
        try cursor.take(Int(begin), "what is before the directory")
        var entries: [Entry] = []
        for _ in 0..<count { entries.append(try Self.entry(&cursor, store)) }
        self.entries = entries
        try check(byteLimit: byteLimit)
    }

    /// The bytes of an entry, decompressed as they are read and held against their checksum at the end.
    func content(of entry: Entry) throws -> ChecksummedSource {
        let stored = ByteCursor(store, range: entry.range, source: "\(source) › \(entry.name)")
        let inner: any ByteSource = entry.isDeflated ? try InflateStream(stored, .none) : stored
        return ChecksummedSource(inner, byteCount: entry.byteCount, expected: entry.checksum, what: entry.name)
    }

    /// The end record is the last thing but a comment of up to 65,535 bytes.
    private static func endRecord(_ store: ByteStore) throws -> Int? {
        guard store.count >= 22 else { return nil }
        let start = max(0, store.count - 22 - 0xFFFF)
        var cursor = ByteCursor(store, range: start..<store.count)
        let tail = try cursor.bytes(store.count - start, "the end of the archive")
        let signature = withUnsafeBytes(of: endSignature.littleEndian) { Array($0) }
        return stride(from: tail.count - 22, through: 0, by: -1)
            .first { tail[$0] == signature[0] && tail[$0..<($0 + 4)].elementsEqual(signature) }.map { start + $0 }
    }

    private static func entry(_ cursor: inout ByteCursor, _ store: ByteStore) throws -> Entry {
        let source = cursor.source
        guard try cursor.integer(UInt32.self, .little, "an entry of the directory") == centralSignature else {
            throw FormatFailure.invalidHeader(source: source, detail: "the directory has no entry at byte \(cursor.offset - 4)")
        }
        try cursor.take(4, "the versions of an entry")
        let flags = try cursor.integer(UInt16.self, .little, "the flags of an entry")
        let method = try cursor.integer(UInt16.self, .little, "the method of an entry")
        try cursor.take(4, "the time of an entry")
        let checksum = try cursor.integer(UInt32.self, .little, "the checksum of an entry")
        let stored = try cursor.integer(UInt32.self, .little, "the size of an entry")
        let byteCount = try cursor.integer(UInt32.self, .little, "the size of an entry")
        let lengths = try (0..<3).map { _ in Int(try cursor.integer(UInt16.self, .little, "the lengths of an entry")) }
        try cursor.take(8, "the attributes of an entry")
        let place = try cursor.integer(UInt32.self, .little, "the place of an entry")
        let name = String(decoding: try cursor.bytes(lengths[0], "the name of an entry"), as: UTF8.self)
        try cursor.take(lengths[1] + lengths[2], "the extra fields of an entry")
        guard flags & 1 == 0, [0, 8].contains(method), stored != .max, byteCount != .max, place != .max else {
            throw FormatFailure.unsupported(
                source: source,
                detail: "\(name) is encrypted, larger than 4 GB or compressed by method \(method); "
                    + "only stored and deflated entries are read")
        }
        var local = ByteCursor(store)
        try local.take(Int(place), "what is before \(name)")
        guard try local.integer(UInt32.self, .little, "the header of \(name)") == localSignature else {
            throw FormatFailure.invalidHeader(source: source, detail: "\(name) does not begin at byte \(place)")
        }
        try local.take(22, "the header of \(name)")
        let nameLength = try local.integer(UInt16.self, .little, "the header of \(name)")
        let extraLength = try local.integer(UInt16.self, .little, "the header of \(name)")
        try local.take(Int(nameLength) + Int(extraLength), "the header of \(name)")
        return Entry(
            name: name, isDeflated: method == 8, checksum: checksum, range: try local.take(Int(stored), name),
            byteCount: Int(byteCount))
    }

    private func check(byteLimit: Int) throws {
        var total = 0
        for entry in entries {
            guard entry.isDeflated || entry.byteCount == entry.range.count else {
                throw FormatFailure.sizeMismatch(
                    source: source, what: entry.name, expected: entry.byteCount, got: entry.range.count)
            }
            // Both are below 2³², and there are fewer than 2¹⁶ entries.
            total += entry.byteCount
        }
        guard total <= byteLimit else {
            throw FormatFailure.expandsTooFar(source: source, byteCount: total, limit: byteLimit)
        }
        let sorted = entries.sorted { $0.range.lowerBound < $1.range.lowerBound }
        for (first, second) in zip(sorted, sorted.dropFirst()) where first.range.upperBound > second.range.lowerBound {
            throw FormatFailure.overlap(source: source, what: first.name, other: second.name)
        }
    }
}

/// Bytes that must be of a certain number and match a CRC-32 in the end.
struct ChecksummedSource: ByteSource {
    private var inner: any ByteSource
    private let byteCount: Int
    private let expected: UInt32
    private let what: String
    private var checksum = crc32(0, nil, 0)

    init(_ inner: any ByteSource, byteCount: Int, expected: UInt32, what: String) {
        self.inner = inner
        self.byteCount = byteCount
        self.expected = expected
        self.what = what
    }

    var source: String { inner.source }
    var offset: Int { inner.offset }
    var remainderBound: Int { max(0, min(inner.remainderBound, byteCount - inner.offset)) }

    mutating func read(into target: UnsafeMutableRawBufferPointer, _ what: String) throws {
        try inner.read(into: target, what)
        checksum = CRC32.updated(checksum, UnsafeRawBufferPointer(target))
    }

    mutating func finish() throws {
        try inner.finish()
        guard inner.offset == byteCount else {
            throw FormatFailure.sizeMismatch(source: source, what: what, expected: byteCount, got: inner.offset)
        }
        guard UInt32(truncatingIfNeeded: checksum) == expected else {
            throw FormatFailure.checksum(source: source, what: what)
        }
    }
}

/// zlib's checksum, in steps that its 32-bit lengths can hold.
enum CRC32 {
    static func updated(_ checksum: UInt, _ bytes: UnsafeRawBufferPointer) -> UInt {
        var (checksum, rest) = (checksum, bytes[...])
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            checksum = crc32(checksum, part.bindMemory(to: UInt8.self).baseAddress, uInt(part.count))
            rest = rest.dropFirst(part.count)
        }
        return checksum
    }
}
