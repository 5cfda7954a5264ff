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

    /// The number of elements of an array: they stand at 1…n, and no other key is an integer. Names do not count.
    ///
    /// It is found by looking at the entries, without metamethods, and not from a border as `#` gives it, which can be
    /// any number.
    /// - Parameter place: who passed the table, with which a message begins.
    /// - Throws: `ArgumentFailure` for a table with another integer key, such as one with a gap.
    /// - Complexity: O(entries).
    public func count(_ place: @autoclosure () -> String = "a table") throws -> Int {
        try with { state in
            defer { state.pop() }
            return try state.arrayCount(at: -1, place: place())
        }
    }

    /// How many elements stand at 1, 2, … before the first nil, whatever other keys there are. For showing tables.
    /// - Complexity: O(count).
    public func leadingCount() throws -> Int {
        try with { state in
            defer { state.pop() }
            return Int(moon_leading_count(state.current, -1))
        }
    }

    /// The length, honouring `__len`.
    public func length() throws -> Int {
        try with { state in
            try state.check(moon_length(state.current))
            return try state.popValue().integer ?? 0
        }
    }

    /// Appends after a border of the table, as `t[#t + 1] = value` does, without metamethods.
    /// - Complexity: O(log n).
    public func append(_ value: some LuaConvertible) throws {
        let border = try with { state in
            defer { state.pop() }
            return Int(lua_rawlen(state.current, -1))
        }
        guard border < Int.max else { throw ArgumentFailure.notArray(place: "a table", key: border, missing: nil) }
        try rawSet(border + 1, value)
    }

    /// Calls `body` with every key and value, in no particular order, without metamethods.
    ///
    /// Fields may be changed or cleared meanwhile, but not added. The key itself stays with Lua, which wants that very
    /// value to find the next one.
    public func forEach(_ body: (LuaValue, LuaValue) throws -> Void) throws {
        try with { state in
            try state.pushNil()
            while true {
                try state.reserve(4)
                lua_pushvalue(state.current, -2)
                lua_rotate(state.current, -2, 1)
                try state.check(moon_next(state.current))  // table, key, value
                let taken = state.takenByteCount
                let value = try state.popValue()
                if lua_type(state.current, -1) == LUA_TNIL { break }
                let key = try state.value(at: -1)
                state.takenByteCount = taken  // what `body` keeps, it counts itself
                try body(key, value)
            }
            state.pop(2)
        }
    }

    /// Every key and value, in no particular order, without metamethods.
    /// - Complexity: O(entries), in time and memory.
    public func entries() throws -> [(key: LuaValue, value: LuaValue)] {
        var found: [(key: LuaValue, value: LuaValue)] = []
        let state = try reference.state()
        try forEach { key, value in
            try state.take(key.byteCount + value.byteCount)
            found.append((key, value))
        }
        return found
    }

    /// The elements of an array, by the rule of `count`, without metamethods.
    /// - Complexity: O(entries), in time and memory.
    public func array(_ place: @autoclosure () -> String = "a table") throws -> [LuaValue] {
        try with { state in
            let count = try state.arrayCount(at: -1, place: place())
            try state.take(count * LuaValue.cost)
            let elements = try (0..<count).map { offset in
                lua_rawgeti(state.current, -1, lua_Integer(offset + 1))
                return try state.popValue()
            }
            state.pop()
            return elements
        }
    }

    /// Reads an array of as many numbers as `elements` has places, without metamethods.
    /// - Returns: Whether the table is one.
    /// - Complexity: O(entries).
    package func read(into elements: UnsafeMutableBufferPointer<Double>) throws -> Bool {
        try with { state in
            defer { state.pop() }
            guard try state.arrayCount(at: -1, place: "a table") == elements.count else { return false }
            return state.readNumbers(at: -1, into: elements) == elements.count
        }
    }

    /// As above, for integers and numbers without a fraction.
    package func read(into elements: UnsafeMutableBufferPointer<Int64>) throws -> Bool {
        try with { state in
            defer { state.pop() }
            guard try state.arrayCount(at: -1, place: "a table") == elements.count else { return false }
            return state.readIntegers(at: -1, into: elements) == elements.count
        }
    }

    /// The fields with text keys, sorted by key.
    public func fields() throws -> [(name: String, value: LuaValue)] {
        var found: [(name: String, value: LuaValue)] = []
        let state = try reference.state()
        try forEach { key, value in
            guard let name = key.string else { return }
            try state.take(key.byteCount + value.byteCount)
            found.append((name, value))
        }
        return found.sorted { $0.name < $1.name }
    }

    /// What tells a table from every other one that is alive.
    public struct Identity: Hashable { fileprivate let address: UInt }

    /// - Complexity: O(1).
    public func identity() throws -> Identity {
        try with { state in
            defer { state.pop() }
            return Identity(address: UInt(bitPattern: lua_topointer(state.current, -1)))
        }
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
