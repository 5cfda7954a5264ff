import Basics
import Testing

/// Sweeps and comparisons.
@Suite(.serialized) struct SweepTests {
    private func path(_ ending: String = "json") -> String {
        "/tmp/moonrail-sweep-\(UInt64.random(in: 0 ... .max)).\(ending)"
    }

    @Test func pointsAreAProductAndResultsAreRows() throws {
        try run(
            """
            local function own() end
            local seen = {}
            local points, results = mr.sweep { keep = { 0.7, 0.5 }, policy = { "uniform", own = own }, seed = { 1 } }
            for point in points do
                seen[#seen + 1] = point.keep .. type(point.policy) .. point.seed
                point:record { accuracy = point.keep / 2 }
            end
            assert(table.concat(seen, " ") == "0.7string1 0.7function1 0.5string1 0.5function1", table.concat(seen, " "))
            assert(#results == 4 and results[2].policy == "own" and results[4].accuracy == 0.25)
            assert(tostring(results):find "keep +policy +seed +accuracy", tostring(results))
            """)
    }

    /// Stopped after two of six points, and started again with a longer axis: what is finished is not done again.
    @Test func aSecondStartGoesOn() throws {
        let file = path()
        try run(
            """
            local function start(keeps, most)
                local done = {}
                local points, results = mr.sweep { "\(file)", keep = keeps, seed = { 1, 2 } }
                for point in points do
                    if #done == most then break end
                    point:record { value = point.keep + point.seed }
                    done[#done + 1] = ("%g/%d"):format(point.keep, point.seed)
                end
                return table.concat(done, " "), results
            end
            assert(start({ 1.0, 0.5 }, 3) == "1/1 1/2 0.5/1")
            local done, results = start({ 1, 0.5, 0.25 }, 9)
            assert(done == "0.5/2 0.25/1 0.25/2", done)
            assert(#results == 6 and results[1].value == 2 and results[6].value == 2.25)
            assert(start({ 1, 0.5, 0.25 }, 9) == "")
            """)
        #expect(message(of: "mr.sweep { '\(file)', keep = { 1 } }").contains("holds a sweep over keep, seed, this one is over keep"))
    }

    @Test func listsOfPointsAndPictures() throws {
        let picture = path("svg")
        try run(
            """
            local points, results = mr.sweep { points = { { keep = 1 }, { keep = 0.5, rank = 3 } } }
            for point in points do point:record { params = 100 * point.keep, accuracy = 0.9 * point.keep } end
            assert(#results == 2 and results[2].rank == 3)
            for point in (mr.sweep { points = { { keep = 1 }, { rank = 3 } } }) do
                assert((point.keep == nil) == (point.rank ~= nil))
            end
            results:plot("\(picture)")
            """)
        #expect(String(decoding: try AtomicFile.read(picture), as: UTF8.self).contains(">parameters<"))
    }

    @Test func comparisonsMeasureModels() throws {
        let file = path("safetensors")
        try run(
            """
            local model, data = net(), tiny()
            local small = model:compress(mr.plan(model, { policy = "uniform", budget = { params = 0.5 } }))
            small:save("\(file)")
            local table = mr.compare { { name = "before", model = model }, { model = "\(file)" }, data = data, runs = 2 }
            assert(table[1].params == model.cost.params and table[2].params == small.cost.params and table[1].model == nil)
            assert(table[2].bytes == mr.file_size("\(file)") and table[2].latency_ms > 0)
            assert(table[1].accuracy == model:evaluate(data).accuracy and table[2].accuracy == small:evaluate(data).accuracy)
            """)
    }

    /// A point that gave no numbers is finished, says so, and is not run again; those behind it are.
    @Test func aPointThatFailsIsRecordedAndTheSweepGoesOn() throws {
        let file = path()
        try run(
            """
            local function start(most)
                local run = {}
                local points, results = mr.sweep { "\(file)", lr = { 0.1, 10, 0.01, 100 } }
                for point in points do
                    run[#run + 1] = point.lr
                    if point.lr == 100 then
                        point:fail "Model:fit: diverged"
                    else
                        point:record { accuracy = point.lr == 10 and 0 / 0 or 1 - point.lr, loss = point.lr == 0.01 and 1 / 0 or 1 }
                    end
                    if #run == most then break end
                end
                return table.concat(run, " "), results
            end
            assert(start(2) == "0.1 10")
            local run, results = start()
            assert(run == "0.01 100", run)
            run, results = start()
            assert(run == "" and #results == 4)
            local nan = results[2].accuracy
            assert(nan ~= nan and results[2].failed == "accuracy is not a number" and results[2].loss == 1)
            assert(results[3].failed == nil and results[3].loss == 1 / 0 and results[4].failed == "Model:fit: diverged")
            assert(results:sort("accuracy")[1].lr == 0.01 and tostring(results):find "failed")
            """)
        // Text and numbers that print alike, and whole numbers that a double would not tell apart, are different points.
        try run(
            """
            local seen = 0
            for point in mr.sweep { seed = { 1, "1", 9007199254740992, 9007199254740993 }, on = { true, "true" } } do
                seen = seen + 1
                point:record { value = seen }
            end
            assert(seen == 8, seen)
            """)
    }

    /// A bar that is left standing would be in front of all later ones.
    @Test(arguments: [
        "pcall(function() net():fit(tiny(), { epochs = 9, on_step = function() error 'stop' end }) end)",
        "net():fit(tiny(), { epochs = 9, on_step = function() return false end })",
        "pcall(function() net():evaluate(mr.data.from_tensors(mr.zeros(4, 3, 5, 5), mr.arange(4))) end)",
        "for point in mr.sweep { keep = { 1, 2 } } do break end",
        "pcall(function() for point in mr.sweep { keep = { 1, 2 } } do error 'stop' end end)",
    ])
    func barsGoWhereWorkEndsEarly(_ script: String) throws {
        final class Open: ProgressReporter, @unchecked Sendable {
            var labels: [String] = []
            func report(label: String, completed: Int, total: Int, note: String) {
                if !labels.contains(label) { labels.append(label) }
            }
            func finish(label: String) { labels.removeAll { $0 == label } }
        }
        let open = Open()
        ProgressReport.show(with: open)
        defer { ProgressReport.show(with: nil) }
        try run(
            "collectgarbage 'stop' " + script + " bar = mr.progress('seen', 2) bar:advance() assert_open()",
            names: [
                "assert_open": { #expect(open.labels == ["seen"]) }
            ])
    }

    static let mistakes = [
        ("for p in mr.sweep { keep = { 1 } } do return p.kep end", "point has no 'kep' (did you mean 'keep'?)"),
        ("for p in mr.sweep { keep = { 1 } } do p:recrd {} end", "point has no 'recrd' (did you mean 'record'?)"),
        ("mr.sweep { }", "needs an axis"),
        ("mr.sweep { keep = 0.5 }", "axis 'keep' must be a list of values, got a number"),
        ("mr.sweep { keep = {} }", "axis 'keep' has no values"),
        ("mr.sweep { keep = { 0 / 0 } }", "a value that is not a number tells no point from another"),
        ("mr.sweep { failed = { 1 } }", "an axis cannot be called 'failed'"),
        ("for p in mr.sweep { keep = { 1 } } do p:record { 3 } end", "results have names, got the key 1"),
        ("for p in mr.sweep { keep = { 1 } } do p:fail {} end", "must be a text or an error, got a table"),
        ("local s, r = mr.sweep { keep = { 1 } } for p in s do p:fail 'x' end r:plot()", "every point of the sweep failed"),
        ("mr.sweep { keep = { 1, 1 } }", "has the value '1' twice"),
        ("mr.sweep { policy = { function() end } }", "a function needs a name"),
        ("mr.sweep { keep = { 1 }, points = { { keep = 1 } } }", "either points or axes"),
        ("for p in mr.sweep { keep = { 1 } } do p:record { keep = 2 } end", "'keep' is an axis of the sweep"),
        ("for p in mr.sweep { keep = { 1 } } do p:record(0.5) end", "needs a table of results"),
        ("mr.compare { { name = 'a', model = 3 } }", "must be a Model or a path"),
        ("mr.compare { { model = net() }, dat = tiny() }", "did you mean 'data'"),
    ]

    @Test(arguments: mistakes) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
