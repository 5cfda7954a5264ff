import Testing

import Basics
import Formats
import Tensors

@Suite struct PictureTests {
    @Test func aPNGIsReadExactly() throws {
        let picture = try Picture.read(NPZTests.fixtures + "picture.png")
        let expected = try NPZ.read(NPZTests.fixtures + "pictures.npz")[0].tensor
        #expect(picture.shape == [3, 9, 13] && picture.dtype == .uint8)
        #expect(try picture.array(of: UInt8.self) == expected.array(of: UInt8.self))
    }

    /// The bytes of every kind of PNG and JPEG, and the pixels that Pillow and torchvision read (make_picture_kinds.py).
    @Test func everyKindIsReadAsPillowAndTorchvisionReadIt() throws {
        let arrays = Dictionary(uniqueKeysWithValues: try NPZ.read(NPZTests.fixtures + "picture_kinds.npz").map { ($0.name, $0.tensor) })
        let kinds = arrays.keys.filter { !$0.hasSuffix(".pixels") }.sorted()
        #expect(kinds.count == 50)
        for kind in kinds {
            let (bytes, pixels) = (try #require(arrays[kind]), try #require(arrays[kind + ".pixels"]))
            let picture = try Picture.read(bytes: bytes.array(of: UInt8.self), source: kind)
            #expect(picture.shape == pixels.shape, "\(kind)")
            #expect(try picture.array(of: UInt8.self) == pixels.array(of: UInt8.self), "\(kind)")
        }
    }

    @Test func kindsThatAreNotReadAreNotCalledDamaged() throws {
        var bytes = try AtomicFile.read(NPZTests.fixtures + "picture.jpg")
        let frame = try #require(bytes.indices.first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        // 12 bits for each sample.
        bytes[frame + 4] = 12
        let error = failure { _ = try Picture.read(bytes: bytes, source: "deep.jpg") }
        #expect(error?.code == "format.unsupported" && error?.description.contains("12") == true, "\(error?.description ?? "read")")
    }

    /// Quality 95 and chroma at half the resolution: a smooth picture comes back within a few steps of 255.
    @Test func aJPEGIsReadNearly() throws {
        let picture = try Picture.read(NPZTests.fixtures + "picture.jpg")
        try #require(picture.shape == [3, 24, 32])
        let pixels = try picture.array(of: UInt8.self)
        for y in 0..<24 {
            for x in 0..<32 {
                for (channel, expected) in [7 * x, 10 * y, 128].enumerated() {
                    #expect(abs(Int(pixels[(channel * 24 + y) * 32 + x]) - expected) <= 16)
                }
            }
        }
    }

    @Test(arguments: ["picture.png", "picture.jpg"]) func everyTruncationIsRefused(name: String) throws {
        let whole = try AtomicFile.read(NPZTests.fixtures + name)
        // The last bytes of either only mark the end.
        for count in 0..<(whole.count - 14) {
            let error = failure { _ = try Picture.read(bytes: Array(whole[..<count]), source: "cut") }
            #expect(error is FormatFailure && error?.description.hasPrefix("cut: ") == true, "\(count) bytes")
        }
    }

    @Test(arguments: ["picture.png", "picture.jpg"]) func mutationsNeverTrap(name: String) throws {
        let seed = try AtomicFile.read(NPZTests.fixtures + name)
        var random = RandomSource(seed: 4)
        for _ in 0..<2000 {
            do { _ = try Picture.read(bytes: random.mutated(seed)) } catch { #expect(error is FormatFailure, "\(error)") }
        }
    }

    @Test func otherFilesAreNamed() {
        let error = failure { _ = try Picture.read(bytes: Array("GIF89a".utf8), source: "x.gif") }
        #expect(error?.code == "format.wrongMagic" && error?.description.contains("a PNG or JPEG picture") == true)
    }

    /// A header that claims 2³¹ pixels squared, with a right checksum or not.
    @Test func vastPicturesTakeNoMemory() throws {
        var bytes = try AtomicFile.read(NPZTests.fixtures + "picture.png")
        bytes.replaceSubrange(16..<24, with: bigEndian(UInt32(900_000)) + bigEndian(UInt32(900_000)))
        bytes.replaceSubrange(29..<33, with: bigEndian(NPZTests.Archive.checksum(Array(bytes[12..<29]))))
        let before = MemoryLedger.peakByteCount
        let error = failure { _ = try Picture.read(bytes: bytes, source: "vast.png") }
        #expect(error?.code == "format.expandsTooFar", "\(error?.description ?? "nothing thrown")")
        #expect(MemoryLedger.peakByteCount - before < 1 << 28)
    }
}
