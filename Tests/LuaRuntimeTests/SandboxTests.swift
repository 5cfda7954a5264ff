import LuaRuntime
import Testing

@Suite struct SandboxTests {
    @Test(arguments: [
        "return io == nil and debug == nil and loadfile == nil and dofile == nil",
        "return os.execute == nil and os.remove == nil and os.getenv == nil and os.exit == nil and os.tmpname == nil",
        "return package.loadlib == nil and package.cpath == nil and package.searchpath == nil",
        "return #package.searchers == 1", "return string.dump == nil", "return type(os.time()) == 'number'",
        "return not pcall(require, 'io') and not pcall(require, 'debug')", "return package.loaded.os == os",
        "return not pcall(setmetatable, {}, { __gc = print })", "return not pcall(collectgarbage, 'stop')",
        "return collectgarbage('count') > 0", "return setmetatable({}, { __index = { x = 1 } }).x == 1",
        "return load('return 1')() == 1", "return load('x = 5 return x', 'n', 't', {})() == 5 and x == nil",
        "local f, m = load('\\27Lua') return f == nil and m:find('binary') ~= nil",
        "local f, m = load('\\27Lua', 'x', 'b') return f == nil and m:find('binary') ~= nil",
        "local n = 0 return load(function() n = n + 1 return ({ 'return ', '7' })[n] end)() == 7",
        "return getmetatable('') == false and not pcall(setmetatable, '', {}) and ('%d'):format(7) == '7' and ('x').y == nil",
        "string.format = print return ('%d'):format(7) == '7' and string.format == print",
        "function string.twice(s) return s .. s end return ('ab'):twice() == 'abab'",
        "for _, v in pairs(package.loaded) do if type(v) == 'table' and v.open then return false end end return true",
    ])
    func confines(text: String) throws {
        #expect(try LuaState(LuaOptions(isSandboxed: true)).first(text).boolean == true)
    }

    @Test(arguments: [
        "return load(string.dump(function() return 1 end))() == 1", "return io.write ~= nil and debug.traceback ~= nil",
        "local p = os.tmpname() local f = io.open(p, 'w') f:write('return 40 + 2') f:close() local r = dofile(p) os.remove(p) return r == 42",
        "local p = os.tmpname() local f = io.open(p, 'wb') f:write(string.dump(load'return 6')) f:close() local r = dofile(p) local g = loadfile(p) os.remove(p) return r == 6 and g() == 6",
        """
        local p = os.tmpname() local f = io.open(p .. '.lua', 'w') f:write('return { ... }') f:close()
        package.path = '/tmp/?.lua' local name = p:match('[^/]+$') local m, where = require(name)
        os.remove(p) os.remove(p .. '.lua') return m[1] == name and where == p .. '.lua'
        """,
        """
        local p = os.tmpname() local f = io.open(p .. '.lua', 'wb') f:write(string.dump(load'return 1')) f:close()
        package.path = '/tmp/?.lua' local m = require(p:match('[^/]+$'))
        os.remove(p) os.remove(p .. '.lua') return m == 1
        """,
    ])
    func withoutASandboxTheLibrariesAreLuas(text: String) throws {
        #expect(try LuaState().first(text).boolean == true)
    }

    @Test func unknownGlobalsAreNamed() throws {
        let state = try LuaState(LuaOptions(globals: .declaredByWriting))
        #expect(try state.failure("return prnt").message == "unknown global 'prnt' (did you mean 'print'?)")
        #expect(try state.first("x = 3 return x").integer == 3)
        // The global table itself is an ordinary one.
        #expect(try state.first("return _G.y == nil and getmetatable(_G) == nil").boolean == true)
    }

    /// As in Lua's strict.lua: a forgotten `local` inside a function is a mistake, at the top of a chunk it declares.
    @Test func functionsDeclareNoGlobals() throws {
        let state = try LuaState(LuaOptions(globals: .declaredByWriting))
        #expect(
            try state.failure("function f() counter = 1 end f()").message
                .hasSuffix("new global 'counter' inside a function: declare it 'local', or set it outside of functions first"))
        #expect(try state.failure("coroutine.wrap(function() other = 1 end)()").code == "lua.newGlobal")
        #expect(try state.first("late = nil; function g() late = 3 return late end return g()").integer == 3)
        #expect(try state.first("made = 1 function h() made = 2 end h() return made").integer == 2)
        #expect(try state.first("unset = nil return unset == nil").boolean == true)
        try state.globals.set("host", 5)
        #expect(try state.first("return host").integer == 5)
    }

    @Test func newGlobalsMayBeRefused() throws {
        let state = try LuaState(LuaOptions(globals: .fixed))
        #expect(try state.failure("x = 3").message == "new global 'x': declare it 'local'")
        #expect(try state.first("print = 3 return print").integer == 3)
    }
}
