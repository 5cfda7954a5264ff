package import LuaRuntime

/// What can be said of a value without knowing its documentation: its type, and what can follow it.
package struct ValueDescription {
    private let state: LuaState

    package init(_ state: LuaState) { self.state = state }

    /// The answer to `?expression` where nobody documented it; `nil` where it has no value.
    package func text(of expression: String) -> String? {
        guard let chunk = try? state.load("return " + expression, name: InputChunk.name),
            let value = try? chunk().first, !value.isNil
        else { return nil }
        let members = (try? state.members(of: value)) ?? []
        var lines = ["\(expression): \(kind(of: value))"]
        for (title, kinds) in [
            ("methods", [LuaMember.Kind.method]), ("functions", [.function]), ("properties", [.property]),
            ("fields", [.value, .table]),
        ] {
            let names = members.filter { kinds.contains($0.kind) && ValuePrinter.isName($0.name) }.map(\.name)
            if !names.isEmpty { lines.append("  \(title): " + Self.wrapped(names, indent: title.count + 4)) }
        }
        return lines.joined(separator: "\n")
    }

    private func kind(of value: LuaValue) -> String {
        switch value {
        case .nil: "nil"
        case .boolean: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .table(let table): className(of: table) + ((try? table.leadingCount()).flatMap { $0 > 0 ? " of \($0)" : nil } ?? "")
        case .function: "a function"
        case .object(let object): object.typeName
        }
    }

    /// The name that a table's metatable gives it, as `Rows`.
    private func className(of table: LuaTable) -> String {
        (try? table.metatable()?.rawGet("__name").string) ?? "a table"
    }

    private static func wrapped(_ names: [String], indent: Int) -> String {
        var lines = [""]
        for (position, name) in names.enumerated() {
            // With the space before and the comma behind.
            if indent + lines.last!.count + name.count + 2 > 80, position > 0 { lines.append("") }
            let isFirst = lines.last!.isEmpty
            lines[lines.count - 1] += (isFirst ? "" : " ") + name + (position < names.count - 1 ? "," : "")
        }
        return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
}
