import Basics
public import LuaRuntime

/// Lua values as a prompt shows them: text quoted, tables as constructors, `__tostring` respected.
public struct ValuePrinter {
    private let state: LuaState
    /// Gives a text that is the same for the same table only.
    private let identify: LuaFunction
    public var deepestTable = 3
    public var longestTable = 40
    public var lineWidth = 100

    public init(_ state: LuaState) throws {
        self.state = state
        let functions = try state.run("local format = string.format; return function(t) return format('%p', t) end")
        guard let identify = functions.first?.function else { throw ScriptFailure(code: "console.noFormat", "no string.format") }
        self.identify = identify
    }

    /// The results of one expression: side by side where each fits a line, else below each other.
    public func text(of values: [LuaValue]) throws -> String {
        let texts = try values.map { try text(of: $0) }
        return texts.joined(separator: texts.contains { $0.contains("\n") } ? "\n" : "\t")
    }

    public func text(of value: LuaValue) throws -> String { try text(of: value, path: []) }

    /// - Parameter path: the tables that this value is inside of, outermost first.
    private func text(of value: LuaValue, path: [String]) throws -> String {
        switch value {
        case .string(let text): return Self.quoted(text)
        case .table(let table): return try self.text(of: table, path: path)
        // Its address tells nothing, and there are many in a module.
        case .function where !path.isEmpty: return "function"
        default: return try state.text(of: value)
        }
    }

    private func text(of table: LuaTable, path: [String]) throws -> String {
        if let metatable = try table.metatable(), try !metatable.rawGet("__tostring").isNil {
            let text = try state.text(of: table)
            // A printed report inside a table would tear its lines apart.
            return path.isEmpty || !text.contains("\n") ? text : "‹\(text.prefix { $0 != "\n" }) …›"
        }
        let identity = try identify(table).first?.string ?? ""
        if path.contains(identity) { return "{ ‹cycle› }" }
        if path.count >= deepestTable { return "{ … }" }
        let items = try self.items(of: table, path: path + [identity])
        return Self.constructor(items, depth: path.count, lineWidth: lineWidth)
    }

    /// The entries: the elements before the first nil in order, then named fields sorted, then the others.
    private func items(of table: LuaTable, path: [String]) throws -> [String] {
        let length = try table.leadingCount()
        var items: [String] = []
        for index in 0..<min(length, longestTable) {
            items.append(try text(of: table.rawGet(index + 1), path: path))
        }
        if length > longestTable { items.append("… \(DecimalText.grouped(length - longestTable)) more") }
        var named: [(key: String, value: LuaValue)] = []
        var others: [(key: String, value: LuaValue)] = []
        var surplus = 0
        try table.forEach { key, value in
            if case .integer(let index) = key, index >= 1, index <= length { return }
            if named.count + others.count >= longestTable { return surplus += 1 }
            if let name = key.string {
                named.append((Self.isName(name) ? name : "[\(Self.quoted(name))]", value))
            } else {
                others.append(("[\(try text(of: key, path: path))]", value))
            }
        }
        for entry in named.sorted(by: { $0.key < $1.key }) + others.sorted(by: { $0.key < $1.key }) {
            items.append("\(entry.key) = \(try text(of: entry.value, path: path))")
        }
        if surplus > 0 { items.append("… \(DecimalText.grouped(surplus)) more") }
        return items
    }

    /// On one line where that fits, else an entry a line.
    private static func constructor(_ items: [String], depth: Int, lineWidth: Int) -> String {
        if items.isEmpty { return "{}" }
        let line = "{ " + items.joined(separator: ", ") + " }"
        if line.count + 2 * depth <= lineWidth, !line.contains("\n") { return line }
        let body = items.map { "  " + $0.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  ") }
        return "{\n" + body.joined(separator: ",\n") + "\n}"
    }

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first), !LuaWords.keywords.contains(text) else { return false }
        return text.utf8.allSatisfy(LuaWords.isNameByte)
    }

    /// A text as a Lua literal.
    static func quoted(_ text: String) -> String {
        var literal = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": literal += "\\\""
            case "\\": literal += "\\\\"
            case "\n": literal += "\\n"
            case "\t": literal += "\\t"
            case "\r": literal += "\\r"
            case "\u{0}"..<" ", "\u{7F}":
                let digits = String(scalar.value)
                literal += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            default: literal.unicodeScalars.append(scalar)
            }
        }
        return literal + "\""
    }
}
