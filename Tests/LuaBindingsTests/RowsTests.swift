import Testing

/// `mr.rows` and `mr.iter`.
@Suite(.serialized) struct RowsTests {
    private static let results = """
        local results = mr.rows {
            { policy = "b", keep = 0.5, seed = 1, accuracy = 0.80 }, { policy = "a", keep = 0.5, seed = 1, accuracy = 0.90 },
            { policy = "b", keep = 0.5, seed = 2, accuracy = 0.84 }, { policy = "a", keep = 0.3, seed = 1 },
        }

        """

    @Test func groupsKeepTheOrderInWhichTheyOccur() throws {
        try run(
            Self.results + """
                local groups = results:group "policy"
                assert(#groups == 2 and groups[1].policy == "b" and groups[1].count == 2 and groups[2].rows[2].keep == 0.3)
                local pairs_of = results:group { "policy", "keep" }
                assert(#pairs_of == 3 and pairs_of[3].policy == "a" and pairs_of[3].keep == 0.3 and pairs_of[3].count == 1)
                assert(tostring(groups):find "count" and not tostring(groups):find "table:")
                -- 1 and "1" are different values.
                assert(#mr.rows({ { x = 1 }, { x = "1" } }):group "x" == 2)
                """)
    }

    @Test func meansSkipMissingNumbersAndGiveDeviations() throws {
        try run(
            Self.results + """
                local means = results:mean("policy", { deviation = true })
                near(means[1].accuracy, 0.82)
                near(means[1].accuracy_sd, 0.02 * math.sqrt(2))
                near(means[2].accuracy, 0.90)
                assert(means[2].accuracy_sd == nil and means[2].count == 2 and means[1].rows == nil)
                local all = results:mean()
                assert(#all == 1 and all[1].count == 4)
                near(all[1].accuracy, (0.8 + 0.9 + 0.84) / 3)
                """)
    }

    @Test func joinsPutFieldsBesideEachOther() throws {
        try run(
            """
            local left = mr.rows { { name = "a", params = 1 }, { name = "b", params = 2 } }
            local right = mr.rows { { name = "b", params = 9, ms = 0.5 }, { name = "c", ms = 1 } }
            local joined = left:join(right)
            assert(#joined == 2 and joined[1].ms == nil and joined[2].ms == 0.5 and joined[2].params == 2 and left[2].ms == nil)
            assert(#left:join(right, "name", { inner = true }) == 1)
            assert(joined:csv() == "name,params,ms\\na,1,\\nb,2,0.5\\n", joined:csv())
            """)
    }

    @Test func rowsAreSortedByFunctionsAndChanged() throws {
        try run(
            """
            local list = mr.rows { { a = 1, b = 5 }, { a = 2, b = 1 }, { b = 3 } }
            local sorted = list:sort(function(row) return row.a and row.a * row.b end)
            assert(sorted[1].b == 5 and sorted[3].b == 3)
            local changed = list:map(function(row) if row.a then return { sum = row.a + row.b } end end)
            assert(#changed == 2 and changed[1].sum == 6)
            """)
    }

    /// Not-a-numbers, then rows without a value, stand at the end in both orders; equals keep theirs.
    @Test func whatHasNoOrderIsSortedToTheEnd() throws {
        try run(
            """
            local nan = 0 / 0
            local list = mr.rows { { n = 1, x = nan }, { n = 2, x = 3 }, { n = 3 }, { n = 4, x = -nan }, { n = 5, x = 1 / 0 }, { n = 6, x = 3.0 } }
            local function order(...)
                local numbers = {}
                for i, row in ipairs(list:sort(...)) do numbers[i] = row.n end
                return table.concat(numbers)
            end
            assert(order "x" == "526143", order "x")
            assert(order("x", { ascending = true }) == "265143", order("x", { ascending = true }))
            assert(order(function(row) return row.x and row.x / row.x end) == "261453", order(function(row) return row.x and row.x / row.x end))
            assert(mr.rows({ { x = true }, { x = false } }):sort("x", { ascending = true })[1].x == false)
            local groups = mr.rows({ { x = nan }, { x = -nan }, { x = 1 }, { x = 1.0 }, { x = 0.1 }, { x = 0.1 + 1e-16 } }):group "x"
            assert(#groups == 4 and groups[1].count == 2 and groups[2].count == 2)
            assert(#mr.rows({ { name = nan } }):join({ { name = nan, y = 1 } }) == 1)
            assert(tostring(list):find "nan" and not tostring(list):find "%-nan")
            """)
    }

    @Test func sequencesAreWorkedOutOneByOne() throws {
        try run(
            """
            local asked = 0
            local squares = mr.iter(1000000):map(function(x) asked = asked + 1 return x * x end)
            local some = squares:filter(function(x) return x % 2 == 0 end):skip(1):take(2):list()
            assert(#some == 2 and some[1] == 16 and some[2] == 36 and asked == 6, asked)
            local chunks = mr.iter({ 1, 2, 3, 4, 5 }):chunk(2):list()
            assert(#chunks == 3 and chunks[3][1] == 5 and #chunks[3] == 1)
            local pairs_of = mr.iter({ "a", "b" }):enumerate():zip({ 7, 8, 9 }):list()
            assert(#pairs_of == 2 and pairs_of[2][1][2] == "b" and pairs_of[2][2] == 8)
            assert(mr.iter({ 1, 2, 3 }):fold(0, function(a, b) return a + b end) == 6)
            local count = 0
            for batch in mr.iter(tiny():epoch()):take(2) do count = count + batch.count end
            assert(count == 20)
            assert(mr.iter(("a b c"):gmatch "%a"):list()[3] == "c")
            """)
    }

    static let errors: [(String, String)] = [
        ("mr.rows(3)", "mr.rows: argument 1 (list) must be an array of rows, got a number"),
        ("mr.rows({ { a = 1 }, { a = 'x' } }):sort 'a'", "which have no order"),
        ("mr.rows({ { a = {} }, { a = {} } }):sort 'a'", "'a' holds a table, which has no order"),
        ("mr.rows({}):sort('a', { ascend = true })", "did you mean 'ascending'"),
        ("mr.rows({}):group {}", "Rows:group: needs a column"),
        ("mr.rows({ { name = 'a' } }):join({ { name = 'a' }, { name = 'a' } })", "name 'a' is twice in the other rows"),
        ("mr.rows({ {} }):map(function() return 3 end)", "must give a row or nil, got a number"),
        ("mr.rows({}):colum 'a'", "Rows has no 'colum' (did you mean 'column'?)"),
        ("mr.iter(true)", "mr.iter: needs an array"),
        ("mr.iter({}):take(-1)", "must be a whole number of at least 0"),
        ("mr.iter({}):map(3)", "Iterator:map: argument 1 (change) must be a function"),
        ("net():finetune(3)", "Model:finetune: argument 1 (data) must be a Dataset"),
        ("net():finetune(tiny(), { step = 1 })", "unknown option 'step' (did you mean 'steps'?)"),
        ("net():finetune(tiny(), { dense = 3 })", "option 'dense' must be a Model, got a number"),
        ("net():finetune(tiny(), { images = 1 })", "option 'images' must be a whole number of at least 2, or a share below 1"),
        ("net():finetune(tiny(), { lr = 1, optimizer = mr.optim.sgd { lr = 1 } })", "either lr or an optimizer"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }

    @Test func fineTuningRepairsAndTrains() throws {
        try run(
            """
            local model = net()
            model:fit(tiny(), { epochs = 4, optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9 } })
            local plan = mr.plan(model, { policy = "uniform", formats = "trains", budget = { params = 0.5 } })
            local small = model:compress(plan)
            local history = small:finetune(tiny(), { epochs = 2, lr = 0.02, teacher = model, images = 40 })
            assert(#history == 2 and small:evaluate(tiny()).accuracy > 0.9)
            """)
    }

    /// With the dense model the factors are fitted before a step is taken, which a rate of almost 0 shows.
    @Test func fineTuningFitsFactorsToTheDenseModel() throws {
        try run(
            """
            local nn = mr.nn
            local model = nn.sequential { image = { 1, 8, 8 }, seed = 4,
                nn.conv { channels = 16, kernel = 3, padding = 1 }, nn.relu(), nn.conv { channels = 16, kernel = 3, padding = 1 }, nn.relu(),
                nn.flatten(), nn.linear { features = 2 },
            }
            model:fit(tiny(), { epochs = 4, optimizer = mr.optim.sgd { lr = 0.02, momentum = 0.9 } })
            local plan = mr.plan(model, { policy = "uniform", formats = "C|Kh·Kw|O", budget = { params = 0.6 } })
            local x = tiny().images
            local function apart(options)
                local cut = model:compress(plan)
                options.steps, options.images, options.optimizer = 1, 40, mr.optim.sgd { lr = 1e-12 }
                cut:finetune(tiny(), options)
                return (cut(x) - model(x)):norm() / model(x):norm()
            end
            local fitted, plain = apart { dense = model }, apart { teacher = model }
            assert(fitted < 0.9 * plain, fitted .. " " .. plain)
            near(apart { dense = model, teacher = false }, fitted, 1e-4)
            """)
    }
}
