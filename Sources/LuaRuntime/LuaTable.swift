import CLua
import CLuaBridge

/// A live Lua table.
///
/// `get` and `set` honour metamethods and may therefore run Lua code; the `raw` ones do not.
public struct LuaTable {
    let reference: LuaReference

    /// The value of `key`, honouring `__index`.
    public func get(_ key: some LuaConvertible) throws -> LuaValue {
        try with { state in
            try key.push(to: state)
            try state.check(moon_get(state.current))
            return try state.popValue()
        }
    }

    /// Sets `key`, honouring `__newindex`; `LuaValue.nil` removes it.
    public func set(_ key: some LuaConvertible, _ value: some LuaConvertible) throws {
        try with { state in
            try key.push(to: state)
            try value.push(to: state)
            try state.check(moon_set(state.current, false))
        }
    }

    /// Sets several fields in order.
    public func set(_ fields: LuaFields) throws {
        for field in fields.fields {
            try with { state in
                try field.name.push(to: state)
                try field.value.push(to: state)
                try state.check(moon_set(state.current, false))
            }
        }
    }

    /// The value of `key` without metamethods.
    public func rawGet(_ key: some LuaConvertible) throws -> LuaValue {
        try with { state in
            try key.push(to: state)
            lua_rawget(state.current, -2)
            defer { state.pop() }
            return try state.popValue()
        }
    }

    /// Sets `key` without metamethods.
    public func rawSet(_ key: some LuaConvertible, _ value: some LuaConvertible) throws {
        try with { state in
            try state.assign(key, value)
            state.pop()
        }
    }

    /// The border of the array part, as `#` gives it without metamethods.
    /// - Complexity: O(log n).
    public func rawLength() throws -> Int {
        try with { state in
            defer { state.pop() }
            return Int(lua_rawlen(state.current, -1))
        }
    }

    /// The length, honouring `__len`.
    public func length() throws -> Int {
        try with { state in
            try state.check(moon_length(state.current))
            return try state.popValue().integer ?? 0
        }
    }

    /// Appends after the array part, without metamethods.
    public func append(_ value: some LuaConvertible) throws { try rawSet(try rawLength() + 1, value) }

    /// Calls `body` with every key and value, in no particular order, without metamethods.
    ///
    /// Fields may be changed or cleared meanwhile, but not added.
    public func forEach(_ body: (LuaValue, LuaValue) throws -> Void) throws {
        var key = LuaValue.nil
        while true {
            let pair = try with { state in
                try key.push(to: state)
                try state.check(moon_next(state.current))
                let value = try state.popValue()
                return (try state.popValue(), value)
            }
            if pair.0.isNil { return }
            key = pair.0
            try body(pair.0, pair.1)
        }
    }

    /// The elements 1…rawLength.
    public func array() throws -> [LuaValue] {
        let count = try rawLength()
        guard count > 0 else { return [] }
        return try (1...count).map { try rawGet($0) }
    }

    /// The fields with text keys, sorted by key.
    public func fields() throws -> [(name: String, value: LuaValue)] {
        var found: [(name: String, value: LuaValue)] = []
        try forEach { key, value in if let name = key.string { found.append((name, value)) } }
        return found.sorted { $0.name < $1.name }
    }

    public func metatable() throws -> LuaTable? {
        try with { state in
            defer { state.pop() }
            guard lua_getmetatable(state.current, -1) != 0 else { return nil }
            return try state.popValue().table
        }
    }

    public func setMetatable(_ metatable: LuaTable?) throws {
        try with { state in
            if let metatable { try metatable.push(to: state) } else { try state.pushNil() }
            lua_setmetatable(state.current, -2)
            state.pop()
        }
    }

    /// Runs `body` with the table on top of the stack; `body` takes it off.
    private func with<Result>(_ body: (LuaState) throws -> Result) throws -> Result {
        let state = try reference.state()
        return try state.balanced {
            try state.reserve(4)
            try reference.push(on: state)
            return try body(state)
        }
    }
}
