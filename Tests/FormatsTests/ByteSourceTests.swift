import Testing

import Basics
import Formats

@Suite struct ByteSourceTests {
    @Test func numbersComeInEitherOrder() throws {
        var cursor = ByteCursor([1, 2, 3, 4, 0xFF, 0xFE], source: "x")
        #expect(try cursor.integer(UInt16.self, .little, "a") == 0x0201)
        #expect(try cursor.integer(UInt16.self, .big, "b") == 0x0304)
        #expect(try cursor.integer(Int16.self, .big, "c") == -2)
        #expect(cursor.offset == 6)
        try cursor.finish()
    }

    @Test func shortReadSaysWhatWhereAndHowMuch() throws {
        var cursor = ByteCursor([1, 2, 3], source: "file.bin")
        _ = try cursor.take(1, "a flag")
        let error = failure { _ = try cursor.integer(UInt32.self, .big, "the count") }
        #expect(error?.code == "format.truncated")
        #expect(error?.description == "file.bin: truncated in the count at byte 1, 2 bytes are missing")
        #expect(cursor.offset == 1)
    }

    @Test func leftOversAreFound() throws {
        var cursor = ByteCursor([1, 2, 3], source: "x")
        _ = try cursor.take(2, "all")
        #expect(failure { try cursor.finish() }?.code == "format.trailingBytes")
    }

    @Test func gzipReadsInPieces() throws {
        let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 3) }
        let stream = try InflateStream(ByteCursor(gzip(content), source: "x"))
        var got: [UInt8] = []
        for size in [1, 7, 65_535, 100_000, 200_000 - 165_543] {
            var piece = [UInt8](repeating: 0, count: size)
            try piece.withUnsafeMutableBytes { try stream.read(into: $0, "piece") }
            got += piece
            #expect(stream.offset == got.count)
        }
        #expect(got == content)
        try stream.finish()
        #expect(stream.remainderBound == 0)
    }
}
