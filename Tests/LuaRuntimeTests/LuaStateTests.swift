import Basics
import LuaRuntime
import Testing

@Suite struct LuaStateTests {
    @Test func runsAChunkAndReturnsItsResults() throws {
        let state = try LuaState()
        let results = try state.run("local a, b = ... return a + b, 'x', nil, 2.5, true", arguments: [40, 2])
        #expect(results.count == 5)
        #expect(results[0].integer == 42 && results[1].string == "x" && results[2].isNil)
        #expect(results[3].number == 2.5 && results[4].boolean == true)
    }

    @Test(arguments: ["for i = 1, 3 do", "x = {", "return [[text", "f(", "if a then b()"])
    func anUnfinishedChunkIsIncomplete(text: String) throws {
        let failure = try LuaState().failure(text)
        #expect(failure.code == "lua.syntax" && failure.isIncomplete)
    }

    @Test(arguments: ["x = = 2", "end", "return 1 2"])
    func aWrongChunkIsNotIncomplete(text: String) throws {
        let failure = try LuaState().failure(text)
        #expect(failure.code == "lua.syntax" && !failure.isIncomplete)
    }

    @Test func printIsCaptured() throws {
        var lines: [String] = []
        let state = try LuaState.forTests(LuaOptions(output: { lines.append($0) }))
        try state.run("print('a', 1, nil, counter(3)) print()")
        #expect(lines == ["a\t1\tnil\tCounter(3)\n", "\n"])
    }

    @Test func modulesAreFoundOncePreloaded() throws {
        let state = try LuaState()
        try state.preload("greetings", source: "local name = ... return { hello = function(x) return name .. ' ' .. x end }")
        var builds = 0
        try state.preload("numbers") { state in
            builds += 1
            return try state.table(["one": 1])
        }
        #expect(try state.first("return require('greetings').hello('you')").string == "greetings you")
        #expect(try state.first("return require('numbers').one + require('numbers').one").integer == 2)
        #expect(builds == 1)
        #expect(try state.require("numbers").table?.rawGet("one").integer == 1)
    }

    @Test func anErrorInAPreloadedModuleNamesItsLine() throws {
        let state = try LuaState()
        try state.preload("bad", source: "local x\nx.y = 1", chunkName: "moonrail/bad.lua")
        #expect(try state.failure("require 'bad'").message.hasPrefix("moonrail/bad.lua:2:"))
    }

    @Test func referencesOutliveTheStateHarmlessly() throws {
        var state: LuaState? = try LuaState()
        let table = try #require(try state?.table(["a": 1]))
        let function = try #require(try state?.first("return function() end").function)
        state = nil
        #expect(throws: LuaFailure.self) { try table.get("a") }
        let failure = #expect(throws: LuaFailure.self) { try function() }
        #expect(failure?.code == "lua.stateClosed")
    }

    @Test func valuesOfAnotherStateAreRefused() throws {
        let (one, two) = (try LuaState(), try LuaState())
        let failure = #expect(throws: LuaFailure.self) { try two.globals.set("x", try one.table()) }
        #expect(failure?.code == "lua.foreignValue")
    }

    @Test func closingBreaksACycleThroughAClosure() throws {
        weak var weakState: LuaState?
        do {
            let state = try LuaState()
            weakState = state
            try state.globals.set("f", state.function("f") { _ in try state.table() })
            state.close()
            let failure = #expect(throws: LuaFailure.self) { try state.run("return 1") }
            #expect(failure?.code == "lua.stateClosed")
        }
        #expect(weakState == nil)
    }
}
