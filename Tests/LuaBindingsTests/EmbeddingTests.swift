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

    /// Every function that opens a file asks whether it may.
    @Test(arguments: [
        "mr.load 'X'", "mr.zoo.mlp():save 'X'", "mr.read_json 'X'", "mr.write_json('X', {})", "mr.write_text('X', '')",
        "mr.read_csv 'X'", "mr.make_directory 'X'", "mr.file_size 'X'", "mr.read_npy 'X'", "mr.write_npy('X', mr.zeros(1))",
        "mr.read_npz 'X'", "mr.write_npz('X', {})", "mr.data.mnist { dir = 'X' }", "mr.data.cifar10 { dir = 'X' }",
        "mr.data.cifar100 { dir = 'X' }", "mr.data.fashion_mnist { dir = 'X' }", "mr.data.npz 'X'", "mr.events 'X'",
        "mr.data.folder { dir = 'X', size = { 8, 8 }, channels = 1 }", "mr.zoo.mlp { weights = 'X' }", "mr.rows({}):save 'X'",
        "mr.rows({}):save 'X.csv'", "mr.sweep { 'X', keep = { 1 } }", "mr.rows({ { name = 'a', value = 1 } }):plot 'X'",
        "mr.report { models = { { name = 'a', params = 1 } } }:html 'X'", "mr.compare { { model = 'X' } }",
    ])
    func confinedScriptsOpenNoOtherFiles(call: String) throws {
        let state = try LuaState(LuaOptions(isSandboxed: true, allowedPaths: ["/tmp"]))
        try Toolkit.install(in: state)
        let script = "local mr = require 'moonrail' " + call.replacing("'X", with: "'/nonexistent/x")
        let failure = #expect(throws: LuaFailure.self) { try state.run(script, name: "host.lua") }
        #expect(failure?.message.contains("must lie in /tmp, got '/nonexistent/x") == true, "\(failure?.message ?? "")")
    }

    @Test func statesShareNothing() throws {
        let first = try LuaState()
        let second = try LuaState()
        for state in [first, second] { try Toolkit.install(in: state) }
        _ = try first.run("require('moonrail').seed(5)")
        #expect(try second.run("return require('moonrail').seed()")[0].integer == 0)
    }
}
