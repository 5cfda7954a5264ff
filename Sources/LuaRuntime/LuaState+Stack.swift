import Basics
import CLua
import CLuaBridge

/// The stack, as the rest of the module sees it. Every function leaves it as it was when it throws.
extension LuaState {
    /// Makes room for `count` values and what a twin needs on top.
    @inline(__always)
    func reserve(_ count: Int) throws {
        if !isOpen { throw LuaFailure.stateClosed }
        if lua_checkstack(current, Int32(count) + MOON_STACK_ROOM) == 0 { throw LuaFailure.stackFull }
    }

    @inline(__always)
    func pop(_ count: Int32 = 1) { lua_settop(current, -count - 1) }

    /// Runs `body`; when it throws, drops what it left on the stack.
    func balanced<Result>(_ body: () throws -> Result) throws -> Result {
        // The stack of an interpreter that has closed is freed memory.
        if !isOpen { throw LuaFailure.stateClosed }
        let L = current
        let top = lua_gettop(L)
        do {
            return try body()
        } catch {
            lua_settop(L, top)
            throw error
        }
    }

    /// Turns the status of a twin into a thrown failure, taking the error value off the stack.
    @inline(__always)
    func check(_ status: Int32) throws {
        guard status != LUA_OK else { return }
        let failure = takeFailure(status: status)
        // What the failed call held is garbage only now.
        if host.pointee.isShort { collectNow() }
        throw failure
    }

    // MARK: Pushing

    func pushNil() throws {
        try reserve(1)
        lua_pushnil(current)
    }

    func pushString(_ bytes: UnsafeRawBufferPointer) throws {
        try reserve(1)
        // An empty buffer may have no address, and Lua wants one.
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        if let start { try check(moon_push_string(current, start, bytes.count)) } else { try check(moon_push_string(current, "", 0)) }
    }

    func pushNumbers(_ numbers: [Double]) throws {
        try reserve(1)
        try check(numbers.withUnsafeBufferPointer { moon_push_numbers(current, $0.baseAddress, $0.count) })
    }

    func pushIntegers(_ integers: [Int]) throws {
        try reserve(1)
        try check(integers.map(Int64.init).withUnsafeBufferPointer { moon_push_integers(current, $0.baseAddress, $0.count) })
    }

    func pushTable(arrayCount: Int = 0, fieldCount: Int = 0) throws {
        try reserve(1)
        try check(moon_push_table(current, Int32(clamping: arrayCount), Int32(clamping: fieldCount)))
    }

    /// Sets a field of the table on top, without metamethods.
    func assign(_ key: some LuaConvertible, _ value: any LuaConvertible) throws {
        try balanced {
            try reserve(3)
            lua_pushvalue(current, -1)
            try key.push(to: self)
            try value.push(to: self)
            try check(moon_set(current, true))
        }
    }

    // MARK: Reading

    /// The Swift object of one of our userdata; `nil` for anything else and for a closed one.
    func object(at index: Int32) -> AnyObject? {
        guard let block = moon_object(current, index), let held = block.pointee.object else { return nil }
        return Unmanaged<AnyObject>.fromOpaque(held).takeUnretainedValue()
    }

    /// The bytes of a Lua string as text, from which `String.push` makes the same bytes again.
    func text(at index: Int32) -> String? {
        guard lua_type(current, index) == LUA_TSTRING else { return nil }
        var count = 0
        guard let start = lua_tolstring(current, index, &count) else { return nil }
        return String(foreignBytes: UnsafeRawBufferPointer(start: start, count: count))
    }

    /// The same for Swift to keep while a function runs.
    func takenText(at index: Int32) throws -> String? {
        guard lua_type(current, index) == LUA_TSTRING else { return nil }
        try take(Int(lua_rawlen(current, index)))
        return text(at: index)
    }

    func takenBytes(at index: Int32) throws -> [UInt8]? {
        guard lua_type(current, index) == LUA_TSTRING else { return nil }
        try take(Int(lua_rawlen(current, index)))
        var count = 0
        guard let start = lua_tolstring(current, index, &count) else { return nil }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// A reference to the value at `index`, which stays where it is.
    func reference(at index: Int32) throws -> LuaReference {
        try reserve(3)
        if !references.isEmpty { references.drain(current) }
        lua_pushvalue(current, index)
        var slot: Int32 = 0
        try check(moon_reference(current, &slot))
        return LuaReference(pool: references, index: slot)
    }

    /// The value at `index`, which stays where it is.
    func value(at index: Int32) throws -> LuaValue {
        switch lua_type(current, index) {
        case LUA_TNIL, LUA_TNONE: .nil
        case LUA_TBOOLEAN: .boolean(lua_toboolean(current, index) != 0)
        case LUA_TNUMBER:
            lua_isinteger(current, index) != 0
                ? .integer(Int(lua_tointegerx(current, index, nil))) : .number(lua_tonumberx(current, index, nil))
        case LUA_TSTRING: .string(try takenText(at: index) ?? "")
        case LUA_TTABLE: .table(LuaTable(reference: try reference(at: index)))
        case LUA_TFUNCTION: .function(LuaFunction(reference: try reference(at: index)))
        default: .object(LuaObject(reference: try reference(at: index), typeName: typeName(at: index)))
        }
    }

    /// Takes the top value off the stack, whether it can be read or not.
    func popValue() throws -> LuaValue {
        defer { pop() }
        return try value(at: -1)
    }

    /// Lua's name for the type, or the name of a userdata's class.
    func typeName(at index: Int32) -> String {
        let type = lua_type(current, index)
        if type == LUA_TUSERDATA, let name = className(at: index) { return name }
        return lua_typename(current, type).map { String(cString: $0) } ?? "unknown"
    }

    /// What a message says was got: `a number (3)`, `a string ("fast")`, `a Tensor`, `nothing`.
    func description(at index: Int32) -> String {
        switch lua_type(current, index) {
        case LUA_TNONE: return "nothing"
        case LUA_TNIL: return "nil"
        case LUA_TBOOLEAN: return lua_toboolean(current, index) != 0 ? "true" : "false"
        case LUA_TNUMBER:
            if lua_isinteger(current, index) != 0 { return "a number (\(lua_tointegerx(current, index, nil)))" }
            return "a number (\(lua_tonumberx(current, index, nil)))"
        case LUA_TSTRING:
            let text = text(at: index) ?? ""
            return "a string (\"\(text.count > 40 ? text.prefix(40) + "…" : text[...])\")"
        case LUA_TTHREAD: return "a coroutine"
        default:
            let name = typeName(at: index)
            return (name.first.map { "aeiouAEIOU".contains($0) } ?? false ? "an " : "a ") + name
        }
    }
}
