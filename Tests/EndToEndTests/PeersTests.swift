import Basics
import CommandTesting
import Formats
import Glibc
import Testing

/// The comparison with other software, with shell scripts in the place of Python that print what a test wants.
@Suite(.serialized) struct PeersTests {
    /// A Python that has every package, and whose engines take these milliseconds.
    private func engines(_ onnxruntime: Double, _ jit: Double, parameterCount: Int = 269_722) -> String {
        func line(_ ms: Double) -> String { #"echo '{"bench":"infer","threads":1,"params":\#(parameterCount),"ms":\#(ms)}'"# }
        return """
            case "$*" in
            -c*) ;;
            */peers/infer.py*onnxruntime*--threads\\ 1*) \(line(onnxruntime)) ;;
            */peers/infer.py*jit*--threads\\ 1*) \(line(jit)) ;;
            *) \(line(1e9)) ;;
            esac
            """
    }

    private func peers(_ python: String, _ arguments: [String] = []) throws -> BuiltCommand.Outcome {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let path = directory + "/it's python"
        try AtomicFile.write(path, text: "#!/bin/sh\n" + python + "\n")
        try #require(chmod(path, 0o755) == 0)
        let recipe = ["run", "--quiet", Repository.recipe("peers"), "--python", path, "--rounds", "1", "--reps", "1", "--threads", "1"]
        return try BuiltCommand.run(
            recipe + ["--only", "infer", "--of", "resnet20, batch 128"] + arguments,
            environment: ["MOONRAIL_BINARY": try BuiltCommand.path()], patienceSeconds: QuickstartTests.patienceSeconds)
    }

    @Test func oursIsHeldAgainstTheBest() throws {
        let outcome = try peers(engines(7e6, 4e6))
        try #require(outcome.status == 0, "\(outcome.errors)")
        let row = try JSONValue.parse(Array(outcome.output.utf8))
        #expect(row["bench"]?.string == "infer" && row["net"]?.string == "resnet20" && row["batch"]?.integer == 128)
        #expect(row["peer"]?.string == "torch jit" && row["peers"]?["onnxruntime"]?.number == 7e6)
        let ours = try #require(row["ours"]?.number)
        #expect(abs((row["ratio"]?.number ?? 0) / (ours / 4e6) - 1) < 1e-9 && row["share"]?.number == 0.8)
        #expect(row["reached"]?.bool == true && row["rounds"]?.integer == 1 && row["threads"]?.integer == 1)
    }

    @Test func anAimThatIsMissedShows() throws {
        let outcome = try peers(engines(1e-6, 1), ["--terminal"])
        #expect(outcome.status == 1 && outcome.output.contains("MISSED") && outcome.output.contains("0 of 1 aims reached, 1 threads"))
        #expect(outcome.output.contains("resnet20, batch 128") && outcome.output.contains("onnxruntime"), "\(outcome.errors)")
    }

    static let failures: [(python: String, says: [String])] = [
        (#"echo onnx torch"#, ["has no onnx, torch", "-m venv DIR && DIR/bin/pip install torch", "scripts/bench peers --python"]),
        ("exit 127", ["is no Python that runs", "pip install"]),
        (#"case "$*" in -c*) ;; *) echo Traceback; esac"#, ["printed no JSON line", "infer.py", "Traceback"]),
        (#"case "$*" in -c*) ;; *) exit 1; esac"#, ["this failed", "infer.py"]),
    ]

    @Test(arguments: failures) func whatIsMissingIsSaid(_ failure: (python: String, says: [String])) throws {
        let outcome = try peers(failure.python)
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        for words in failure.says { #expect(outcome.errors.contains(words), "\(outcome.errors)") }
    }

    @Test func otherWorkIsNotCompared() throws {
        let outcome = try peers(engines(1, 1, parameterCount: 5))
        #expect(outcome.status == 1 && outcome.errors.contains("does other work than ours: 'params' differs"), "\(outcome.errors)")
    }

    @Test(arguments: [(["--only", "infr"], "nothing is compared for 'infr'; there are imprint, infer"), (["--of", "resnet21"], "contains 'resnet21'")])
    func unknownWorkIsNamed(options: [String], says: String) throws {
        let outcome = try peers("exit 1", options)
        #expect(outcome.status == 1 && outcome.errors.contains(says), "\(outcome.errors)")
    }

    /// Turns, medians and judgement with made-up lines, and that every program named is there.
    @Test func whatCountsAsReached() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let script = directory + "/sitting.lua"
        try AtomicFile.write(
            script,
            text: """
                local scripts = "\(Repository.root)/scripts/"
                package.path = scripts .. "recipes/?.lua;" .. package.path
                local sitting = require "bench.sitting"
                local function near(a, b) assert(math.abs(a - b) < 1e-12, ("%g is not %g"):format(a, b)) end

                local work = { bench = "w", options = { net = "n" }, peers = { a = {}, b = {} }, held = { { figure = "ms.8", share = 0.5 } } }
                local times, order = { ours = { 4, 1, 3 }, a = { 8, 10, 9 }, b = { 7, 6, 50 } }, {}
                local lines = sitting.lines(work, 3, function(name, _, ours)
                    order[#order + 1] = name
                    assert(name == "ours" or ours.ms)
                    return { ms = { ["8"] = table.remove(times[name], 1) }, threads = 2, relerr = name == "b" and 0.2 or 0.1, foreign_cores = 0.1 }
                end)
                assert(table.concat(order, " ") == "ours a b b a ours ours a b")
                local row = sitting.rows(work, lines)[1]
                assert(row.ours == 3 and row.peer == "b" and row.best == 7 and row.peers.a == 9 and row.reached and row.net == "n")
                near(row.ratio, 3 / 7)
                near(row.ratio_min, 3 / 50)
                near(row.ratio_max, 4 / 7)
                assert(row.rounds == 3 and row.threads == 2 and row.foreign_cores == 0.1)

                work.error = 0.1                                     -- what is less accurate does not count
                row = sitting.rows(work, lines)[1]
                assert(row.peer == "a" and row.reached)
                for _, line in ipairs(lines.ours) do line.relerr = 0.11 end
                assert(not sitting.rows(work, lines)[1].reached)
                work.error, work.held = nil, { { figure = "ms.8", share = 0.4 } }
                assert(not sitting.rows(work, lines)[1].reached)
                work.peers, work.held = {}, { { figure = "ms.8", limit = 3 } }
                row = sitting.rows(work, lines)[1]
                assert(row.reached and not row.ratio)
                work.held[1].limit = 2.9
                assert(not sitting.rows(work, lines)[1].reached)
                assert(not pcall(sitting.rows, { bench = "w", options = {}, peers = {}, held = { { figure = "rss_mb" } } }, lines))

                local programs = 0
                for _, claim in ipairs(require "bench.claims") do
                    for _, peer in pairs(claim.peers) do
                        assert(io.open(scripts .. "peers/" .. peer.file), peer.file):close()
                        programs = programs + 1
                    end
                end
                assert(programs > 30)

                local machine = require "bench.machine"
                local text = "processor : 0\\ncpu family\\t: 25\\nmodel\\t\\t: 17\\nmodel name\\t: AMD EPYC \\nflags\\t\\t: fpu avx2 avx512f\\n"
                assert(machine.processor(text) == "AMD EPYC, family 25, model 17, AVX-512")
                assert(machine.processor((text:gsub(" avx512f", ""))) == "AMD EPYC, family 25, model 17, AVX2")
                assert(machine.processor "CPU part : 0xd0c\\n" == nil)
                local all, own = machine.processor_seconds()
                assert(all >= own and own >= 0)
                print "judged"
                """)
        let outcome = try BuiltCommand.run(["run", "--quiet", script])
        #expect(outcome.status == 0 && outcome.output == "judged\n", "\(outcome.errors)")
    }
}
