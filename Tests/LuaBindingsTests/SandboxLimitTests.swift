import Basics
import LuaBindings
import LuaRuntime
import Testing

/// Limits of a sandbox that reach what the toolkit does for a script.
@Suite(.serialized) struct SandboxLimitTests {
    private func state(_ options: LuaOptions) throws -> LuaState {
        let state = try LuaState(options)
        try Toolkit.install(in: state)
        try state.globals.set("mr", state.require("moonrail"))
        return state
    }

    private func code(_ script: String, in state: LuaState) -> String? {
        do {
            try state.run(script, name: "limits")
            return nil
        } catch {
            return (error as? any Failure)?.code
        }
    }

    @Test(arguments: [
        "local t = {} for i = 1, 100 do t[i] = mr.zeros(1024, 1024) end", "mr.zeros(64, 1024, 1024)",
        "local t = {} for i = 1, 300000 do t[i] = mr.tensor { 1 } end", "local t = {} for i = 1, 1e6 do t[i] = { i } end",
        "local t = {} for i = 1, 80 do t[i] = mr.zoo.mlp { image = { 1, 16, 16 }, hidden = { 1024 }, classes = 10 } end",
        """
        local x, y, t = mr.zeros(1, 1, 1, 1), mr.tensor({ 1 }, { dtype = "int64" }), {}
        for i = 1, 256 do t[i] = mr.data.from_tensors(x, y, { name = ("x"):rep(1 << 20), classes = { ("y"):rep(1 << 20) } }) end
        """,
        "local t = { ('x'):rep(20 << 20) } for i = 1, 40 do t[i + 1] = mr.zeros(1 << 18) end",
    ])
    func memoryIsOfAllThatAScriptHolds(script: String) throws {
        let state = try state(LuaOptions(isSandboxed: true, memoryLimit: 48 << 20))
        defer { state.close() }
        let code = code(script, in: state)
        #expect(code == "lua.memory" || code == "tensor.outOfMemory", "\(code ?? "no error")")
        // What was dropped leaves room again.
        state.collect()
        #expect(self.code("for i = 1, 400 do local t = mr.zeros(1024, 1024) end", in: state) == nil)
    }

    @Test(arguments: [
        "while true do end", "while true do pcall(function() while true do end end) end", "for i = 1, 1e9 do mr.tensor { 1 } end",
        "('a'):rep(60):find(('a-'):rep(24) .. 'b')", "local x = mr.zeros(64, 64) while true do x = x + 1 end",
        "coroutine.wrap(function() while true do pcall(mr.zeros, 1) end end)()",
    ])
    func timeIsOfAllThatAScriptDoes(script: String) throws {
        let state = try state(LuaOptions(isSandboxed: true, timeLimit: 0.2))
        defer { state.close() }
        #expect(code(script, in: state) == "lua.timeLimit")
        // Each call from outside has the whole time.
        #expect(code("local x = mr.zeros(4) + 1", in: state) == nil)
    }
}
