import Testing

import Basics
import Formats
import Tensors

@Suite struct NPZTests {
    static let fixtures = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/") + "/Fixtures/"

    /// What NumPy's savez and savez_compressed wrote.
    @Test(arguments: ["arrays.npz", "arrays_deflated.npz"]) func archivesOfNumPyAreRead(name: String) throws {
        let arrays = try NPZ.read(Self.fixtures + name)
        #expect(arrays.map(\.name) == ["a", "b", "c", "f", "s"])
        #expect(arrays.map(\.tensor.shape) == [[2, 3], [4], [2], [2, 3], []])
        #expect(arrays.map(\.tensor.dtype) == [.float32, .int64, .uint8, .float32, .uint8])
        #expect(try arrays[0].tensor.array(of: Float.self) == [0, 0.25, 0.5, 0.75, 1, 1.25])
        #expect(try arrays[1].tensor.array(of: Int64.self) == [1, -2, 3, 1 << 40])
        #expect(try arrays[3].tensor.array(of: Float.self) == [0, 1, 2, 3, 4, 5])
    }

    private static func sample() throws -> [(name: String, tensor: Tensor)] {
        var random = RandomSource(seed: 2)
        return [
            ("weights", try .normal([17, 3], using: &random)), ("empty", try .zeros([0, 2])),
            ("größe", try .full([], 4, dtype: .int64)), ("zeros", try .zeros([4000], dtype: .uint8)),
        ]
    }

    @Test(arguments: [false, true]) func whatIsWrittenIsRead(compresses: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/arrays.npz"
        let written = try Self.sample()
        try NPZ.write(written, to: path, compresses: compresses)
        let read = try NPZ.read(path)
        #expect(read.map(\.name) == written.map(\.name))
        for (a, b) in zip(read, written) {
            #expect(a.tensor.dtype == b.tensor.dtype && a.tensor.shape == b.tensor.shape)
            #expect(try a.tensor.converted(to: .float32).subtracting(b.tensor.converted(to: .float32)).norm() == 0)
        }
        #expect((try AtomicFile.size(path) < 2000) == compresses)
    }

    @Test func namesTwiceAreNotWritten() throws {
        let error = failure { try NPZ.write([("a", try .zeros([1])), ("a", try .zeros([1]))], to: "/nowhere/x.npz") }
        #expect(error?.code == "format.notRepresentable")
    }

    // MARK: Hostile archives

    /// A zip archive of stored or deflated entries, with lies where asked.
    struct Archive {
        var entries: [(name: String, stored: [UInt8], method: UInt16, size: UInt32, checksum: UInt32)] = []
        var flags: UInt16 = 0
        /// Added to the place of every entry in the directory.
        var shift = 0
        var samePlace = false

        mutating func add(_ name: String, _ content: [UInt8], method: UInt16 = 0, size: Int? = nil, checksum: UInt32? = nil) {
            entries.append((name, content, method, UInt32(size ?? content.count), checksum ?? Self.checksum(content)))
        }

        static func checksum(_ content: [UInt8]) -> UInt32 {
            var value = UInt32.max
            for byte in content {
                value ^= UInt32(byte)
                for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
            }
            return ~value
        }

        var bytes: [UInt8] {
            var (result, directory): ([UInt8], [UInt8]) = ([], [])
            for entry in entries {
                let place = samePlace ? 0 : result.count + shift
                let fields =
                    littleEndian(UInt16(20)) + littleEndian(flags) + littleEndian(entry.method) + littleEndian(UInt32(0))
                    + littleEndian(entry.checksum) + littleEndian(UInt32(entry.stored.count)) + littleEndian(entry.size)
                    + littleEndian(UInt16(entry.name.utf8.count)) + littleEndian(UInt16(0))
                result += littleEndian(UInt32(0x0403_4B50)) + fields + Array(entry.name.utf8) + entry.stored
                directory +=
                    littleEndian(UInt32(0x0201_4B50)) + littleEndian(UInt16(20)) + fields
                    + [UInt8](repeating: 0, count: 10) + littleEndian(UInt32(truncatingIfNeeded: place)) + Array(entry.name.utf8)
            }
            let (begin, count) = (UInt32(result.count), UInt16(entries.count))
            return result + directory + littleEndian(UInt32(0x0605_4B50)) + littleEndian(UInt32(0)) + littleEndian(count)
                + littleEndian(count) + littleEndian(UInt32(directory.count)) + littleEndian(begin) + littleEndian(UInt16(0))
        }
    }

    static let array = NPYTests.file(NPYTests.header("|u1", "(3,)"), [1, 2, 3])

    static func archive(_ change: (inout Archive) -> Void) -> [UInt8] {
        var archive = Archive()
        change(&archive)
        return archive.bytes
    }

    static let hostile: [HostileFile] = [
        .init("empty file", bytes: [], "wrongMagic", "a zip archive"),
        .init("text", bytes: Array("this is no archive, whatever its name".utf8), "wrongMagic", "74 68 69 73"),
        .init(
            "no entry where one was promised",
            bytes: archive {
                $0.add("a.npy", array); $0.shift = 3
            }, "invalidHeader", "does not begin at byte 3"),
        .init(
            "a place beyond the file",
            bytes: archive {
                $0.add("a.npy", array); $0.shift = 1 << 20
            }, "truncated", "a.npy"),
        .init(
            "an encrypted entry",
            bytes: archive {
                $0.flags = 1; $0.add("a.npy", array)
            }, "unsupported", "encrypted"),
        .init("another method", bytes: archive { $0.add("a.npy", array, method: 14) }, "unsupported", "method 14"),
        .init("another checksum", bytes: archive { $0.add("a.npy", array, checksum: 7) }, "checksum", "a.npy"),
        .init("a stored entry of two sizes", bytes: archive { $0.add("a.npy", array, size: 9999) }, "sizeMismatch", "9999"),
        .init(
            "two entries in one place",
            bytes: archive {
                $0.samePlace = true; $0.add("a.npy", array); $0.add("b.npy", array)
            }, "overlap", "a.npy"),
        .init(
            "a name twice",
            bytes: archive {
                $0.add("a.npy", array); $0.add("a.npy", array)
            }, "invalidHeader", "given twice"),
        .init("something that is no array", bytes: archive { $0.add("a.txt", Array("hello".utf8)) }, "truncated", "a.txt"),
        .init("damaged deflated data", bytes: archive { $0.add("a.npy", [0xFF, 1, 2, 3], method: 8, size: 100) }, "decompression", "a.npy"),
        .init(
            "a bomb of four gigabytes", bytes: archive { for i in 0..<3 { $0.add("\(i)", [3, 0], method: 8, size: 2_000_000_000) } }, "expandsTooFar",
            "6000000000"),
        .init("a lie within the limit", bytes: archive { $0.add("a.npy", [3, 0], method: 8, size: 2_000_000_000) }, "truncated", "a.npy"),
    ]

    @Test(arguments: hostile) func eachLieHasItsError(_ file: HostileFile) {
        let before = MemoryLedger.peakByteCount
        let error = failure { _ = try NPZ.read(bytes: file.bytes, source: "lying.npz") }
        #expect(error?.code == file.code)
        let description = error?.description ?? "nothing thrown"
        #expect(description.hasPrefix("lying.npz") && description.contains(file.mention), "\(description)")
        #expect(MemoryLedger.peakByteCount - before < 1 << 30)
    }

    /// The limit can be set lower.
    @Test func theLimitIsTheCallers() {
        let bytes = Self.archive { $0.add("a.npy", Self.array) }
        #expect(failure { _ = try NPZ.read(bytes: bytes, byteLimit: 10) }?.code == "format.expandsTooFar")
        #expect(failure { _ = try NPZ.read(bytes: bytes, byteLimit: Self.array.count) } == nil)
    }

    @Test(arguments: [false, true]) func mutationsAndTruncationsNeverTrap(isDeflated: Bool) throws {
        let seed = try AtomicFile.read(Self.fixtures + (isDeflated ? "arrays_deflated.npz" : "arrays.npz"))
        for count in stride(from: 0, to: seed.count, by: 7) {
            #expect(throws: FormatFailure.self) { try NPZ.read(bytes: Array(seed[..<count])) }
        }
        var random = RandomSource(seed: 9)
        for _ in 0..<2000 {
            do { _ = try NPZ.read(bytes: random.mutated(seed)) } catch { #expect(error is FormatFailure, "\(error)") }
        }
    }
}
