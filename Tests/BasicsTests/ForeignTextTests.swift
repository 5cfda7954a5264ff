import Basics
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct ForeignTextTests {
    @Test(
        arguments: [
            [], Array("plain".utf8), Array("größer 学习 🜂".utf8), [0], [0xFF], [0x61, 0xE3, 0x64], [0xE3, 0x81], [0xC0, 0x80],
            [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0x63, 0x61, 0x66, 0xC3, 0xA9], [0x65, 0xCC, 0x81],
            // Characters that stand for bytes, spelt by the bytes themselves, alone and cut short.
            [0xF4, 0x8F, 0xBE, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x8F, 0xBD, 0xBF], [0xF4, 0x8F, 0xBE], [0xF4, 0x8F], [0xF4],
        ] as [[UInt8]])
    func givesTheBytesBack(bytes: [UInt8]) {
        #expect(String(foreignBytes: bytes).foreignBytes == bytes)
    }

    @Test func givesAnyBytesBack() {
        var random = SystemRandomNumberGenerator()
        let likely: [UInt8] = [0x00, 0x41, 0x80, 0x8F, 0xBE, 0xBF, 0xC3, 0xE3, 0xED, 0xF4, 0xFF]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                Bool.random(using: &random) ? likely.randomElement(using: &random)! : UInt8.random(in: 0...255, using: &random)
            }
            let text = String(foreignBytes: bytes)
            #expect(text.foreignBytes == bytes, "\(bytes)")
            #expect(text.withForeignBytes { Array($0) } == bytes)
            // Different bytes have different texts, whatever a String takes for one character.
            #expect(String(foreignBytes: bytes + [0x80]).utf8.elementsEqual(text.utf8) == false)
        }
    }

    @Test func textThatIsUTF8StaysItself() {
        #expect(String(foreignBytes: Array("größer 🜂".utf8)) == "größer 🜂")
        #expect(String(foreignBytes: [0x61, 0xE3]).unicodeScalars.map(\.value) == [0x61, 0x10FFE3])
    }

    @Test func namesOfFilesKeepTheirBytes() throws {
        let directory = "/tmp/moonrail-foreign-\(UInt64.random(in: 0 ... .max))"
        try AtomicFile.makeDirectory(directory)
        let names: [[UInt8]] = [[0x61, 0xE3], Array("é".utf8), [0x65, 0xCC, 0x81]]
        for (index, name) in names.enumerated() {
            try AtomicFile.write(directory + "/" + String(foreignBytes: name), bytes: [UInt8(index)])
        }
        let found = DirectoryListing.entries(of: directory).map { $0.name.foreignBytes }
        #expect(Set(found) == Set(names))
        for (index, name) in names.enumerated() {
            #expect(try AtomicFile.read(directory + "/" + String(foreignBytes: name)) == [UInt8(index)])
        }
        for name in names { _ = (directory + "/" + String(foreignBytes: name)).withForeignCString { unlink($0) } }
        rmdir(directory)
    }

    /// A mark that combines with what stands before it belongs to the name, though it makes one character with the slash.
    @Test func aSlashIsAByte() {
        #expect(DirectoryListing.split("a/\u{301}b").directory == "a/")
    }
}
