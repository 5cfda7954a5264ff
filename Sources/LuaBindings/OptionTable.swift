import LuaRuntime

/// The options of the toolkit's functions, read once from the description of the API (`Meta/options.lua` and its kind): the
/// one place that says their names, types and defaults.
enum OptionTable {
    /// The options of a function, such as `mr.plan` or `Model:fit`, or of a class, such as `Budget`, in the order in which
    /// they are described; `nil` where nothing of that name has any.
    static func options(of name: String) -> [LuaOption]? { parsed.functions[name].flatMap { parsed.classes[$0] } ?? parsed.classes[name] }

    private static let parsed = (
        functions: takers(StandardLibrary.meta.map(\.source)), classes: classes(StandardLibrary.optionFiles.map(\.source))
    )

    /// Which class of options each function takes.
    private static func takers(_ sources: [String]) -> [String: String] {
        var (functions, taken): ([String: String], Substring?) = ([:], nil)
        for line in sources.lazy.flatMap({ $0.split(separator: "\n") }) {
            if let parameter = line.rest(behind: "---@param options") ?? line.rest(behind: "---@param entries") {
                taken = parameter.split(separator: " ").last
            } else if let function = line.rest(behind: "function ") {
                if let taken { functions[String(function.prefix { $0 != "(" })] = String(taken) }
                taken = nil
            }
        }
        return functions
    }

    /// The options of each class, those of the classes behind its colon after its own.
    private static func classes(_ sources: [String]) -> [String: [LuaOption]] {
        var own: [String: (parents: [Substring], options: [LuaOption])] = [:]
        var current = ""
        for line in sources.lazy.flatMap({ $0.split(separator: "\n") }) {
            if let heading = line.rest(behind: "---@class ") {
                let parts = heading.split(separator: ":", maxSplits: 1)
                let parents = parts.count > 1 ? parts[1].split(whereSeparator: { $0 == "," || $0 == " " }) : []
                current = String(parts[0])
                own[String(parts[0])] = (parents, [])
            } else if let field = line.rest(behind: "---@field ") {
                own[current]?.options.append(option(field))
            }
        }
        func all(_ name: String) -> [LuaOption] {
            guard let (parents, options) = own[name] else { return [] }
            return parents.reduce(into: options) { found, parent in
                found += all(String(parent)).filter { inherited in !found.contains { $0.name == inherited.name } }
            }
        }
        return Dictionary(uniqueKeysWithValues: own.keys.map { ($0, all($0)) })
    }

    /// `name? type = default: text`, of which the default and its text may be missing.
    private static func option(_ field: Substring) -> LuaOption {
        let name = field.prefix { $0 != " " }
        let (kind, rest) = token(field.dropFirst(name.count + 1))
        var (fallback, text): (LuaOption.Default?, Substring) = (nil, rest)
        if let described = rest.rest(behind: "= ") {
            let (literal, behind) = token(described)
            fallback = value(literal.hasSuffix(":") ? literal.dropLast() : literal)
            text = behind
        }
        let isOptional = name.hasSuffix("?")
        return LuaOption(
            name: String(isOptional ? name.dropLast() : name), kind: String(kind), isRequired: !isOptional, fallback: fallback,
            text: String(text))
    }

    /// What stands before the first space outside of brackets and quotes, and what stands behind it.
    private static func token(_ text: Substring) -> (Substring, rest: Substring) {
        var (depth, isQuoted) = (0, false)
        for index in text.indices {
            switch text[index] {
            case "\"": isQuoted.toggle()
            case "<", "{": depth += 1
            case ">", "}": depth -= 1
            case " " where depth == 0 && !isQuoted: return (text[..<index], text[text.index(after: index)...])
            default: break
            }
        }
        return (text, "")
    }

    private static func value(_ literal: Substring) -> LuaOption.Default? {
        if literal == "true" || literal == "false" { return .boolean(literal == "true") }
        if literal.hasPrefix("\"") { return .string(String(literal.dropFirst().dropLast())) }
        if literal.hasPrefix("{") {
            return .numbers(literal.dropFirst().dropLast().split(whereSeparator: { $0 == "," || $0 == " " }).compactMap { Double($0) })
        }
        return Int(literal).map(LuaOption.Default.integer) ?? Double(literal).map(LuaOption.Default.number)
    }
}

extension LuaCall {
    /// The table of options at `position`, of the names and with the defaults that the description has for this function.
    func options(_ position: Int, allowsPositional: Bool = false) throws -> OptionReader {
        try options(position, described: OptionTable.options(of: functionName) ?? [], allowsPositional: allowsPositional)
    }
}

extension OptionTable {
    /// `core.options(name)`: the options of a function or class as rows, for checks and help in Lua; `nil` without any.
    static func add(to table: LuaTable, in state: LuaState) throws {
        try table.define("options", in: state) { call in
            guard let options = options(of: try call.string(1, "name")) else { return try call.push(LuaValue.nil) }
            let rows = try call.state.table()
            for option in options {
                var fields: LuaFields = ["name": option.name, "kind": option.kind, "required": option.isRequired, "text": option.text]
                if let fallback = option.fallback { fields.append("default", try fallback.value(in: call.state)) }
                try rows.append(fields)
            }
            try call.push(rows)
        }
    }
}

extension Substring {
    /// What stands behind `start`, where the text begins with it.
    fileprivate func rest(behind start: String) -> Substring? { hasPrefix(start) ? dropFirst(start.count) : nil }
}
