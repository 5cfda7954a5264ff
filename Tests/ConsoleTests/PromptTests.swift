import Basics
import CommandTesting
import Glibc
import Testing

@Suite struct PromptTests {
    @Test func showsValuesOfExpressions() throws {
        let session = try PromptSession()
        let first = try session.enter("6 * 7")
        #expect(first == "\r\n42")
        #expect(try session.enter("'a' .. 'b', nil") == "\r\n\"ab\"\tnil")
        #expect(try session.enter("x = 'quiet'") == "")
        #expect(try session.enter("print('said')") == "\r\nsaid")
    }

    @Test func semicolonSilencesAndUnderscoreRemembers() throws {
        let session = try PromptSession()
        #expect(try session.enter("6 * 7;") == "")
        #expect(try session.enter("_ + 1") == "\r\n43")
        #expect(try session.enter("_ + 1 -- no silence;") == "\r\n44")
    }

    @Test func goesOnUntilTheChunkIsComplete() throws {
        let session = try PromptSession()
        #expect(try session.enter("for i = 1, 2 do", prompt: "\r\n>> ") == "")
        #expect(try session.enter("print(i * 100)", prompt: "\r\n>> ") == "")
        #expect(try session.enter("end") == "\r\n100\r\n200")
        #expect(try session.enter("1 +", prompt: "\r\n>> ") == "")
        #expect(try session.enter("2") == "\r\n3")
    }

    @Test func controlCDropsWhatIsBeingTyped() throws {
        let session = try PromptSession()
        try session.enter("for i = 1, 2 do", prompt: "\r\n>> ")
        session.type("print(")
        try session.expect("print(")
        session.type("\u{3}")
        try session.expect("^C\r\n> ")
        #expect(try session.enter("6 * 7") == "\r\n42")
    }

    /// A key that Ctrl-C takes away again while it is waited for must not be waited for on.
    @Test func controlCBehindAKeyIsNotLost() throws {
        let session = try PromptSession()
        for _ in 0..<200 {
            session.type("x")
            session.type("\u{3}")
            try session.expect("^C\r\n> ")
        }
        #expect(try session.enter("6 * 7") == "\r\n42")
    }

    /// The system may give the signal to a thread of the kernels' in place of the one that reads.
    @Test func controlCIsNotLostToOtherThreads() throws {
        let session = try PromptSession()
        try session.enter("mr.threads(2) mr.randn(300, 300):matmul(mr.randn(300, 300));")
        for _ in 0..<200 {
            session.type("string.g\t")
            try session.expect("gsub")
            session.type("\u{3}")
            try session.expect("^C\r\n> ")
        }
        #expect(try session.enter("6 * 7") == "\r\n42")
    }

    @Test(arguments: [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()",
    ])
    func controlCStopsTheComputationOnly(loop: String) throws {
        let session = try PromptSession(environment: ["NO_COLOR": "1"])
        try session.enter("kept = 6")
        session.type("print('begun') " + loop + "\n")
        try session.expect("\r\nbegun\r\n")
        session.type("\u{3}")
        try session.expect("interrupted")
        try session.expect("\r\n> ")
        #expect(try session.enter("kept * 7") == "\r\n42")
    }

    /// A finalizer runs without hooks, and a decomposition is one call: nothing in them sees a request to stop.
    @Test func theThirdControlCEndsWhatSeesNone() throws {
        let session = try PromptSession(environment: ["NO_COLOR": "1"])
        session.type("setmetatable({}, { __gc = function() print('begun') while true do end end }) collectgarbage()\n")
        try session.expect("\r\nbegun\r\n")
        for _ in 0..<3 { session.type("\u{3}") }
        usleep(600_000)
        session.type("\u{3}")
        try session.expect("Ctrl-C once more ends moonrail.")
        usleep(600_000)
        session.type("\u{3}")
        #expect(try session.end() == 130)
    }

    @Test func tellsTheTimeOfLongCommands() throws {
        let session = try PromptSession(environment: ["NO_COLOR": "1"])
        let shown = try session.enter("local t = os.clock() while os.clock() - t < 0.15 do end")
        // The memory is that of tensors, of which there are none.
        #expect(shown.hasPrefix("\r\n(0.") && shown.hasSuffix(" s, 0 B)"), "\(shown)")
    }

    @Test func tabCompletesNamesMembersAndPaths() throws {
        let session = try PromptSession()
        session.type("tostr\t(12)..'!'\n")
        #expect(try session.expect("\r\n> ").contains("\"12!\""))
        session.type("('x'):rep(3), string.le\t('four')\n")
        #expect(try session.expect("\r\n> ").hasSuffix("\"xxx\"\t4"))
        session.type("string.g\t")
        #expect(try session.expect("gmatch").contains("\r\n"))
        try session.expect("gsub")
        session.type("\u{3}")
        try session.expect("^C\r\n> ")
        session.type("#'/etc/pass\t'\n")
        #expect(try session.expect("\r\n> ").hasSuffix("11"))
    }

    @Test func tabCompletesMethodsOfRows() throws {
        let session = try PromptSession()
        try session.enter("r = mr.rows { { a = 41 } }")
        session.type("r:colu\t('a')[1] + 1\n")
        #expect(try session.expect("\r\n> ").hasSuffix("42"))
        let shown = try session.enter("?r")
        #expect(shown.hasPrefix("\r\nr: Rows of 1\r\n  methods: column, csv, filter"), "\(shown)")
    }

    /// What Ctrl-C ended stands before no later bar.
    @Test func barsGoWithTheirChunk() throws {
        let session = try PromptSession(environment: ["NO_COLOR": "1"])
        try session.enter("first, second = mr.progress('first', 9), mr.progress('second', 9)")
        let work = "local t = mr.clock() while mr.clock() - t < 0.5 do end"
        #expect(try session.enter("first:advance() \(work) first:advance() error 'stop'").contains("first"))
        let shown = try session.enter("second:advance() \(work) second:advance()")
        #expect(shown.contains("second") && !shown.contains("first"), "\(shown)")
    }

    @Test func errorsAreOneSentenceAndTheUsersLines() throws {
        let session = try PromptSession(environment: ["NO_COLOR": "1"])
        #expect(try session.enter("error('boom')") == "\r\nerror: boom")
        try session.enter("function inner() error('deep') end")
        try session.enter("function outer() inner() end")
        let shown = try session.enter("outer()")
        #expect(shown.hasPrefix("\r\nerror: deep\r\n  input:1: in function 'inner'"))
        #expect(!shown.contains("[C]"))
        #expect(try session.enter("x y") == "\r\nerror: syntax error near 'y'")
    }

    @Test func errorsAreRedUnlessColoursAreUnwanted() throws {
        #expect(try PromptSession().enter("error('boom')").contains("\u{1B}[31m"))
        #expect(try !PromptSession(environment: ["NO_COLOR": "1"]).enter("error('boom')").contains("\u{1B}"))
    }

    @Test func questionMarkDescribes() throws {
        let session = try PromptSession()
        try session.enter("t = { b = 1, a = print }")
        #expect(try session.enter("?t") == "\r\nt: a table\r\n  functions: a\r\n  fields: b")
        #expect(try session.enter("?nosuch") == "\r\nnothing is known about 'nosuch'; ??nosuch searches")
        #expect(try session.enter("?mr.plan").contains("Chooses ranks for every layer"))
        #expect(try session.enter("?policies").contains("A policy turns layers and a budget into ranks"))
        #expect(try session.enter("?mr.schedule").contains("mr.schedule.one_cycle"))
        #expect(try session.enter("??checkpoint").contains("Model:fit"))
        #expect(try session.enter("??xyzzy") == "\r\nnothing mentions 'xyzzy'")
        #expect(try session.enter("?").contains(":save FILE"))
    }

    @Test func lastValuesHaveNumbers() throws {
        let session = try PromptSession()
        try session.enter("10")
        try session.enter("'twenty'")
        try session.enter("nil")
        #expect(try session.enter("_1, _2, _") == "\r\n\"twenty\"\t10\t\"twenty\"")
    }

    @Test func colonCommandsTellAboutTheSession() throws {
        let session = try PromptSession(environment: ["NO_COLOR": "1"])
        #expect(try session.enter(":who") == "\r\nnothing yet")
        try session.enter("answer = 42")
        try session.enter("t = mr.zeros(1000)")
        let who = try session.enter(":who")
        #expect(who.contains("answer  42") && who.contains("t       Tensor float32 [1000]") && !who.contains("string"), "\(who)")
        let time = try session.enter(":time 6 * 7")
        #expect(time.hasPrefix("\r\n42\r\n(") && time.contains(" ms, ") && time.hasSuffix("B)"), "\(time)")
        #expect(try session.enter(":mem").contains("tensors at most"))
        #expect(try session.enter(":wh") == who)
        #expect(try session.enter(":tiem").contains("error: unknown command ':tiem' (did you mean ':time'?)"))
        #expect(try session.enter(":time for i = 1, 2 do").contains("one whole chunk"))
        session.type(":q\n")
        #expect(try session.end() == 0)
    }

    @Test func sessionsAreSavedAsScripts() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let session = try PromptSession(environment: ["NO_COLOR": "1"])
        try session.enter("local six = 6")
        try session.enter("mr.seed(3);")
        try session.enter("six * 7 -- the answer")
        try session.enter("eror 'typo'")
        try session.enter("print 'said'")
        try session.enter("for i = 1, 2 do", prompt: "\r\n>> ")
        try session.enter("print(i)", prompt: "\r\n>> ")
        try session.enter("end")
        let path = directory + "/session.lua"
        #expect(try session.enter(":save \(path)") == "\r\nwrote \(path): 5 inputs")
        let text = String(decoding: try AtomicFile.read(path), as: UTF8.self)
        #expect(
            text == """
                local mr = require "moonrail"
                local six = 6
                mr.seed(3)
                print(six * 7 -- the answer
                )
                print 'said'
                for i = 1, 2 do
                print(i)
                end

                """)
        #expect(try BuiltCommand.run(["run", path]).output == "42\nsaid\n1\n2\n")
        // Inputs that use the last values find them in the script too.
        try session.enter("_ + _2")
        try session.enter(":save \(path)")
        #expect(try BuiltCommand.run(["run", path]).output == "42\nsaid\n1\n2\n45\n")
        #expect(try session.enter(":save").contains(":save needs the name of a file"))
        #expect(try session.enter(":save /nowhere/x.lua").contains("cannot write /nowhere/x.lua"))
    }

    @Test func unknownGlobalsAreMistakes() throws {
        let session = try PromptSession(environment: ["NO_COLOR": "1"])
        try session.enter("scores = {}")
        #expect(try session.enter("score") == "\r\nerror: unknown global 'score' (did you mean 'scores'?)")
    }

    @Test func tabCompletesOptionsAndCommands() throws {
        let session = try PromptSession()
        session.type("mr.plan(model, { bud\t")
        try session.expect("get = ")
        session.type("\u{3}")
        try session.expect("^C\r\n> ")
        session.type("mr.plan(model, { budget = { act\t")
        try session.expect("ivation_bytes = ")
        session.type("\u{3}")
        try session.expect("^C\r\n> ")
        try session.enter("r = mr.rows { { name = 'stage1.conv1' }, { name = 'stage2.conv1' } }")
        session.type("r[\"stage2\t\"]\n")
        #expect(try session.expect("\r\n> ").contains("stage2.conv1"))
        session.type(":sa\t")
        try session.expect("ve")
        session.type(" /etc/pass\t")
        try session.expect("wd")
        session.type("\u{3}")
        try session.expect("^C\r\n> ")
        session.type("mr.data.fash\t")
        try session.expect("ion_mnist")
    }

    /// Whatever the width, lines that the prompt itself writes fit.
    @Test func eightyColumnsAreEnough() throws {
        let session = try PromptSession(environment: ["NO_COLOR": "1"], columnCount: 80)
        for line in ["?", ":mem", "?mr.data", "??sweep"] {
            let shown = try session.enter(line)
            for text in shown.split(separator: "\r\n") where text.count > 80 { Issue.record("\(line): \(text)") }
        }
    }

    @Test func localsStayAtThePrompt() throws {
        let session = try PromptSession()
        try session.enter("local six, seven = 6, 7")
        #expect(try session.enter("six * seven") == "\r\n42")
    }

    @Test func historyLastsBetweenSessions() throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }
        let environment = ["MOONRAIL_HISTORY": directory + "/history"]
        do {
            let session = try PromptSession(environment: environment)
            try session.enter("6 * 7")
            try session.enter("'noise'")
            session.type(":quit\n")
            #expect(try session.end() == 0)
        }
        let kept = String(decoding: try AtomicFile.read(directory + "/history"), as: UTF8.self)
        #expect(kept == "6 * 7\n'noise'\n:quit\n")
        let session = try PromptSession(environment: environment)
        session.type("\u{1B}[A\u{1B}[A\u{1B}[A\n")
        #expect(try session.expect("\r\n> ").hasSuffix("\r\n42"))
        // Ctrl-R searches backwards; the first Return takes the line that was found.
        session.type("\u{12}nois")
        try session.expect("noise")
        session.type("\n")
        #expect(try session.expect("\r\n> ").hasSuffix("\"noise\""))
    }

    @Test func controlDLeaves() throws {
        let session = try PromptSession()
        session.type("\u{4}")
        #expect(try session.end() == 0)
    }

    @Test func readsUTF8InAnyLocale() throws {
        let session = try PromptSession(environment: ["LC_ALL": "C"])
        session.type("#'grüße'\n")
        #expect(try session.expect("\r\n> ").hasSuffix("\r\n7"))
    }
}
