import Basics
import LuaRuntime
import Testing

/// Nothing that a script does may end the process.
@Suite struct HostileScriptTests {
    @Test(arguments: [
        "local function f() return f() + 1 end f()",
        "local function f() apply(f) end f()",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(s, k) return s[k] end return t.x",
        "local s = '(' return load('return ' .. s:rep(100000))()",
        "return ('a'):rep(1000):find(('a?'):rep(500) .. ('.-'):rep(300) .. 'b')",
        "return string.rep('x', 1 << 62)",
        "xpcall(error, function() error('again') end) error('after')",
        "error(setmetatable({}, { __tostring = function(s) return tostring(s) end }))",
        "local co co = coroutine.wrap(function() co() end) co()",
        "coroutine.wrap(function() apply(coroutine.wrap(function() apply(coroutine.yield) end)) end)()",
        "local function f() coroutine.wrap(f)() end f()",
        "counter().plus(io.stdout)",
        "local c = counter() do local d <close> = c end do local e <close> = c end c:plus(1)",
        "counter()[nil] = 1", "return counter()[{}]", "return counter() < counter()", "return counter() .. 1",
        "for k in pairs(counter()) do end", "local t = {} t[0/0] = 1", "add(table.unpack({}, 1, 200000))",
        "apply(table.unpack, {}, 1, 1e7)", "return load('\\27Lua')()", "return require('no.such.module')",
        "return tostring(setmetatable({}, { __name = counter() })), fail()",
        "local t = {} for i = 1, 300 do t = { t } end apply(function(...) return select('#', ...) end, t) fail()",
    ])
    func failsCleanly(text: String) throws {
        let state = try LuaState.forTests()
        _ = try state.failure(text)
        #expect(try state.first("return add(1, 2)").integer == 3)
    }

    @Test func errorsInFinalizersBecomeWarnings() throws {
        var warnings: [String] = []
        let state = try LuaState(LuaOptions(warnings: { warnings.append($0) }))
        try state.run("warn('@on') setmetatable({}, { __gc = function() error('in gc') end })")
        state.collect()
        #expect(warnings.contains { $0.contains("in gc") })
    }

    @Test func finalizersMayUseSwiftObjectsWhileTheStateCloses() throws {
        let census = Counter.Census()
        do {
            let state = try LuaState.forTests(census: census)
            try state.run(
                """
                x = setmetatable({ c = counter(1) }, { __gc = function(t) return t.c:plus(1), counter(2), pcall(fail) end })
                """)
        }
        #expect(census.alive == 0)
    }

    @Test func finalizersMayCallSwiftDuringACollection() throws {
        let state = try LuaState.forTests()
        try state.run(
            """
            n = 0
            for i = 1, 1000 do setmetatable({}, { __gc = function() n = add(n, 1) counter(n) pcall(fail) end }) end
            """)
        state.collect()
        #expect(try state.globals.get("n").integer == 1000)
    }

    @Test func theMemoryLimitIsAnOrdinaryError() throws {
        let state = try LuaState.forTests(LuaOptions(memoryLimit: 4 << 20))
        for bomb in [
            "local s = 'x' while true do s = s .. s end", "return ('x'):rep(1 << 30)",
            "local t = {} for i = 1, 1e9 do t[i] = i end", "local t = {} while true do t = { t, counter() } end",
            "local t = {} while true do t[#t + 1] = function() return t end end",
            "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
        ] {
            #expect(try state.failure(bomb).code == "lua.memory", "\(bomb)")
            #expect(try state.first("return add(1, 2)").integer == 3)
        }
        #expect(state.heapByteCount <= 4 << 20)
    }

    @Test func everySizeOfMemoryLimitIsSurvived() throws {
        // Allocation fails at a different place for every limit, inside every twin in turn.
        var opened = 0
        for limit in stride(from: 8 << 10, to: 120 << 10, by: 977) {
            guard let state = try? LuaState.forTests(LuaOptions(memoryLimit: limit)) else { continue }
            opened += 1
            _ = try? state.run(
                """
                local keep = {}
                for i = 1, 1e5 do
                  keep[i] = { counter(i), ('x'):rep(i) }
                  pcall(fail, tostring(i)) pcall(apply, fail) pcall(add, 'x')
                end
                """)
            _ = try? state.table(["a": [1, 2, 3], "b": "text"]).get("a")
        }
        #expect(opened > 20)
    }

    @Test func theInstructionLimitStopsEveryLoop() throws {
        let state = try LuaState.forTests(LuaOptions(instructionLimit: 200_000))
        for loop in [
            "while true do end", "while true do pcall(function() while true do end end) end",
            "while true do coroutine.wrap(function() for i = 1, 100 do end end)() end",
            "coroutine.wrap(function() while true do pcall(error) end end)()",
            "apply(function() while true do end end)", "while true do pcall(apply, error) end",
        ] {
            #expect(try state.failure(loop).code == "lua.instructionLimit", "\(loop)")
        }
        #expect(try state.first("local n = 0 for i = 1, 100 do n = n + i end return n").integer == 5050)
    }
}
