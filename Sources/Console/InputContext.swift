/// What is being typed at the end of a line: the word to complete, and what it belongs to.
package struct InputContext: Equatable {
    package enum Place: Equatable {
        /// A global name or keyword.
        case name
        /// After `.` or `:`; the value is reached by `steps` from the globals.
        case member(of: [Step], isMethod: Bool)
        /// A file path inside a string.
        case path
        /// A key inside a string between brackets: `layers["sta`.
        case key(of: [Step])
        /// After something that would have to be run first, such as a call.
        case unknown
    }

    /// One step from a value to the next: a key that is a text or an integer.
    package enum Step: Equatable {
        case field(String)
        case index(Int)
    }

    /// The table of options of a function, or the table that is its option `inner`.
    package struct Options: Equatable {
        package let function: String
        package let inner: String?

        package init(_ function: String, _ inner: String? = nil) { (self.function, self.inner) = (function, inner) }
    }

    package let place: Place
    /// What was typed of the word.
    package let word: String
    /// The table of options this word may be a key of: `mr.plan(model, { bud` gives that of `mr.plan`.
    package let optionsOf: Options?

    package init(_ line: String) {
        let bytes = Array(line.utf8)
        var scan = Scan(bytes)
        scan.run()
        if let start = scan.openString {
            (word, optionsOf) = (String(decoding: bytes[start...], as: UTF8.self), nil)
            let isKey = start >= 2 && bytes[start - 2] == UInt8(ascii: "[")
            place = isKey ? Self.steps(endingAt: start - 2, in: bytes).map { Place.key(of: $0) } ?? .unknown : .path
            return
        }
        var start = bytes.count
        while start > 0, LuaWords.isNameByte(bytes[start - 1]) { start -= 1 }
        word = String(decoding: bytes[start...], as: UTF8.self)
        if start > 0, bytes[start - 1] == UInt8(ascii: ".") || bytes[start - 1] == UInt8(ascii: ":") {
            let isMethod = bytes[start - 1] == UInt8(ascii: ":")
            place = Self.steps(endingAt: start - 1, in: bytes).map { .member(of: $0, isMethod: isMethod) } ?? .unknown
            optionsOf = nil
        } else {
            place = .name
            optionsOf = Self.options(in: bytes, wordStart: start, openBrackets: scan.openBrackets)
        }
    }

    /// The steps of `a.b["c"][1]` that end before `end`; `nil` for what would need evaluating, such as a call.
    private static func steps(endingAt end: Int, in bytes: [UInt8]) -> [Step]? {
        var steps: [Step] = []
        var end = end
        while end > 0 {
            if bytes[end - 1] == UInt8(ascii: "]") {
                guard let open = bytes[..<end].lastIndex(of: UInt8(ascii: "[")),
                    let step = key(String(decoding: bytes[(open + 1)..<(end - 1)], as: UTF8.self))
                else { return nil }
                steps.insert(step, at: 0)
                end = open
                continue
            }
            var start = end
            while start > 0, LuaWords.isNameByte(bytes[start - 1]) { start -= 1 }
            guard start < end else { return nil }
            steps.insert(.field(String(decoding: bytes[start..<end], as: UTF8.self)), at: 0)
            guard start > 0, bytes[start - 1] == UInt8(ascii: ".") else { return steps }
            end = start - 1
        }
        return nil
    }

    private static func key(_ text: String) -> Step? {
        if let index = Int(text) { return .index(index) }
        guard text.utf8.count >= 2, let quote = text.utf8.first, quote == text.utf8.last,
            quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
        else { return nil }
        return .field(String(text.dropFirst().dropLast()))
    }

    /// The table whose entry the word begins, where that is a table of options.
    private static func options(in bytes: [UInt8], wordStart: Int, openBrackets: [Int]) -> Options? {
        let before = skippingSpace(wordStart, in: bytes)
        guard let brace = openBrackets.last, bytes[brace] == UInt8(ascii: "{"), before > 0,
            bytes[before - 1] == UInt8(ascii: "{") || bytes[before - 1] == UInt8(ascii: ",")
        else { return nil }
        let outside = Array(openBrackets.dropLast())
        if let function = Self.function(takingTableAt: brace, in: bytes, outside) { return Options(function) }
        // `budget = {` in the options of a function.
        let equals = skippingSpace(brace, in: bytes)
        guard equals > 0, bytes[equals - 1] == UInt8(ascii: "=") else { return nil }
        let end = skippingSpace(equals - 1, in: bytes)
        var start = end
        while start > 0, LuaWords.isNameByte(bytes[start - 1]) { start -= 1 }
        guard start < end, let outer = options(in: bytes, wordStart: start, openBrackets: outside), outer.inner == nil
        else { return nil }
        return Options(outer.function, String(decoding: bytes[start..<end], as: UTF8.self))
    }

    /// The function that the table beginning at `brace` is an argument of.
    private static func function(takingTableAt brace: Int, in bytes: [UInt8], _ outside: [Int]) -> String? {
        var end = skippingSpace(brace, in: bytes)
        if let call = outside.last, bytes[call] == UInt8(ascii: "("),
            end > 0, bytes[end - 1] == UInt8(ascii: "(") || bytes[end - 1] == UInt8(ascii: ",")
        {
            end = skippingSpace(call, in: bytes)
        }
        var start = end
        while start > 0,
            LuaWords.isNameByte(bytes[start - 1]) || bytes[start - 1] == UInt8(ascii: ".")
                || bytes[start - 1] == UInt8(ascii: ":")
        { start -= 1 }
        return start < end ? String(decoding: bytes[start..<end], as: UTF8.self) : nil
    }

    private static func skippingSpace(_ end: Int, in bytes: [UInt8]) -> Int {
        var end = end
        while end > 0, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
        return end
    }
}

/// Finds brackets and a string that the end of a line leaves open.
private struct Scan {
    let bytes: [UInt8]
    /// Where the text of an open string begins.
    var openString: Int?
    var openBrackets: [Int] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() {
        var quote: UInt8?
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if let open = quote {
                if byte == UInt8(ascii: "\\") { position += 1 } else if byte == open { (quote, openString) = (nil, nil) }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                (quote, openString) = (byte, position + 1)
            } else if "([{".utf8.contains(byte) {
                openBrackets.append(position)
            } else if ")]}".utf8.contains(byte), !openBrackets.isEmpty {
                openBrackets.removeLast()
            }
            position += 1
        }
    }
}
