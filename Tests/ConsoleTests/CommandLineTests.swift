import Basics
import CommandTesting
import Glibc
import Testing

/// A Lua file for one test.
struct Script {
    let path: String

    init(_ text: String, in directory: String, name: String = "recipe.lua") throws {
        path = directory + "/" + name
        try AtomicFile.write(path, text: text)
    }
}

@Suite struct CommandLineTests {
    private func run(_ text: String, before: [String] = [], after: [String] = []) throws -> BuiltCommand.Outcome {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        return try BuiltCommand.run(["run"] + before + [try Script(text, in: directory).path] + after)
    }

    @Test func passesTheScriptItsOwnOptions() throws {
        let outcome = try run(
            "#!/usr/bin/env moonrail\nprint(arg[0]:match('[^/]+$'), table.concat(arg, ' '), select('#', ...))",
            before: ["--threads", "1", "--quiet"], after: ["--keep", "0.5", "--help", "--", "--threads"])
        #expect(outcome.output == "recipe.lua\t--keep 0.5 --help -- --threads\t5\n")
        #expect(outcome.status == 0)
    }

    @Test(arguments: ["--help", "-h"]) func runHasHelpOfItsOwn(option: String) throws {
        let outcome = try BuiltCommand.run(["run", option])
        #expect(outcome.status == 0 && outcome.output.contains("Runs a Lua script"), "\(outcome.errors)")
    }

    @Test func globalsThatNothingDeclaredAreMistakes() throws {
        let outcome = try run("model = 1\nprint(modle)")
        #expect(outcome.status == 1 && outcome.errors.contains("recipe.lua:2: unknown global 'modle' (did you mean 'model'?)"))
    }

    @Test func scriptsListTheirOptions() throws {
        let outcome = try run(
            "local args = require 'moonrail'.args { keep = { default = 0.5, help = 'share kept' }, out = '' }", after: ["--help"])
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(outcome.output.contains("  --keep  share kept; default: 0.5\n  --out   default: none\n"), "\(outcome.output)")
    }

    @Test func doubleDashEndsTheOptionsOfRun() throws {
        let outcome = try run("print(#arg, arg[1])", before: ["--"], after: ["-x"])
        #expect(outcome.output == "1\t-x\n")
    }

    @Test func errorsNameTheLineAndEndWithStatusOne() throws {
        let outcome = try run("local function f()\n  error('boom')\nend\nlocal r = f()")
        #expect(outcome.status == 1)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.first?.hasSuffix("recipe.lua:2: boom") ?? false)
        #expect(lines.first?.hasPrefix("error: /tmp/") ?? false)
        #expect(lines.last?.hasSuffix("recipe.lua:4: in main chunk") ?? false)
        #expect(!outcome.errors.contains("[C]"))
    }

    @Test func syntaxErrorsNameTheLine() throws {
        let outcome = try run("local x = 1\nx y\n")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("recipe.lua:2: syntax error near 'y'"))
    }

    @Test func aMissingScriptIsOneSentenceWithAHint() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        _ = try Script("", in: directory)
        let outcome = try BuiltCommand.run(["run", directory + "/recipy.lua"])
        #expect(outcome.errors == "error: no script '\(directory)/recipy.lua' (did you mean '\(directory)/recipe.lua'?)\n")
        #expect(outcome.status == 1)
    }

    @Test(arguments: [
        ["run"], ["run", "--nosuch", "x.lua"], ["run", "--threads", "many", "x.lua"], ["run", "--threads", "0", "x.lua"],
        ["doctor", "surplus"],
    ])
    func wrongCommandLinesEndWithStatusTwo(arguments: [String]) throws {
        let outcome = try BuiltCommand.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("Usage:"))
        #expect(outcome.output == "")
    }

    @Test func refusesASenselessThreadCountInTheEnvironment() throws {
        let outcome = try BuiltCommand.run(["repl"], environment: ["MOONRAIL_THREADS": "lots"])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("MOONRAIL_THREADS must be a number between 1 and 256, got 'lots'"))
    }

    @Test func requireFindsModulesBesideTheScript() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        _ = try Script("return { answer = 42 }", in: directory, name: "deep_thought.lua")
        let script = try Script("print(require('deep_thought').answer)", in: directory)
        #expect(try BuiltCommand.run(["run", script.path]).output == "42\n")
    }

    @Test func controlCEndsARunWithStatus130() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let script = try Script("print('> ') while true do pcall(function() while true do end end) end", in: directory)
        let session = try PromptSession(["run", script.path])
        session.type("\u{3}")
        try session.expect("interrupted")
        #expect(try session.end() == 130)
    }

    @Test func versionAndHelp() throws {
        #expect(try BuiltCommand.run(["--version"]).output.hasPrefix("moonrail 0."))
        let help = try BuiltCommand.run(["--help"])
        #expect(help.output.contains("moonrail run recipe.lua --keep 0.5"))
        #expect(help.status == 0)
    }

    @Test func doctorNamesTheLibrariesAndChecksTheirKernels() throws {
        let outcome = try BuiltCommand.run(["doctor"])
        for name in [
            "Lua 5.4", "oneDNN", "OpenBLAS 0.", "own kernels", "channel block", "memory", "Fashion-MNIST", "convolution 3×3",
            "batch norm", "pooling", "matrix product", "singular values", "ok",
        ] {
            #expect(outcome.output.contains(name), "\(name)")
        }
        #expect(!outcome.output.contains("WRONG") && outcome.errors.isEmpty, "\(outcome.output)\(outcome.errors)")
    }

    /// Instruction sets can be limited, and a limit that is none does not pass for one.
    @Test func doctorNamesWhatLimitsTheKernels() throws {
        let limited = try BuiltCommand.run(
            ["doctor"], environment: ["MOONRAIL_MAX_CPU_ISA": "BASELINE", "DNNL_MAX_CPU_ISA": "SSE41"])
        #expect(limited.output.contains("BASELINE, limited by MOONRAIL_MAX_CPU_ISA=BASELINE"), "\(limited.output)")
        #expect(limited.output.contains("SSE41, limited by DNNL_MAX_CPU_ISA=SSE41") && !limited.output.contains("WRONG"))
        #expect(limited.output.contains("own:BASELINE"))
        let unknown = try BuiltCommand.run(["doctor"], environment: ["MOONRAIL_MAX_CPU_ISA": "AVX3"])
        #expect(unknown.status == 1)
        #expect(
            unknown.errors.contains("MOONRAIL_MAX_CPU_ISA is 'AVX3', which limits nothing; there are BASELINE, AVX2, AVX512_CORE"),
            "\(unknown.errors)")
    }
}
