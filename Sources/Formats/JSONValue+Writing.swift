extension JSONValue {
    /// The value as text that parses to the same value: members in order, doubles in the fewest digits that read back
    /// exactly.
    /// - Parameters:
    ///   - pretty: on several lines, indented by two spaces; arrays without objects or arrays stay on one.
    ///   - allowsNonFinite: whether numbers that are not finite are written as `NaN`, `Infinity` and `-Infinity`, which
    ///     `parse` reads with the same parameter, and so does Python.
    /// - Throws: `FormatFailure.notRepresentable` for a number that is not finite unless allowed, naming its place, and
    ///   for nesting beyond `depthLimit`.
    /// - Complexity: O(size of the text).
    public func serialized(pretty: Bool = false, allowsNonFinite: Bool = false) throws -> String {
        var writer = JSONWriter(isPretty: pretty, allowsNonFinite: allowsNonFinite)
        try writer.write(self)
        return writer.text
    }
}

private struct JSONWriter {
    let isPretty: Bool
    let allowsNonFinite: Bool
    var text = ""
    /// Names and positions that lead to the value being written.
    var path: [String] = []

    mutating func write(_ value: JSONValue) throws {
        switch value {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value):
            guard value.isFinite || allowsNonFinite else { throw failure("\(value) is no JSON number") }
            text += value.isFinite ? value.description : value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity"
        case .string(let value): write(quoted: value)
        case .array(let elements): try write(array: elements)
        case .object(let object):
            try writeList("{", "}", object.members, onLines: isPretty, place: { "." + $1.key }) { writer, member in
                writer.write(quoted: member.key)
                writer.text += writer.isPretty ? ": " : ":"
                try writer.write(member.value)
            }
        }
    }

    private func failure(_ reason: String) -> FormatFailure {
        // A path of hundreds of steps would hide the reason.
        let place = path.prefix(8).joined() + (path.count > 8 ? "…" : "")
        return .notRepresentable(format: "JSON", detail: place.isEmpty ? reason : "\(reason) (at \(place))")
    }

    private mutating func write(array elements: [JSONValue]) throws {
        let isNested = elements.contains {
            switch $0 {
            case .array, .object: true
            default: false
            }
        }
        try writeList("[", "]", elements, onLines: isPretty && isNested, place: { index, _ in "[\(index)]" }) {
            try $0.write($1)
        }
    }

    private mutating func writeList<Item>(
        _ open: String, _ close: String, _ items: [Item], onLines: Bool, place: (Int, Item) -> String,
        _ body: (inout JSONWriter, Item) throws -> Void
    ) throws {
        guard path.count < JSONValue.depthLimit else { throw failure("nested deeper than \(JSONValue.depthLimit)") }
        text += open
        for (index, item) in items.enumerated() {
            if index > 0 { text += isPretty && !onLines ? ", " : "," }
            path.append(place(index, item))
            if onLines { newLine() }
            try body(&self, item)
            path.removeLast()
        }
        if onLines, !items.isEmpty { newLine() }
        text += close
    }

    private mutating func newLine() { text += "\n" + String(repeating: "  ", count: path.count) }

    private mutating func write(quoted string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<" ": text += (scalar.value < 16 ? "\\u000" : "\\u00") + String(scalar.value, radix: 16)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
