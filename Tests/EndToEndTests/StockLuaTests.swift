import Basics
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
        let outcome = try lua(
            """
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
        let outcome = try lua(
            """
            local mr = require "moonrail"
            local ok, message = pcall(mr.load, "/nonexistent.safetensors")
            print(ok, (tostring(message):find("nonexistent", 1, true)) ~= nil)
            mr.plan(1)
            """)
        #expect(outcome.status == 1 && outcome.output == "false\ttrue\n")
        #expect(outcome.errors.contains("mr.plan"), "\(outcome.errors)")
    }

    /// Its libraries would hang while they load.
    @Test(arguments: [200_000, 400_000]) func aSmallAddressSpaceIsAnError(kibibytes: Int) throws {
        let outcome = try BuiltCommand.run(
            ["-c", "ulimit -v \(kibibytes); exec lua5.4 -e 'require \"moonrail\"'"],
            environment: ["LUA_CPATH": try BuiltCommand.path("libMoonrailLoader.so")], program: "/bin/sh")
        #expect(outcome.status == 1 && outcome.errors.contains("address space"), "\(outcome)")
    }

    /// The installed files, in a directory of their own and used from another one.
    @Test func whatIsInstalledRuns() throws {
        let directory = try temporaryDirectory()
        defer { _ = try? BuiltCommand.run(["-rf", directory], program: "/bin/rm") }
        let prefix = directory + "/with space"
        // As `scripts/moonrail install --prefix DIR` does once it has built; a build is going on around this test.
        let install = try BuiltCommand.run(
            [Repository.root + "/scripts/moonrail", "install", "--no-build", "--prefix", prefix], program: "/bin/bash", patienceSeconds: 120)
        try #require(install.status == 0, "\(install.errors)")
        let command = try BuiltCommand.run(["--version"], program: prefix + "/bin/moonrail")
        #expect(command.output == "moonrail \(Toolkit.version)\n", "\(command.errors)")
        let doctor = try BuiltCommand.run(["doctor"], program: prefix + "/bin/moonrail", patienceSeconds: 120)
        #expect(doctor.output.contains("GOMP_SPINCOUNT=20000"), "nobody set it, so the command does: \(doctor.output)")
        // The line that the installation says.
        let line = try #require(install.output.split(separator: "\n").first { $0.contains("LUA_CPATH") })
        let export = line.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? ""
        let stock = try BuiltCommand.run(
            ["-c", export + "; cd /; lua5.4 -e 'mr = require \"moonrail\" print(mr.version, #mr.policies > 3)'"],
            program: "/bin/bash", patienceSeconds: 120)
        #expect(stock.output == "\(Toolkit.version)\ttrue\n", "\(stock.errors)")
        for name in Toolkit.metaFiles.map(\.name) + ["LuaReference.md"] {
            #expect(AtomicFile.exists(prefix + "/share/moonrail/meta/" + name), "\(name) is not installed")
        }
        let wrong = try BuiltCommand.run(
            [Repository.root + "/scripts/moonrail", "install", "--prefx", prefix], program: "/bin/bash")
        #expect(wrong.status == 2 && wrong.errors.contains("unknown argument '--prefx'"))
    }
}
