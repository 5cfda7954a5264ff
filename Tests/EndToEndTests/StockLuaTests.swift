import CommandTesting
import LuaBindings
import Testing

/// The module in Debian's own interpreter.
@Suite(.serialized) struct StockLuaTests {
    private func lua(_ script: String) throws -> BuiltCommand.Outcome {
        try BuiltCommand.run(
            ["-e", script], environment: ["LUA_CPATH": try BuiltCommand.path("libMoonrailModule.so")],
            program: "/usr/bin/lua5.4", patienceSeconds: 120)
    }

    @Test func requireGivesTheToolkit() throws {
        let outcome = try lua("mr = require 'moonrail' print(mr.version, mr.eye(3):sum():item(), mr == require 'moonrail')")
        #expect(outcome.status == 0 && outcome.output == "\(Toolkit.version)\t3.0\ttrue\n", "\(outcome.errors)")
    }

    @Test func aModelIsCompressedAndUsed() throws {
        let outcome = try lua("""
            local mr = require "moonrail"
            local model = mr.load "\(Repository.checkpoint)"
            local small = model:compress(mr.plan(model, { policy = "uniform", budget = { params = 0.5 } }))
            local logits = small(mr.zeros(2, 1, 28, 28))
            print(logits.shape[1], logits.shape[2], small.cost.params <= 0.5 * model.cost.params)
            """)
        #expect(outcome.status == 0 && outcome.output == "2\t10\ttrue\n", "\(outcome.errors)")
    }

    /// Errors are Lua's own: caught by pcall, and at the end of the program a message and status 1.
    @Test func errorsAreRaised() throws {
        let outcome = try lua("""
            local mr = require "moonrail"
            local ok, message = pcall(mr.load, "/nonexistent.safetensors")
            print(ok, (tostring(message):find("nonexistent", 1, true)) ~= nil)
            mr.plan(1)
            """)
        #expect(outcome.status == 1 && outcome.output == "false\ttrue\n")
        #expect(outcome.errors.contains("mr.plan"), "\(outcome.errors)")
    }
}
