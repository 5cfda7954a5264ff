import CLua
import CLuaBridge

/// A name that can follow a value in a script.
public struct LuaMember: Hashable, Sendable {
    public enum Kind: String, Sendable { case method, property, function, table, value }
    public let name: String
    public let kind: Kind

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

extension LuaState {
    /// What can follow a value, sorted by name: a class's methods and properties, a table's fields and those that it
    /// inherits through tables in `__index`, or, where that is a function, in `__members`; a string's methods. For
    /// completion; runs no Lua code.
    public func members(of value: LuaValue) throws -> [LuaMember] {
        switch value {
        case .object(let object): return try record(of: object).map(members) ?? []
        case .table(let table): return try fields(of: table)
        case .string:
            guard case .table(let library) = try globals.rawGet("string") else { return [] }
            return try fields(of: library).map { LuaMember(name: $0.name, kind: .method) }
        default: return []
        }
    }

    /// A class's own members and those that were added in Lua.
    func members(of record: ClassRecord) throws -> [LuaMember] {
        let known = Set(record.members.map(\.name))
        func added(_ table: LuaTable, _ kind: LuaMember.Kind) throws -> [LuaMember] {
            try table.fields().filter { !known.contains($0.name) }.map { LuaMember(name: $0.name, kind: kind) }
        }
        return (record.members + (try added(record.methods, .method)) + (try added(record.getters, .property)))
            .sorted { $0.name < $1.name }
    }

    private func record(of object: LuaObject) throws -> ClassRecord? {
        try object.reference.push(on: self)
        defer { pop() }
        return record(at: -1)
    }

    private func fields(of table: LuaTable) throws -> [LuaMember] {
        var found: [String: LuaMember.Kind] = [:]
        var next: LuaTable? = table
        for depth in 0..<16 {
            guard let table = next else { break }
            for (name, value) in try table.fields() where found[name] == nil {
                found[name] = kind(of: value, inherited: depth > 0)
            }
            let metatable = try table.metatable()
            next = try metatable?.rawGet("__index").table ?? metatable?.rawGet("__members").table
        }
        return found.map { LuaMember(name: $0.key, kind: $0.value) }.sorted { $0.name < $1.name }
    }

    private func kind(of value: LuaValue, inherited: Bool) -> LuaMember.Kind {
        switch value {
        case .function: inherited ? .method : .function
        case .table: .table
        default: .value
        }
    }
}
