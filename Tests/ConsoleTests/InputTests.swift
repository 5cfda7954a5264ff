import Basics
import CommandTesting
import Console
import Glibc
import LuaRuntime
import Testing

@Suite struct InputChunkTests {
    private func kind(_ text: String) throws -> String {
        switch try InputChunk(text, in: LuaState()) {
        case .expression(_, let isSilent): isSilent ? "silent" : "expression"
        case .statements: "statements"
        case .incomplete: "incomplete"
        }
    }

    @Test(arguments: [
        ("1 + 1", "expression"), ("f()", "expression"), ("1 + 1;", "silent"), ("f() ; ", "silent"),
        ("f() -- text;", "expression"), ("x = 1", "statements"), ("x = 1;", "statements"), ("local x <const> = 1", "statements"),
        ("for i = 1, 2 do", "incomplete"), ("1 +", "incomplete"), ("f(", "incomplete"), ("x = {", "incomplete"),
        ("s = [[open", "incomplete"), ("-- only a comment", "expression"), ("goto done ::done::", "statements"),
    ])
    func tellsExpressionsFromStatements(text: String, expected: String) throws {
        #expect(try kind(text) == expected)
    }

    @Test(arguments: ["x y", "end", "1 1", "s = 'open", "x = = 1", "local x <nosuch> = 1"])
    func wrongTextIsASyntaxError(text: String) {
        #expect(throws: LuaFailure.self) { try kind(text) }
    }

    @Test(arguments: [
        ("local x = 1", "x = 1"), ("  local a, b = 1, 2", "  a, b = 1, 2"), ("local function f() end", "function f() end"),
        ("local x", "local x"), ("local x <close> = y", "local x <close> = y"), ("localx = 1", "localx = 1"),
    ])
    func localsBecomeGlobals(text: String, expected: String) {
        #expect(InputChunk.keepingLocals(text) == expected)
    }
}

@Suite struct InputContextTests {
    @Test(arguments: [
        ("pri", InputContext.Place.name, "pri", InputContext.Options?.none),
        ("x = mr.lw", .member(of: [.field("mr")], isMethod: false), "lw", nil),
        ("print(model:", .member(of: [.field("model")], isMethod: true), "", nil),
        (#"m.layers["a.b"].we"#, .member(of: [.field("m"), .field("layers"), .field("a.b")], isMethod: false), "we", nil),
        ("rows[3].na", .member(of: [.field("rows"), .index(3)], isMethod: false), "na", nil),
        (#"mr.load "dir/fi"#, .path, "dir/fi", nil),
        (#"m.layers["stage1.bl"#, .key(of: [.field("m"), .field("layers")]), "stage1.bl", nil),
        (#"f(a)["st"#, .unknown, "st", nil),
        ("mr.plan(m, { bud", .name, "bud", InputContext.Options("mr.plan")),
        ("mr.plan(m, { budget = { params = 1 }, sco", .name, "sco", InputContext.Options("mr.plan")),
        ("mr.plan(m, { min_rank = 2, budget = { params = 1, ma", .name, "ma", InputContext.Options("mr.plan", "budget")),
        ("mr.args { ke", .name, "ke", InputContext.Options("mr.args")),
        ("mr.args { keep = { def", .name, "def", InputContext.Options("mr.args", "keep")),
        ("x = { bud", .name, "bud", nil),
        ("mr.plan(m, { budget = nu", .name, "nu", nil),
        ("f(a, bud", .name, "bud", nil),
        ("f(a).bud", .unknown, "bud", nil),
    ])
    func findsWhatIsTyped(line: String, place: InputContext.Place, word: String, optionsOf: InputContext.Options?) {
        let context = InputContext(line)
        #expect(context.place == place)
        #expect(context.word == word)
        #expect(context.optionsOf == optionsOf)
    }
}

@Suite struct CompleterTests {
    private func completer() throws -> Completer {
        let state = try LuaState()
        try state.run(
            "tool = { alpha = 1, alphabet = { 5 }, act = function() end }; list = { { name = 'x.one' }, { name = 'x.two' }, extra = 1 }; loop_guard = 1")
        return Completer(state) { function, inner in
            function == "tool.act" ? (inner == "budget" ? ["params"] : ["budget", "basis"]) : []
        }
    }

    @Test(arguments: [
        ("too", "l", ["tool"]), ("tool.al", "pha", ["alpha", "alphabet"]), ("tool:", "act", ["act"]),
        ("list[1].", "name", ["name"]), ("tool.act { bu", "dget = ", ["budget = "]),
        ("tool.act { budget = { pa", "rams = ", ["params = "]), (#"list["x.t"#, "wo", ["x.two"]), (#"list["ex"#, "tra", ["extra"]),
        (#"tool.nosuch["x"#, "", []), ("unti", "l", ["until"]),
        ("tool.nosuch.x", "", []), ("f().x", "", []), ("loop_gu", "ard", ["loop_guard"]),
    ])
    func completes(line: String, insertion: String, candidates: [String]) throws {
        #expect(try completer().complete(line) == Completer.Result(insertion: insertion, candidates: candidates))
    }

    @Test func completesPathsInStrings() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        for name in ["model.onnx", "model.safetensors", ".hidden"] { try AtomicFile.write(directory + "/" + name, text: "") }
        let result = try completer().complete("load '\(directory)/m")
        #expect(result == Completer.Result(insertion: "odel.", candidates: ["model.onnx", "model.safetensors"]))
    }
}

@Suite struct HistoryFileTests {
    @Test func keepsWhatWasEnteredForItsOwnerOnly() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let history = HistoryFile(path: directory + "/history")
        #expect(history.load() == [])
        history.append("first")
        HistoryFile(path: directory + "/history").append("second")
        #expect(history.load() == ["first", "second"])
        var info = stat()
        #expect(stat(directory + "/history", &info) == 0 && info.st_mode & 0o777 == 0o600)
    }

    @Test func isCutWhenItHasGrownLong() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let path = directory + "/history"
        let count = 2 * HistoryFile.longestHistory + 1
        try AtomicFile.write(path, text: (1...count).map { "line \($0)\n" }.joined())
        let loaded = HistoryFile(path: path).load()
        #expect(loaded.count == HistoryFile.longestHistory && loaded.last == "line \(count)")
        #expect(String(decoding: try AtomicFile.read(path), as: UTF8.self).split(separator: "\n").count == loaded.count)
    }

    @Test func doesWithoutAFileThatCannotBeWritten() {
        let history = HistoryFile(path: "/proc/nosuch/history")
        history.append("lost")
        #expect(history.load() == [])
    }
}

@Suite struct ErrorReportTests {
    private func report(_ text: String) throws -> ErrorReport {
        do {
            try LuaState().run(text, name: "recipe.lua")
        } catch {
            return ErrorReport(error) { $0 == "recipe.lua" }
        }
        Issue.record("no error in \(text)")
        throw Interrupted()
    }

    @Test func oneLineIsNotRepeated() throws {
        #expect(try report("local x = nil + 1").text(usesColor: false).contains("in main chunk") == false)
        let placed = try report("\nlocal x = error('no place', 0)").placed
        #expect(placed.text(usesColor: false) == "error: recipe.lua:2: no place\n")
    }

    @Test func deepTracesAreCut() throws {
        let report = try report("local function f(n) if n == 0 then error('deep') end local x = f(n - 1) return x end local y = f(40)")
        #expect(report.trace.count == 9 && report.trace.last == "…")
    }

    @Test func colourIsForThoseWhoLikeIt() throws {
        #expect(try report("error('x', 0)").text(usesColor: true).hasPrefix("\u{1B}[31merror:\u{1B}[0m x"))
    }
}
