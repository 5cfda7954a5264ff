import Basics
import Formats
import Testing

@Suite struct EventFileTests {
    /// Of RFC 3720, appendix B.4, and the usual check of nine digits.
    static let checks: [([UInt8], UInt32)] = [
        ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
        (Array(0..<32), 0x46DD_794E), (Array("123456789".utf8), 0xE306_9283),
    ]

    @Test(arguments: checks)
    func checksAreCastagnolis(bytes: [UInt8], expected: UInt32) {
        #expect(CyclicCheck.value(bytes) == expected)
    }

    /// Checks as TensorBoard's masked_crc32c gives them, for the length 3 and for the bytes "abc".
    @Test func recordsAreFramed() {
        let record = EventFile.record(Array("abc".utf8))
        #expect(record.count == 8 + 4 + 3 + 4 && record[0] == 3 && Array(record[12..<15]) == Array("abc".utf8))
        #expect(Array(record[8..<12]) == [0xB0, 0x99, 0x49, 0x0E] && Array(record[15...]) == [0x6E, 0x57, 0xF1, 0x21])
    }

    @Test func filesBeginWithTheirVersionAndDoNotMeet() throws {
        let directory = "/tmp/moonrail-events-\(UInt64.random(in: 0 ... .max))/inner"
        let first = try EventFile(in: directory)
        let second = try EventFile(in: directory)
        #expect(first.path != second.path && first.path.contains("/events.out.tfevents."))
        try first.add([("loss", 0.5)], step: 3)
        let bytes = try AtomicFile.read(first.path)
        #expect(String(decoding: bytes, as: UTF8.self).contains("brain.Event:2"))
        // The event of TensorBoard's own messages for that, behind the time: step 3, and the summary.
        let event: [UInt8] = [16, 3, 42, 13, 10, 11, 10, 4, 108, 111, 115, 115, 21, 0, 0, 0, 63]
        #expect(Array(bytes.dropLast(4).suffix(event.count)) == event)
        first.close()
        #expect(throws: FileFailure.self) { try first.add([("loss", 0.5)], step: 4) }
        #expect(throws: FileFailure.self) { try EventFile(in: "/dev/null/x") }
    }
}
