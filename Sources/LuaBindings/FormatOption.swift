import Compression
import LuaRuntime

/// The option `formats`: which families of factorisations layers may become.
enum FormatOption {
    /// A name, an array of names, or a table of either by names and patterns of layers; names in the table's array part, or `auto`,
    /// hold for the layers that no pattern meets.
    static func read(_ options: OptionReader) throws -> FormatChoice {
        let value = try value(of: options)
        guard let choice = try read(value, place: "option 'formats'") else {
            throw options.invalid("formats", "must be a name, an array of names, or a table of them by names and patterns of layers")
        }
        return choice
    }

    /// What was given: scripts for 0.2.0 say `grouping`.
    static func value(of options: OptionReader) throws -> LuaValue {
        guard try options.has("grouping") else { return try options.value("formats") }
        if try options.has("formats") { throw options.invalid("grouping", "is what formats was called until 0.2.0: give formats alone") }
        return .string(try options.string("grouping"))
    }

    /// `nil` for what is no choice of formats.
    static func read(_ value: LuaValue, place: String) throws -> FormatChoice? {
        if let name = value.string { return FormatChoice([name]) }
        guard let table = value.table else { return nil }
        let named = try LuaJSON.rows(of: table, place: place).map(\.string)
        guard named.allSatisfy({ $0 != nil }) else { return nil }
        var rules: [(pattern: String, formats: [String])] = []
        // The longest pattern last, because the last that matches counts.
        // In a file the array part of a table that has names too is called rows.
        let isOfFile = try table.array(place).isEmpty
        let fields = try table.fields().map { ($0.name, $0.value) }.filter { !isOfFile || $0.0 != "rows" }
        for (pattern, own) in fields.sorted(by: { ($0.0.count, $0.0) < ($1.0.count, $1.0) }) {
            let names = try own.string.map { [$0] } ?? own.table?.array("\(place).\(pattern)").compactMap(\.string) ?? []
            guard !names.isEmpty else { return nil }
            rules.append((pattern, names))
        }
        let common = named.compactMap { $0 }
        return FormatChoice(common.isEmpty ? ["auto"] : common, rules: rules)
    }
}
