#if canImport(Glibc)
    import Glibc
#endif

/// Bytes from outside as text: names of files, arguments, strings of Lua. They need not be UTF-8, and no byte is lost.
///
/// A byte that is no part of UTF-8 stands as the character U+10FF00 + byte. These characters, U+10FF80 to U+10FFFF, end the
/// last plane for private use; where the bytes themselves spell one of them, its four bytes stand in this way too. So
/// every sequence of bytes has a text of its own, which `foreignBytes` turns back. Python's file names work alike (Martin
/// v. Löwis, *PEP 383: Non-decodable Bytes in System Character Interfaces*, 2009, https://peps.python.org/pep-0383/).
extension String {
    /// - Complexity: O(bytes); text that is UTF-8 is checked and copied.
    public init(foreignBytes bytes: UnsafeRawBufferPointer) {
        // Only characters from U+100000 on begin with this byte.
        let mayHoldEscapes = bytes.contains(ForeignByte.lead)
        if !mayHoldEscapes, let text = String(validating: bytes, as: UTF8.self) {
            self = text
            return
        }
        self.init()
        var parser = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        var position = 0
        while true {
            let count: Int
            switch parser.parseScalar(from: &rest) {
            case .emptyInput: return
            case .error(let length): count = length
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                guard ForeignByte.characters.contains(scalar) else {
                    unicodeScalars.append(scalar)
                    position += encoded.count
                    continue
                }
                count = encoded.count
            }
            for byte in bytes[position..<position + count] { unicodeScalars.append(ForeignByte.character(of: byte)) }
            position += count
        }
    }

    public init(foreignBytes bytes: some Sequence<UInt8>) {
        self = Array(bytes).withUnsafeBytes { String(foreignBytes: $0) }
    }

    /// The text of what ends with a zero, as the C library gives it.
    public init(foreignCString start: UnsafePointer<CChar>) {
        self.init(foreignBytes: UnsafeRawBufferPointer(start: start, count: strlen(start)))
    }

    /// The bytes that this text stands for.
    public var foreignBytes: [UInt8] { withForeignBytes { [UInt8]($0) } }

    /// - Complexity: O(bytes), without a copy where there is nothing to turn back.
    public func withForeignBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        var text = self
        return try text.withUTF8 { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            guard raw.contains(ForeignByte.lead) else { return try body(raw) }
            return try ForeignByte.turnedBack(raw).withUnsafeBytes(body)
        }
    }

    /// The bytes with a zero behind them, for calls of the system. Text with a zero inside would be cut there, so names of
    /// files are checked by `FilePath.check` first.
    public func withForeignCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        guard utf8.contains(ForeignByte.lead) else { return try withCString(body) }
        return try (foreignBytes + [0]).withUnsafeBufferPointer { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }
}

/// The characters that stand for single bytes.
private enum ForeignByte {
    static let characters = Unicode.Scalar(0x10FF80)!...Unicode.Scalar(0x10FFFF)!
    /// The first two bytes of these characters in UTF-8.
    static let (lead, second): (UInt8, UInt8) = (0xF4, 0x8F)

    static func character(of byte: UInt8) -> Unicode.Scalar { Unicode.Scalar(0x10FF00 + UInt32(byte))! }

    static func turnedBack(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var found: [UInt8] = []
        found.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            guard bytes[position] == lead, bytes[position + 1] == second, bytes[position + 2] >= 0xBE else {
                found.append(bytes[position])
                position += 1
                continue
            }
            // The character's last two bytes hold its last twelve bits.
            found.append(UInt8(truncatingIfNeeded: Int(bytes[position + 2]) << 6 | Int(bytes[position + 3] & 0x3F)))
            position += 4
        }
        return found
    }
}
