import Basics
import LuaBindings
import LuaRuntime
import Tensors
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
        let threads = try #require(try second.run("return require('moonrail').threads()")[0].integer)
        _ = try first.run("mr = require('moonrail') mr.seed(5) mr.threads(\(threads + 1)) kept = mr.zeros(1000)")
        #expect(try second.run("return require('moonrail').seed()")[0].integer == 0)
        #expect(try second.run("return require('moonrail').threads()")[0].integer == threads)
        #expect(try second.run("return require('moonrail').memory().live")[0].integer == 0)
        #expect(try first.run("return mr.memory().live")[0].integer.map { $0 >= 4000 } == true)
    }

    /// Lua knows nothing of the memory behind its objects, so what no script reaches any more goes before an error comes.
    @Test func garbageMakesRoomForTensors() throws {
        let state = try LuaState(LuaOptions(context: ComputeContext(memoryLimit: 3 << 20)))
        try Toolkit.install(in: state)
        let loop = """
            local mr = require "moonrail"
            collectgarbage "stop"
            for i = 1, 40 do local a, b = mr.zeros(1 << 18), mr.zeros(1 << 18) end
            return mr.zeros(4, 1 << 18) == nil
            """
        let failure = #expect(throws: LuaFailure.self) { try state.run(loop) }
        #expect(failure?.code == "tensor.outOfMemory", "only what is reached counts: \(failure?.message ?? "")")
        #expect(try state.run(loop.replacing("mr.zeros(4, 1 << 18)", with: "mr.zeros(1 << 18)"))[0].boolean == false)
    }

    /// Decompositions are kept for further budgets, but only the latest.
    @Test func aLoopOverDataSetsDoesNotFillTheMemory() throws {
        let state = try LuaState()
        try Toolkit.install(in: state)
        let live = try state.run(
            """
            local mr = require "moonrail"
            mr.seed(1)
            local model = mr.zoo.resnet { depth = 8, image = { 1, 8, 8 }, classes = 2, seed = 5 }
            local data = mr.data.from_tensors(mr.rand(40, 1, 8, 8), mr.ones(40):to "int64", { batch = 10 })
            local live = {}
            for i = 1, 12 do
                mr.plan(model, { policy = "knapsack", budget = { params = 0.5 }, whiten = data:with {} })
                collectgarbage()
                live[i] = mr.memory().live
            end
            return live[4], live[12]
            """
        ).compactMap(\.integer)
        #expect(live.count == 2 && live[1] <= live[0] * 5 / 4, "\(live)")
    }
}
