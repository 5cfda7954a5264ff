import LuaBindings
import LuaRuntime
import Testing

/// The toolkit in a host program's own, confined interpreters.
@Suite(.serialized) struct EmbeddingTests {
    @Test func sandboxedStatesHaveTheToolkit() throws {
        let state = try LuaState(LuaOptions(isSandboxed: true, memoryLimit: 64 << 20))
        try Toolkit.install(in: state)
        let result = try state.run("local mr = require 'moonrail' return mr.version, io, (mr.eye(3):sum():item())", name: "host.lua")
        #expect(result[0].string == Toolkit.version)
        #expect(result[1].isNil)
        #expect(result[2].number == 3)
    }

    @Test func statesShareNothing() throws {
        let first = try LuaState()
        let second = try LuaState()
        for state in [first, second] { try Toolkit.install(in: state) }
        _ = try first.run("require('moonrail').seed(5)")
        #expect(try second.run("return require('moonrail').seed()")[0].integer == 0)
    }
}
