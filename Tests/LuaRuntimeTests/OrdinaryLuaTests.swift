import Basics
import LuaRuntime
import Testing

/// What an owner of Lua scripts takes for granted. `scripts/lua-tests` runs Lua's own tests; what each of them found is here.
@Suite struct OrdinaryLuaTests {
    @Test(arguments: [
        // Reading a name that is missing, as modules do for older versions of Lua.
        "local m = load 'local unpack = unpack or table.unpack return unpack { 7 }' return m() == 7",
        "return load 'return undefinedName'() == nil", "return load 'made = 3 return made'() == 3",
        "return load('function f() inner = 4 end f() return inner')() == 4",
        // A module of a file, which sets and reads globals freely.
        """
        local path = os.tmpname() local file = io.open(path, 'w')
        file:write 'local old = setfenv if loadstring then error() end shared = 5 return { _VERSION, notThere }' file:close()
        package.searchers[2] = function() return loadfile(path) end
        local found = require 'ordinary' os.remove(path) return found[1] == _VERSION and shared == 5
        """,
        // The global table belongs to the script.
        "return getmetatable(_G) == nil and rawget(_G, 'print') == print and _G.nothing == nil",
        "setmetatable(_G, { __index = function(_, name) return name .. '!' end }) local v = other setmetatable(_G, nil) return v == 'other!'",
        "_G.byField = 1 return byField == 1", "here = 2 return _G.here == 2",
        "local names = 0 for name in pairs(_ENV) do names = names + 1 end return names > 20",
        // A script can leave the rule.
        "local _ENV = _G return undefinedName == nil", "local _ENV = _G function g() fresh = 1 end g() return fresh == 1",
    ])
    func strictnessBelongsToTheChunkOfItsOwner(text: String) throws {
        #expect(try LuaState(LuaOptions(globals: .declaredByWriting)).first(text).boolean == true)
    }

    @Test(
        arguments: [
            [0x61, 0xE3, 0x64], [0xFF, 0xFE], [0xC3, 0xA9], [0x65, 0xCC, 0x81], [0xF4, 0x8F, 0xBF, 0x80], [0xED, 0xA0, 0x80], [0x00, 0x80],
        ] as [[UInt8]])
    func stringsAreBytes(bytes: [UInt8]) throws {
        let state = try LuaState.forTests()
        try state.globals.set("bytes", LuaBytes(bytes))
        // Through Swift and back as text: as argument and result, as a key, in an array, in an error, in a chunk's literal.
        try state.define("same") { call in try call.string(1, "text") }
        try state.define("keys") { call in try call.state.table(LuaFields(try call.table(1, "t").fields().map { ($0.name, $0.value) })) }
        try state.define("each") { call in try call.strings(1, "texts") }
        try state.define("raise") { call in throw DemoFailure.broken(try call.string(1, "what")) }
        #expect(try state.first("return same(bytes) == bytes").boolean == true)
        #expect(try state.first("return keys { [bytes] = 5 }[bytes] == 5").boolean == true)
        #expect(try state.first("return each { bytes }[1] == bytes").boolean == true)
        #expect(try state.first("local _, e = pcall(raise, bytes) return e:find(bytes, 1, true) ~= nil").boolean == true)
        #expect(try state.first("local _, e = pcall(apply, error, bytes) return e == bytes").boolean == true)
        try state.globals.set("literal", String(foreignBytes: bytes))
        #expect(try state.first("return literal == bytes").boolean == true)
        if !bytes.contains(0) {
            #expect(try state.first("return '\(String(foreignBytes: bytes))' == bytes").boolean == true)
            #expect(try state.failure("error(bytes, 0)").message.foreignBytes == bytes)
        }
    }

    @Test func printedTextKeepsItsBytes() throws {
        var text = ""
        try LuaState(LuaOptions(output: { text += $0 })).run("print('a\\xE3d', 1)")
        #expect(text.foreignBytes == [0x61, 0xE3, 0x64, 0x09, 0x31, 0x0A])
    }

    // MARK: Errors

    @Test(arguments: [
        "return #e == 18", "return e:match 'is (%w+)' == 'broken'", "return e:find 'it' == 7", "return e:sub(1, 4) == 'demo'",
        "return 'no: ' .. e == 'no: demo: it is broken'", "return e .. '!' == 'demo: it is broken!'", "return e .. e == tostring(e):rep(2)",
        "return tostring(e) == 'demo: it is broken'", "return ('%s'):format(e) == 'demo: it is broken'", "return e:upper():lower() == tostring(e)",
        "return (e:gsub('demo', 'test')) == 'test: it is broken'", "return e:byte() == 100 and e:len() == #e and e:rep(2) == e .. e",
        "for word in e:gmatch '%a+' do return word == 'demo' end", "return e.code == 'demo.broken' and e.message == tostring(e)",
    ])
    func errorsDoWhatStringsDo(text: String) throws {
        let state = try LuaState.forTests()
        try state.run("local ok ok, e = pcall(fail)")
        #expect(try state.first(text).boolean == true)
    }

    // MARK: Hooks

    @Test(arguments: [
        "return debug.gethook() == nil", "debug.sethook() return debug.gethook() == nil",
        "local f = function() end debug.sethook(f, 'crl', 7) local g, m, c = debug.gethook() debug.sethook() return g == f and m == 'crl' and c == 7 and debug.gethook() == nil",
        "local n = 0 debug.sethook(function(e, line) if e == 'line' then n = n + 1 end end, 'l')\nlocal x = 1\nx = 2\ndebug.sethook() return n == 3",
        "local n = 0 debug.sethook(function(e) n = n + 1 end, '', 100) for i = 1, 1e5 do end debug.sethook() return n > 500 and n < 4000",
        "local n = 0 debug.sethook(function(e) if e == 'call' then n = n + 1 end end, 'c') local function f() end f() f() debug.sethook() return n >= 2",
        """
        local co = coroutine.create(function() local x = 1 coroutine.yield() x = 2 end) local n = 0
        debug.sethook(co, function() n = n + 1 end, 'l') coroutine.resume(co) coroutine.resume(co)
        return n > 0 and debug.gethook() == nil and debug.gethook(co) ~= nil
        """,
        "return not pcall(debug.sethook, function() end) and not pcall(debug.sethook, 1, 'l')",
    ])
    func hooksAreTheScripts(text: String) throws {
        #expect(try LuaState().first(text).boolean == true)
    }

    @Test func aHookDoesNotTakeTheLimitAway() throws {
        let state = try LuaState(LuaOptions(instructionLimit: 100_000))
        for hook in ["debug.sethook()", "debug.sethook(print, '')", "debug.sethook(function() end, 'l')", "debug.sethook(function() end, '', 1e6)"] {
            #expect(try state.failure(hook + " pcall(function() while true do end end) while true do end").code == "lua.instructionLimit")
        }
    }

    /// The hook is of the coroutine that runs, so one that waits for it has to be stopped as well.
    @Test func coroutinesThatWaitAreStoppedToo() throws {
        let state = try LuaState(LuaOptions(instructionLimit: 100_000))
        let failure = try state.failure(
            """
            local inner = coroutine.wrap(function() while true do end end)
            local outer = coroutine.create(function() pcall(inner) reached = true while true do end end)
            coroutine.resume(outer)
            """)
        #expect(failure.code == "lua.instructionLimit")
        #expect(try state.first("return reached").isNil)
    }

    // MARK: Warnings

    @Test func warningsHaveAnySizeAndASwitch() throws {
        var said: [String] = []
        let state = try LuaState(LuaOptions(warnings: { said.append($0) }))
        try state.run("warn('@off') warn('quiet') warn('@on') warn('', '@off') warn(('x'):rep(5000), 'y')")
        #expect(said == ["@off", String(repeating: "x", count: 5000) + "y"])
    }
}
