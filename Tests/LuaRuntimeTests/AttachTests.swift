import CLua
import LuaRuntime
import Testing

/// A guest in an interpreter that another program opened: see `luaopen_…` in the bindings for the real thing.
@Suite struct AttachTests {
    @Test func anOwnedInterpreterGivesItsOwnState() throws {
        let state = try LuaState.forTests()
        #expect(try LuaState.attach(to: state.interpreter) === state)
    }

    @Test func aGuestLivesAsLongAsItsInterpreter() throws {
        let census = Counter.Census()
        let interpreter = try #require(ForeignInterpreter())
        weak var guest: LuaState?
        do {
            let state = try LuaState.attach(to: interpreter.L)
            guest = state
            #expect(try LuaState.attach(to: interpreter.L) === state)
            try state.register(LuaClass<Counter>("Counter") { $0.property("value") { $0.value } })
            try state.define("counter") { _ in Counter(7, census: census) }
            try state.run("keep = counter() x = setmetatable({}, { __gc = function() return keep.value end })")
            #expect(try state.first("return keep.value").integer == 7)
            #expect(try state.failure("keep.valu = 1").code == "lua.unknownMember")
        }
        #expect(guest != nil && census.alive == 1)
        let state = guest
        interpreter.close()
        #expect(census.alive == 0)
        #expect(throws: LuaFailure.self) { try state?.run("return 1") }
    }

    @Test func aGuestMayBeOpenedInACoroutine() throws {
        let interpreter = try #require(ForeignInterpreter())
        defer { interpreter.close() }
        let coroutine = try #require(lua_newthread(interpreter.L))
        #expect(LuaState.open(in: coroutine) { state in try state.table(["one": 1]) } == 1)
        lua_settop(interpreter.L, 0)  // the coroutine is garbage from here on
        let state = try LuaState.attach(to: interpreter.L)
        state.collect()
        #expect(state.interpreter == interpreter.L)
        #expect(try state.first("return 1").integer == 1)
    }

    @Test func openingAModuleReportsFailuresAsValues() throws {
        let interpreter = try #require(ForeignInterpreter())
        defer { interpreter.close() }
        #expect(LuaState.open(in: interpreter.L) { state in try state.table(["one": 1]) } == 1)
        #expect(LuaState.open(in: interpreter.L) { _ in throw DemoFailure.broken("module") } == -1)
    }
}

/// An interpreter as the stock `lua` opens it.
private final class ForeignInterpreter {
    let L: OpaquePointer

    init?() {
        guard let L = luaL_newstate() else { return nil }
        self.L = L
        luaL_openlibs(L)
    }

    func close() { lua_close(L) }
}
