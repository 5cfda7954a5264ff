import Tensors

/// What the header of an npy file says: a Python dictionary with `descr`, `fortran_order` and `shape`.
struct NPYHeader {
    let type: NPYType
    let isBigEndian: Bool
    /// Whether the first extent varies fastest.
    let isColumnMajor: Bool
    let dims: [Int]

    /// - Throws: `FormatFailure.invalidHeader` or `unknownType`.
    init(_ text: [UInt8], source: String) throws {
        var parser = PythonLiteral(text, source: source)
        let members = try parser.dictionary()
        func member(_ name: String) throws -> PythonLiteral.Value {
            guard let value = members[name] else {
                throw FormatFailure.invalidHeader(source: source, detail: "'\(name)' is missing")
            }
            return value
        }
        guard case .text(let descriptor) = try member("descr") else {
            throw FormatFailure.unknownType(
                source: source, what: "the array", got: "records", known: NPYType.names)
        }
        guard case .truth(let isColumnMajor) = try member("fortran_order") else {
            throw FormatFailure.invalidHeader(source: source, detail: "'fortran_order' must be True or False")
        }
        guard case .integers(let dims) = try member("shape"), dims.count <= Shape.rankLimit else {
            throw FormatFailure.invalidHeader(
                source: source, detail: "'shape' must be up to \(Shape.rankLimit) whole numbers")
        }
        guard let order = descriptor.first, "<>|=".contains(order), let type = NPYType(rawValue: String(descriptor.dropFirst()))
        else {
            throw FormatFailure.unknownType(source: source, what: "the array", got: "'\(descriptor)'", known: NPYType.names)
        }
        self.type = type
        self.isColumnMajor = isColumnMajor
        self.dims = dims
        isBigEndian = order == ">"
    }
}

/// The little of Python's syntax that headers use.
private struct PythonLiteral {
    enum Value {
        case text(String), truth(Bool), integers([Int]), other
    }

    private let text: [UInt8]
    private let source: String
    private var position = 0

    init(_ text: [UInt8], source: String) {
        self.text = text
        self.source = source
    }

    /// The whole text as a dictionary.
    mutating func dictionary() throws -> [String: Value] {
        var members: [String: Value] = [:]
        try expect("{")
        while !skip("}") {
            let key = try string()
            try expect(":")
            members[key] = try value()
            if !skip(",") {
                try expect("}")
                break
            }
        }
        skipSpace()
        guard position == text.count else { throw wrong("something follows the dictionary") }
        return members
    }

    private mutating func value() throws -> Value {
        skipSpace()
        switch text.dropFirst(position).first.map({ Character(UnicodeScalar($0)) }) {
        case "'", "\"": return .text(try string())
        case "(": return .integers(try tuple())
        case "[":
            // A list of fields: it may be anything up to its bracket, since such arrays are refused.
            position = text.lastIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? text.count
            return .other
        default:
            for (word, truth) in [("True", true), ("False", false)] where text[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return .truth(truth)
            }
            throw wrong("a value was expected")
        }
    }

    private mutating func tuple() throws -> [Int] {
        try expect("(")
        var numbers: [Int] = []
        while !skip(")") {
            skipSpace()
            let digits = text[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard let number = Int(String(decoding: digits, as: UTF8.self)) else { throw wrong("a whole number was expected") }
            numbers.append(number)
            position += digits.count
            // Python 2 wrote long numbers so.
            _ = skip("L")
            if !skip(",") {
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func string() throws -> String {
        skipSpace()
        guard let quote = text.dropFirst(position).first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\""),
            let end = text[(position + 1)...].firstIndex(of: quote)
        else { throw wrong("a text in quotes was expected") }
        defer { position = end + 1 }
        return String(decoding: text[(position + 1)..<end], as: UTF8.self)
    }

    private mutating func skip(_ mark: Character) -> Bool {
        skipSpace()
        guard position < text.count, text[position] == mark.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ mark: Character) throws {
        guard skip(mark) else { throw wrong("'\(mark)' was expected") }
    }

    private mutating func skipSpace() {
        while position < text.count, [0x20, 0x0A, 0x0D, 0x09].contains(text[position]) { position += 1 }
    }

    private func wrong(_ detail: String) -> FormatFailure {
        .invalidHeader(source: source, detail: "\(detail) at byte \(position) of the dictionary")
    }
}
