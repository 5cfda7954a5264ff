extension JSONValue {
    /// The value that `bytes` spell in UTF-8; `source` names them in errors.
    /// - Parameters:
    ///   - allowsNonFinite: whether `NaN`, `Infinity` and `-Infinity` are numbers, as JavaScript and Python spell them; RFC
    ///     8259 has none of them.
    ///   - keepsDigits: whether a whole number that neither 64 bits nor a double hold is an error. Else it is the nearest double.
    /// - Throws: `FormatFailure.notUTF8`, or `invalidJSON` with the place: anything else that RFC 8259 does not allow, two
    ///   members of one name, a number beyond the range of a double, nesting beyond `depthLimit`.
    /// - Complexity: O(bytes).
    public static func parse(
        _ bytes: [UInt8], source: String = "JSON", allowsNonFinite: Bool = false, keepsDigits: Bool = false
    ) throws -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw FormatFailure.notUTF8(source: source) }
        var parser = JSONParser(bytes: bytes, source: source, allowsNonFinite: allowsNonFinite, keepsDigits: keepsDigits)
        return try parser.document()
    }

    /// The value that `text` spells.
    public static func parse(
        text: String, source: String = "JSON", allowsNonFinite: Bool = false, keepsDigits: Bool = false
    ) throws -> JSONValue {
        try parse(Array(text.utf8), source: source, allowsNonFinite: allowsNonFinite, keepsDigits: keepsDigits)
    }
}

/// Recursive descent over bytes that are known to be UTF-8.
private struct JSONParser {
    let bytes: [UInt8]
    let source: String
    let allowsNonFinite: Bool
    let keepsDigits: Bool
    var position = 0
    var depth = 0

    func failure(_ reason: String, at place: Int? = nil) -> FormatFailure {
        let before = bytes[..<(place ?? position)]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return .invalidJSON(source: source, line: line, column: before.count - lineStart + 1, reason: reason)
    }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Steps over `character` when it is next.
    mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func document() throws -> JSONValue {
        let value = try value()
        skipSpace()
        guard position == bytes.count else { throw failure("text follows the value") }
        return value
    }

    mutating func value() throws -> JSONValue {
        skipSpace()
        guard let byte = next else { throw failure("a value is missing") }
        switch byte {
        case UInt8(ascii: "{"): return try nested { try $0.object() }
        case UInt8(ascii: "["): return try nested { try $0.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: return try word()
        }
    }

    mutating func nested(_ body: (inout JSONParser) throws -> JSONValue) throws -> JSONValue {
        guard depth < JSONValue.depthLimit else { throw failure("nested deeper than \(JSONValue.depthLimit)") }
        depth += 1
        position += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    mutating func array() throws -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if accept("]") { return .array(elements) }
        repeat {
            elements.append(try value())
            skipSpace()
        } while accept(",")
        guard accept("]") else { throw failure("expected ',' or ']' in an array") }
        return .array(elements)
    }

    mutating func object() throws -> JSONValue {
        var object = JSONObject()
        skipSpace()
        if accept("}") { return .object(object) }
        repeat {
            skipSpace()
            let start = position
            guard next == UInt8(ascii: "\"") else { throw failure("expected the name of a member in quotes") }
            let key = try string()
            guard object[key] == nil else { throw failure("a second member \"\(key)\"", at: start) }
            skipSpace()
            guard accept(":") else { throw failure("expected ':' after the name of a member") }
            object[key] = try value()
            skipSpace()
        } while accept(",")
        guard accept("}") else { throw failure("expected ',' or '}' in an object") }
        return .object(object)
    }

    mutating func word() throws -> JSONValue {
        for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)]
        where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        if let value = try nonFinite() { return value }
        throw failure("expected a value")
    }
}

extension JSONParser {
    mutating func digits() throws {
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw failure("expected a digit") }
    }

    /// A number that is not finite, where one stands here.
    mutating func nonFinite() throws -> JSONValue? {
        for (word, value) in [("NaN", Double.nan), ("Infinity", .infinity), ("-Infinity", -.infinity)]
        where bytes[position...].starts(with: word.utf8) {
            guard allowsNonFinite else { throw failure("expected a value; \(word) is no JSON number") }
            position += word.utf8.count
            return .number(value)
        }
        return nil
    }

    mutating func number() throws -> JSONValue {
        if let value = try nonFinite() { return value }
        let start = position
        var isWhole = true
        let isNegative = accept("-")
        if !accept("0") { try digits() }
        if accept(".") {
            isWhole = false
            try digits()
        }
        if accept("e") || accept("E") {
            isWhole = false
            if !accept("+") { _ = accept("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        // −0 stays a double: as an integer it would lose its sign.
        if isWhole, let whole = Int64(text), whole != 0 || !isNegative { return .integer(whole) }
        guard let value = Double(text), value.isFinite else {
            throw failure("the number is out of the range of a double", at: start)
        }
        // Digits that a double drops would be gone without a word, such as those of an identifier.
        guard !keepsDigits || !isWhole || value == 0 || Self.holds(value, text) else {
            throw failure("the whole number \(text) has more digits than 64 bits hold; write it in quotes, as text", at: start)
        }
        return .number(value)
    }

    /// Whether a double has the digits of a whole number: it is that number, or spells itself with them and zeros.
    private static func holds(_ value: Double, _ text: String) -> Bool {
        if let whole = Int128(text), Int128(exactly: value) == whole { return true }
        func digits(_ text: String) -> String {
            var digits = String(text.prefix { $0 != "e" }.filter(\.isNumber))
            while digits.last == "0" { digits.removeLast() }
            return digits
        }
        return digits(value.description) == digits(text)
    }

    mutating func string() throws -> String {
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        var text = String(decoding: bytes[start..<position], as: UTF8.self)
        while !accept("\"") {
            guard let byte = next else { throw failure("a string does not end", at: start - 1) }
            guard byte >= 0x20 else { throw failure("a control character in a string must be escaped") }
            if byte == UInt8(ascii: "\\") {
                text.unicodeScalars.append(try escape())
            } else {
                let plain = position
                while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                    position += 1
                }
                text += String(decoding: bytes[plain..<position], as: UTF8.self)
            }
        }
        return text
    }

    mutating func escape() throws -> Unicode.Scalar {
        let start = position
        position += 1
        guard let byte = next else { throw failure("a string ends within an escape", at: start) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(from: start)
        default: throw failure("an unknown escape", at: start)
        }
    }

    /// A code point beyond the first 65,536 is written as two escapes, a high and a low surrogate.
    private mutating func unicodeEscape(from start: Int) throws -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, accept("\\"), accept("u") else { throw failure("half of a surrogate pair", at: start) }
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw failure("half of a surrogate pair", at: start) }
        return scalar
    }

    private mutating func hexadecimal() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
