import Basics
package import LuaRuntime

/// Finds what can follow the text before the cursor.
package struct Completer {
    package struct Result: Equatable {
        /// What all candidates continue the typed word with.
        package var insertion: String
        /// The candidates, whole; empty where nothing fits.
        package var candidates: [String]

        package init(insertion: String = "", candidates: [String] = []) {
            (self.insertion, self.candidates) = (insertion, candidates)
        }
    }

    private let state: LuaState
    private let optionKeys: (String, String?) -> [String]
    /// `function(value, key) return value[key] end`: properties of objects are only found by asking for them.
    private let index: LuaFunction?

    /// - Parameter optionKeys: the keys of the options table of a function with that name, or of a table in it.
    package init(_ state: LuaState, optionKeys: @escaping (String, String?) -> [String]) {
        self.state = state
        self.optionKeys = optionKeys
        index = try? state.load("local value, key = ... return value[key]", name: "completion")
    }

    package func complete(_ line: String) -> Result {
        if line.hasPrefix(":"), !line.hasPrefix("::") { return completeCommand(line.dropFirst()) }
        let context = InputContext(line)
        let names: [String]
        switch context.place {
        case .path: return Self.completePath(context.word)
        case .key(let steps): names = keys(steps)
        case .member(let steps, let isMethod): names = members(steps, isMethod: isMethod)
        case .unknown: return Result()
        case .name:
            let keys = context.optionsOf.map { optionKeys($0.function, $0.inner) } ?? []
            names = keys.isEmpty ? globalNames + LuaWords.keywords.filter { $0.count > 3 } : keys.map { $0 + " = " }
        }
        return Self.result(context.word, names)
    }

    /// `:na`, and what follows `:save` and `:time`.
    private func completeCommand(_ text: Substring) -> Result {
        guard let space = text.firstIndex(of: " ") else { return Self.result(String(text), ColonCommand.names) }
        let rest = String(text[space...].drop { $0 == " " })
        switch ColonCommand(parsing: String(text[..<space])) {
        case .save: return Self.completePath(rest)
        case .time: return complete(rest)
        default: return Result()
        }
    }

    private var globalNames: [String] {
        ((try? state.globals.fields()) ?? []).map(\.name).filter(ValuePrinter.isName)
    }

    private func members(_ steps: [InputContext.Step], isMethod: Bool) -> [String] {
        guard let value = try? value(steps), let members = try? state.members(of: value) else { return [] }
        return members.filter { member in
            guard ValuePrinter.isName(member.name) else { return false }
            return !isMethod || member.kind == .method || member.kind == .function
        }.map(\.name)
    }

    /// The texts that a table can be indexed with: its keys, and the names of its rows.
    private func keys(_ steps: [InputContext.Step]) -> [String] {
        guard let table = try? value(steps).table else { return [] }
        let rows = ((try? table.array()) ?? []).compactMap { try? $0.table?.rawGet("name").string }
        return ((try? table.fields()) ?? []).map(\.name) + rows
    }

    private func value(_ steps: [InputContext.Step]) throws -> LuaValue {
        var value = LuaValue.table(try state.globals)
        for step in steps {
            let key: LuaValue =
                switch step {
                case .field(let name): .string(name)
                case .index(let index): .integer(index)
                }
            value = try index?(value, key).first ?? .nil
        }
        return value
    }

    private static func completePath(_ typed: String) -> Result {
        let (directory, name) = DirectoryListing.split(typed)
        let names = DirectoryListing.entries(of: directory)
            .filter { !$0.name.hasPrefix(".") || name.hasPrefix(".") }
            .map { $0.isDirectory ? $0.name + "/" : $0.name }
        return result(name, names)
    }

    private static func result(_ word: String, _ names: [String]) -> Result {
        let candidates = Set(names).filter { $0.hasPrefix(word) }.sorted()
        guard let first = candidates.first, let last = candidates.last else { return Result() }
        // Sorted, so what the first and the last share is shared by all.
        var shared = String(zip(first, last).prefix { $0 == $1 }.map(\.0))
        shared.removeFirst(word.count)
        return Result(insertion: shared, candidates: candidates)
    }
}
