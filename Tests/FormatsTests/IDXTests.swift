import Testing

import Basics
import Formats
import Tensors

@Suite struct IDXTests {
    /// Header and elements of an IDX file of unsigned bytes.
    static func file(_ dims: [UInt32], _ elements: [UInt8], type: UInt8 = 8) -> [UInt8] {
        [0, 0, type, UInt8(dims.count)] + dims.flatMap { bigEndian($0) } + elements
    }

    /// 64 KiB of zeros, packed 640 to 1 by the dynamic codes that `gzip -9` chooses:
    ///
    ///     gzip.GzipFile(fileobj=f, mode="wb", compresslevel=9, mtime=0, filename="") of
    ///     bytes([0, 0, 8, 1]) + (65536).to_bytes(4, "big") + bytes(65536)
    static let packed = bytes(
        hexadecimal: "1f8b08000000000002ffedc1410d00000800a1f367ffc46ee6006aa709" + String(repeating: "0", count: 126)
            + "de01bd493ed308000100")

    @Test(arguments: [true, false])
    func imagesAreRead(_ isPacked: Bool) throws {
        let directory = try TemporaryDirectory()
        let plain = Self.file([2, 2, 3], Array(1...12))
        let tensor = try IDX.read(try directory.file("images", isPacked ? gzip(plain) : plain))
        #expect(tensor.shape == [2, 2, 3])
        #expect(tensor.dtype == .uint8)
        #expect(try tensor.array(of: UInt8.self) == Array(1...12))
    }

    @Test func compressedFileIsRead() throws {
        let tensor = try IDX.read(bytes: Self.packed)
        #expect(tensor.shape == [65536])
        #expect(try tensor.array(of: UInt8.self).allSatisfy { $0 == 0 })
    }

    @Test func emptyArrayIsRead() throws {
        #expect(try IDX.read(bytes: Self.file([0, 28], [])).shape == [0, 28])
        #expect(try IDX.read(bytes: gzip(Self.file([3, 0], []))).shape == [3, 0])
    }

    static let hostile: [HostileFile] = [
        .init("empty file", bytes: [], "truncated", "magic number"),
        .init("text", bytes: Array("hello".utf8), "wrongMagic", "68 65 6c 6c"),
        .init("cut extents", bytes: Array(file([1, 2, 3], []).dropLast(6)), "truncated", "extent of dimension 1"),
        .init("floats", bytes: file([1], [0, 0, 0, 0], type: 0x0D), "unknownType", "float32"),
        .init("no such type", bytes: file([1], [0], type: 0x42), "unknownType", "0x42"),
        .init("too few elements", bytes: file([2, 3], [1, 2, 3, 4, 5]), "truncated", "1 bytes are missing"),
        .init("too many elements", bytes: file([2, 2], [1, 2, 3, 4, 5]), "trailingBytes", "1 bytes follow"),
        .init("extents that overflow", bytes: file([.max, .max, .max], []), "invalidShape", "absurd"),
        .init("extents that overflow behind a zero", bytes: file([0, .max, .max, .max], []), "invalidShape", "absurd"),
        .init("terabyte in a small file", bytes: file([1 << 20, 1 << 20], [1]), "truncated", "promise"),
        .init("255 extents", bytes: file([UInt32](repeating: 2, count: 255), []), "invalidShape", "255 dimensions"),
    ]

    static let hostileGzip: [HostileFile] = [
        .init("gzip magic alone", bytes: [0x1F, 0x8B], "truncated", "magic number"),
        .init("gzip of nothing", bytes: gzip([]), "truncated", "magic number"),
        .init("unknown method", bytes: [0x1F, 0x8B, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0], "decompression", "method"),
        .init("gzip of text", bytes: gzip(Array("hello".utf8)), "wrongMagic", "68 65 6c 6c"),
        .init("cut in the elements", bytes: Array(gzip(file([9], [1, 2, 3])).dropLast(9)), "truncated", "the elements"),
        .init("cut in the checksum", bytes: Array(packed.dropLast(5)), "truncated", "checksum"),
        .init("wrong checksum", bytes: packed.dropLast(8) + [0, 0, 0, 0] + packed.suffix(4), "decompression", "check"),
        .init("bytes after the member", bytes: packed + [1, 2], "trailingBytes", "2 bytes follow"),
        .init(
            "a bomb behind a small header", bytes: gzip(file([2], [UInt8](repeating: 0, count: 99_999))),
            "trailingBytes", "follow the end of the data at byte 10"),
        .init("terabyte in a small file", bytes: gzip(file([1 << 20, 1 << 20], [1])), "truncated", "promise"),
        .init(
            "fewer elements than the header says", bytes: gzip(file([500], [1, 2, 3])), "truncated",
            "497 bytes are missing"),
    ]

    @Test(arguments: hostile + hostileGzip)
    func eachLieHasItsError(_ file: HostileFile) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("lying-idx3-ubyte", file.bytes)
        let error = failure { _ = try IDX.read(path) }
        #expect(error?.code == file.code)
        let description = error?.description ?? "nothing thrown"
        #expect(description.hasPrefix(path))
        #expect(description.contains(file.mention), "\(description)")
    }

    /// The promise of a terabyte is refused before memory is asked for.
    @Test func lyingHeaderTakesNoMemory() {
        let before = MemoryLedger.peakByteCount
        _ = failure { _ = try IDX.read(bytes: gzip(Self.file([1 << 16, 1 << 16], [1]))) }
        #expect(MemoryLedger.peakByteCount - before < 1 << 30)
    }

    @Test func everyTruncationIsRefused() {
        for whole in [Self.file([2, 3], Array(1...6)), gzip(Self.file([2, 3], Array(1...6))), Self.packed] {
            for count in whole.indices {
                #expect(throws: FormatFailure.self) { try IDX.read(bytes: Array(whole[..<count])) }
            }
        }
    }

    @Test(arguments: [0, 1, 2])
    func mutatedFilesAreRefusedOrRead(_ kind: Int) {
        let plain = Self.file([3, 2, 2], Array(1...12))
        let seed = [plain, gzip(plain), Self.packed][kind]
        var random = RandomSource(seed: UInt64(kind))
        var refused = 0
        for _ in 0..<2000 {
            do {
                _ = try IDX.read(bytes: random.mutated(seed))
            } catch {
                refused += 1
                #expect(error is FormatFailure, "\(error)")
            }
        }
        #expect(refused > 500)
    }
}
