import Basics
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// A directory that goes with everything in it when the test ends.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/moonrail-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw FileFailure.cannotWrite(path: "/tmp", reason: "mkdtemp failed") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes `bytes` as a file called `name` and returns its path.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = self.path + "/" + name
        try AtomicFile.write(path) { append in try bytes.withUnsafeBytes { try append($0) } }
        return path
    }
}

/// The failure that `body` throws; `nil` when it throws none, or an error that is no `Failure`.
func failure(_ body: () throws -> Void) -> (any Failure)? {
    do {
        try body()
        return nil
    } catch {
        return error as? any Failure
    }
}

/// The names of the files in a directory, sorted.
func directoryEntries(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
}

/// Bytes spelled by pairs of hexadecimal digits.
func bytes(hexadecimal text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func littleEndian<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

func bigEndian<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

/// A gzip file of stored blocks, so that tests need no compressor.
func gzip(_ content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
    var start = 0
    repeat {
        let end = min(start + 0xFFFF, content.count)
        let length = UInt16(end - start)
        result += [end == content.count ? 1 : 0] + littleEndian(length) + littleEndian(~length) + content[start..<end]
        start = end
    } while start < content.count
    var checksum = UInt32.max
    for byte in content {
        checksum ^= UInt32(byte)
        for _ in 0..<8 { checksum = checksum & 1 == 1 ? checksum >> 1 ^ 0xEDB8_8320 : checksum >> 1 }
    }
    return result + littleEndian(~checksum) + littleEndian(UInt32(content.count))
}

extension RandomSource {
    /// A whole number in 0 ..< bound.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// `original` with a few bytes replaced, inserted, removed, repeated or cut off.
    mutating func mutated(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0...below(4) where !bytes.isEmpty {
            let place = below(bytes.count)
            switch below(6) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: next())
            case 1: bytes[place] ^= 1 << UInt8(below(8))
            case 2: bytes.insert(Array("{}[]\",:0-9eE\\u".utf8)[below(14)], at: place)
            case 3: bytes.remove(at: place)
            case 4: bytes.removeLast(bytes.count - place)
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + below(16))], at: place)
            }
        }
        return bytes
    }
}
