import Basics
import CommandTesting
import Testing

/// `moonrail run --sandbox` and its limits.
@Suite struct SandboxCommandTests {
    private func run(_ options: [String], _ text: String) throws -> BuiltCommand.Outcome {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        return try BuiltCommand.run(["run"] + options + [try Script(text, in: directory).path, directory])
    }

    @Test func aStrangersScriptIsConfined() throws {
        let found = try run(["--sandbox"], "print(_G.io, _G.debug, os.execute, require, pcall(require('moonrail').read_text, '/etc/hostname'))")
        #expect(found.status == 0 && found.output.hasPrefix("nil\tnil\tnil\tfunction") && found.output.contains("this host allows none"), "\(found)")
        let environment = try BuiltCommand.run(["run", "--sandbox", "-"], input: "print(x)", environment: ["LUA_INIT": "x = 1"])
        #expect(environment.status == 1 && environment.errors.contains("unknown global 'x'"))
    }

    @Test func whatIsAllowedIsReached() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let script = try Script(
            "local mr = require 'moonrail' mr.write_text(arg[1] .. '/made.txt', 'yes') print(mr.read_text(arg[1] .. '/made.txt'))", in: directory)
        let found = try BuiltCommand.run(["run", "--sandbox", "--allow", directory, script.path, directory])
        #expect(found.output == "yes\n", "\(found.errors)")
        let refused = try BuiltCommand.run(["run", "--sandbox", "--allow", directory + "/made.txt", script.path, "/tmp"])
        #expect(refused.status == 1 && refused.errors.contains("must lie in"), "\(refused.errors)")
    }

    @Test(arguments: [
        (["--seconds", "0.3"], "while true do pcall(function() while true do end end) end", "more seconds than its limit"),
        // LAPACK looks for no limit, so that the process ends behind it.
        (["--seconds", "0.3"], "require('moonrail').randn(4000, 4000):svd()", "more seconds than its limit"),
        (["--instructions", "100000"], "while true do end", "more instructions than its limit"),
        (["--memory", "64M"], "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end", "not enough memory"),
        (["--sandbox", "--memory", "64M"], "local mr, t = require 'moonrail', {} for i = 1, 1e9 do t[i] = mr.zeros(1 << 20) end", "memory"),
    ])
    func limitsEndTheScript(options: [String], text: String, message: String) throws {
        let found = try run(options, text)
        #expect(found.status == 1 && found.errors.contains(message), "\(found)")
    }

    @Test(arguments: [
        (["--allow", "x"], "--allow is for a script in the --sandbox"), (["--memory", "lots"], "--memory takes a number of bytes"),
        (["--memory", "99999999999T"], "--memory takes"), (["--seconds", "0"], "--seconds must be above 0"), (["--instructions", "0"], "at least 1"),
    ])
    func limitsThatMakeNoSenseAreRefused(options: [String], message: String) throws {
        let found = try run(options, "print(1)")
        #expect(found.status == 2 && found.errors.contains(message) && found.output.isEmpty, "\(found)")
    }
}
