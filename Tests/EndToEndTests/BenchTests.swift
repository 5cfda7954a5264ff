import Basics
import CommandTesting
import Formats
import Testing

/// The benchmarks run, and a comparison finds what became slower. No time is asserted.
@Suite(.serialized) struct BenchTests {
    private func bench(_ arguments: [String]) throws -> BuiltCommand.Outcome {
        try BuiltCommand.run(
            ["run", "--quiet", Repository.recipe("bench"), "--reps", "1"] + arguments,
            environment: ["MOONRAIL_BINARY": try BuiltCommand.path()], patienceSeconds: QuickstartTests.patienceSeconds)
    }

    private func rows(_ text: String) throws -> [JSONValue] {
        try text.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
    }

    @Test func everyLineIsJSONWithThePeersKeys() throws {
        let outcome = try bench(["--only", "gemm infer startup", "--net", "resnet20", "--batch", "1", "--threads", "1"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let rows = try rows(outcome.output)
        #expect(rows.map { $0["bench"]?.string } == ["gemm", "infer", "startup", "startup"])
        for row in rows {
            for key in ["ms", "min", "max"] { #expect(row[key]?.number != nil, "\(key)") }
            #expect(row["reps"]?.integer == 1 && row["threads"]?.integer == 1)
        }
        #expect(rows[1]["net"]?.string == "resnet20" && rows[1]["params"]?.integer == 269_722)
        for key in ["batch", "img_s", "rss_mb", "gflops"] { #expect(rows[1][key]?.number ?? 0 > 0, "\(key)") }
    }

    @Test func chainsGoByRank() throws {
        let outcome = try bench(["--only", "tt-forward", "--C", "16", "--hw", "5", "--ranks", "2,4", "--N", "1"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let row = try #require(try rows(outcome.output).first)
        #expect(row["params"]?["0"]?.integer == 16 * 16 * 9 + 16)
        #expect(row["params"]?["2"]?.integer == 16 * 2 + 2 * 2 * 9 + 2 * 16 + 16)
        for rank in ["0", "2", "4"] { #expect(row["ms"]?[rank]?.number ?? 0 > 0, "\(rank)") }
    }

    @Test func trainsKeepTheErrorAskedFor() throws {
        let outcome = try bench(["--only", "ttsvd", "--case", "conv64", "--eps", "0.3"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let row = try #require(try rows(outcome.output).first)
        #expect(row["case"]?.string == "conv64" && row["mode"]?.string == "eps=0.3" && row["ranks"]?.array?.count == 2)
        #expect(row["relerr"]?.number ?? 1 <= 0.3 && row["ratio"]?.number ?? 0 > 1)
        #expect(try bench(["--only", "ttsvd", "--case", "conv65"]).errors.contains("unknown case 'conv65'"))
    }

    @Test func aTerminalGetsATable() throws {
        let outcome = try bench(["--only", "infer", "--net", "resnet20", "--batch", "1", "--terminal"])
        let lines = outcome.output.split(separator: "\n")
        try #require(lines.count == 2, "\(outcome.errors)")
        #expect(lines[0].hasPrefix("benchmark") && lines[1].hasPrefix("infer       resnet20, batch 1"))
        #expect(try rows(bench(["--only", "gemm", "--terminal", "--json"]).output).count == 1)
    }

    /// A baseline that was just written, made a million times slower and faster by hand.
    @Test func baselinesAreWrittenAndCompared() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let path = directory + "/baseline.json"
        let saved = try bench(["--only", "infer", "--net", "resnet20", "--batch", "1", "--baseline", path])
        try #require(saved.status == 0, "\(saved.errors)")
        let file = try JSONValue.parse(try AtomicFile.read(path))
        let processor = try #require(file["processor"]?.string)
        let entry = try #require(file["entries"]?.array?.first)
        #expect(entry["bench"]?.string == "infer" && entry["case"]?["net"]?.string == "resnet20")
        for (factor, status) in [(1e6, Int32(0)), (1e-6, 1)] {
            let ratio = try #require(entry["ratio"]?[""]?.number) * factor
            let text = """
                { "version": 1, "threads": 1, "processor": "\(processor)", "entries": [
                  { "bench": "infer", "case": { "net": "resnet20", "batch": 1 }, "ratio": { "": \(ratio) } } ] }
                """
            try AtomicFile.write(path, text: text)
            let outcome = try bench(["--compare", path])
            #expect(outcome.status == status, "\(outcome.errors)")
            #expect(outcome.output.contains("SLOWER") == (status == 1) && outcome.output.contains("resnet20, batch 1"))
        }
    }

    static let noBaselines = [
        ("{}", "'version' must be 1"), ("[1]", "'version' must be 1"),
        (#"{"version":1,"entries":[]}"#, "'threads' must be"),
        (#"{"version":1,"threads":1,"processor":4,"entries":[]}"#, "'processor' must be a text"),
        (#"{"version":1,"threads":1,"entries":[]}"#, "'entries' must be a list"),
        (#"{"version":1,"threads":1,"entries":[{"bench":"infer"}]}"#, "entry 1: 'case' must be"),
        (#"{"version":1,"threads":1,"entries":[{"bench":"infer","case":{},"ratio":{"":-1}}]}"#, "positive number"),
        (#"{"version":1,"threads":1,"entries":[{"bench":"none","case":{},"ratio":{"":1}}]}"#, "unknown benchmark 'none'"),
    ]

    @Test(arguments: noBaselines) func filesThatAreNoBaseline(text: String, says: String) throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        try AtomicFile.write(directory + "/baseline.json", text: text)
        let outcome = try bench(["--compare", directory + "/baseline.json", "--any-processor"])
        #expect(outcome.status == 1 && outcome.errors.contains(says), "\(outcome.errors)")
    }

    /// Kernels are chosen by processor, so another one's ratios are no measure, unless somebody wants them all the same.
    @Test(arguments: [(#""processor":"Z80","#, "was measured on 'Z80', and this is"), ("", "a processor that it does not name")])
    func anotherProcessorsBaselineIsRefused(field: String, says: String) throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let entry = #"{"bench":"infer","case":{"net":"resnet20","batch":1},"ratio":{"":1e9}}"#
        let path = directory + "/baseline.json"
        try AtomicFile.write(path, text: #"{"version":1,"threads":1,\#(field)"entries":[\#(entry)]}"#)
        let refused = try bench(["--compare", path])
        #expect(refused.status == 1 && refused.errors.contains(says) && refused.errors.contains("scripts/bench baseline"), "\(refused.errors)")
        let wanted = try bench(["--compare", path, "--any-processor"])
        #expect(wanted.status == 0 && wanted.output.hasPrefix("Note: ") && wanted.output.contains(says), "\(wanted.errors)")
    }

    @Test(arguments: [
        (["--net", "resnet56"], "--net is up to the baseline"), (["--threads", "2"], "measured with 1 threads, not with 2"),
        (["--only", "plan"], "no entry for plan"), (["--only", "pln"], "unknown benchmark 'pln'"),
    ]) func optionsThatWouldNotCountAreRefused(options: [String], says: String) throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let entry = #"{"bench":"infer","case":{"net":"resnet20","batch":1},"ratio":{"":1}}"#
        try AtomicFile.write(directory + "/baseline.json", text: #"{"version":1,"threads":1,"entries":[\#(entry)]}"#)
        let outcome = try bench(["--compare", directory + "/baseline.json", "--any-processor"] + options)
        #expect(outcome.status == 1 && outcome.errors.contains(says), "\(outcome.errors)")
    }

    /// The judgement itself, with made-up times: one bad measurement is forgiven, two are not.
    @Test func whatCountsAsSlower() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let script = directory + "/compare.lua"
        try AtomicFile.write(
            script,
            text: """
                package.path = "\(Repository.root)/scripts/recipes/?.lua;" .. package.path
                local baseline = require "bench.baseline"
                local saved = { threads = 1, entries = { { bench = "a", case = { net = "x" }, ratio = { [""] = 2 } } } }
                local function judge(gemm, ...)
                    local times, calls, text = { ... }, 0, ""
                    local passed = baseline.compare(saved, function(name)
                        if name == "gemm" then return { ms = gemm } end
                        calls = calls + 1
                        return { ms = times[calls] }
                    end, { margin = 0.15, print = function(line) text = text .. line .. "\\n" end })
                    return passed, calls, text
                end
                local function expect(passed, calls, ...)
                    local was, count, text = judge(...)
                    assert(was == passed and count == calls, text)
                    assert(passed == not text:find "SLOWER", text)
                end
                expect(true, 1, 1, 2)            -- the same
                expect(true, 1, 1, 2.2)          -- within the margin
                expect(true, 1, 10, 20)          -- a slower machine
                expect(true, 1, 1, 0.5)          -- faster
                expect(true, 2, 1, 3, 2.1)       -- one bad measurement
                expect(false, 2, 1, 3, 2.5)      -- two
                expect(false, 2, 0.5, 2, 2)      -- the machine is faster, this is not
                saved.entries[1].ratio = { ["0"] = 2, ["32"] = 1 }
                local passed, _, text = (function()
                    local text = ""
                    local passed = baseline.compare(saved, function(name)
                        if name == "gemm" then return { ms = 1 } end
                        return { ms = { ["0"] = 2, ["32"] = 2 }, min = {}, max = {} }
                    end, { margin = 0.15, print = function(line) text = text .. line end })
                    return passed, nil, text
                end)()
                assert(not passed and text:find "1 of 2 slower", text)
                print "judged"
                """)
        let outcome = try BuiltCommand.run(["run", "--quiet", script])
        #expect(outcome.status == 0 && outcome.output == "judged\n", "\(outcome.errors)")
    }
}
