import Basics
import LuaRuntime
import Testing

@Suite struct LuaFailureTests {
    @Test func aLuaErrorHasItsLineAndTraceback() throws {
        let failure = #expect(throws: LuaFailure.self) {
            try LuaState().run("local function inner()\n  error('boom')\nend\ninner()", name: "recipe.lua")
        }
        #expect(failure?.message == "recipe.lua:2: boom" && failure?.code == "lua.runtime")
        #expect(failure?.traceback.contains("recipe.lua:4: in main chunk") == true)
    }

    @Test func aSwiftFailureIsAValueInLua() throws {
        let state = try LuaState.forTests()
        try state.define("deep") { _ in try located("model") { try located("layer") { throw DemoFailure.broken("rank") } } }
        #expect(
            try state.first(
                """
                local ok, err = pcall(fail, 'this')
                assert(not ok and err.code == 'demo.broken' and err.message == 'demo: this is broken' and err.path == nil)
                assert(tostring(err) == err.message and 'got ' .. err == 'got demo: this is broken')
                ok, err = pcall(deep)
                assert(err.code == 'demo.broken' and table.concat(err.path, '/') == 'model/layer')
                return tostring(err)
                """
            ).string == "model › layer: demo: rank is broken")
    }

    @Test func aSwiftFailureShowsTheUsersLine() throws {
        let failure = #expect(throws: LuaFailure.self) {
            try LuaState.forTests().run("local x = 1\nfail('that')", name: "recipe.lua")
        }
        #expect(failure?.message == "demo: that is broken" && failure?.code == "demo.broken")
        #expect(failure?.traceback.contains("recipe.lua:2:") == true)
        #expect(failure?.underlying is DemoFailure)
    }

    @Test(arguments: ["'text'", "{}", "setmetatable({}, { __tostring = function() return 'shown' end })", "print", "42"])
    func anErrorKeepsItsIdentityThroughSwift(value: String) throws {
        let state = try LuaState.forTests()
        #expect(
            try state.first(
                """
                local value = \(value)
                local ok, err = pcall(apply, function() apply(function() error(value, 0) end) end)
                return not ok and rawequal(err, value)
                """
            ).boolean == true)
    }

    @Test func aSwiftFailureKeepsItsIdentityThroughBothLanguages() throws {
        let state = try LuaState.forTests()
        #expect(
            try state.first(
                """
                local first, second
                local ok, err = pcall(apply, function()
                  local inner, e = pcall(fail, 'x')
                  first = e
                  apply(function() error(e) end)
                end)
                return not ok and rawequal(first, err) and err.code == 'demo.broken' and err.message == 'demo: x is broken'
                """
            ).boolean == true)
        let failure = try state.failure("apply(apply, apply, fail, 'y')")
        #expect(failure.message == "demo: y is broken" && failure.underlying is DemoFailure)
    }

    @Test func theTracebackIsThatOfTheOrigin() throws {
        let failure = #expect(throws: LuaFailure.self) {
            try LuaState.forTests().run(
                """
                local function origin() error('deep') end
                apply(function() apply(function() origin() end) end)
                """, name: "t.lua")
        }
        #expect(failure?.traceback.contains("in upvalue 'origin'") == true)
    }

    @Test func laterErrorsHaveTheirOwnTraceback() throws {
        let state = try LuaState.forTests()
        let failure = #expect(throws: LuaFailure.self) {
            try state.run("pcall(apply, function() error('same', 0) end)\nlocal function later() error('same', 0) end later()")
        }
        #expect(failure?.traceback.contains("'later'") == true)
    }

    @Test func errorsCrossCoroutines() throws {
        let state = try LuaState.forTests()
        #expect(
            try state.first(
                """
                local co = coroutine.create(function() apply(function() fail('inner') end) end)
                local ok, err = coroutine.resume(co)
                assert(not ok and err.code == 'demo.broken' and coroutine.status(co) == 'dead')
                local ok2, err2 = pcall(coroutine.wrap(function() fail('w') end))
                return err2.message
                """
            ).string == "demo: w is broken")
    }

    @Test func codesOfErrorTablesAreKept() throws {
        let failure = try LuaState().failure("error { code = 'mine.bad', message = 'it is bad' }")
        #expect(failure.code == "mine.bad" && failure.message == "it is bad")
    }

    @Test(arguments: [
        ("error()", "error object is nil"), ("error(setmetatable({}, { __tostring = function() error('x') end }))", "x"),
        ("error(setmetatable({}, { __tostring = function() return {} end }))", "'__tostring' must return a string"),
    ])
    func oddErrorValuesAreSurvived(text: String, message: String) throws {
        #expect(try LuaState().failure(text).message.contains(message))
    }

    @Test func thousandsOfThrowsLeakNothing() throws {
        let census = Counter.Census()
        let state = try LuaState.forTests(census: census)
        try state.define("throwing") { call in
            let local = Counter(1, census: census)
            try located("value \(local.value)") { throw DemoFailure.broken("x") }
        }
        try state.run("for i = 1, 100 do pcall(throwing) end")
        state.collect()
        let before = state.heapByteCount
        try state.run("for i = 1, 5000 do pcall(throwing) pcall(apply, throwing) pcall(apply, error, 'x') end")
        state.collect()
        #expect(census.alive == 0)
        #expect(state.heapByteCount < before + 20_000)
    }
}
