import Testing

/// Plans that images choose.
@Suite(.serialized) struct PortfolioTests {
    @Test func imagesChooseAPlan() throws {
        try run(
            """
            local model, data, budget = net(), tiny(), { params = 0.4 }
            local plan = mr.plan(model, { budget = budget, data = data })
            local chosen, least = nil, math.huge
            for _, row in ipairs(plan.portfolio) do
                if row.result == "chosen" then chosen = row end
                if row.divergence then least = math.min(least, row.divergence) end
            end
            assert(chosen.divergence == least and plan.policy == chosen.policy and plan.params == chosen.params)
            assert(plan.params <= 0.4 * model.cost.params and #plan.portfolio >= 7)
            assert(tostring(plan):find "chosen of %d+ plans by its divergence")
            local small = model:compress(plan)
            assert(small.cost.params == plan.params and small.cost.macs == plan.macs)
            -- The same images give the same choice.
            mr.seed(3)
            local one = mr.plan(model, { budget = budget, data = data })
            mr.seed(3)
            assert(one.portfolio:csv() ~= "" and mr.plan(model, { budget = budget, data = data }).policy == one.policy)
            """)
    }

    @Test func whatWasChosenOnWhitenedWeightsIsCutFromThem() throws {
        try run(
            """
            local model, data, budget = net(), tiny(), { params = 0.4 }
            local plan = mr.plan(model, { budget = budget, data = data })
            assert(plan.whitened == (plan.policy:find "whitened" ~= nil) and (plan.whiten ~= nil) == plan.whitened)
            local again = mr.plan(model, { budget = budget, policy = "knapsack", whiten = data })
            assert(again.whitened and again.whiten == data)
            """)
    }

    @Test func compressionChoosesByItsImages() throws {
        try run(
            """
            local model, data = net(), tiny()
            local _, report = mr.compress(model, { plan = { budget = { params = 0.4 } }, data = data })
            assert(#report.plan.portfolio >= 7)
            local _, asked = mr.compress(model, { plan = { budget = { params = 0.4 }, policy = "portfolio" }, data = data })
            assert(#asked.plan.portfolio >= 7)
            local _, named = mr.compress(model, { plan = { budget = { params = 0.4 }, policy = "uniform" }, data = data })
            assert(named.plan.policy == "uniform" and named.plan.portfolio == nil)
            local _, blind = mr.compress(model, { plan = { budget = { params = 0.4 } } })
            assert(blind.plan.policy == "barrier")
            """)
    }

    @Test func whatDoesNotFitTogetherIsRefused() throws {
        try run(
            """
            local model, data, budget = net(), tiny(), { params = 0.4 }
            local function refused(options, text)
                options.budget = options.budget or budget
                local ok, problem = pcall(mr.plan, model, options)
                assert(not ok and tostring(problem):find(text, 1, true), tostring(problem))
            end
            refused({ policy = "portfolio" }, "must come with option 'data'")
            refused({ policy = "uniform", data = data }, "'uniform'")
            refused({ policy = "portfolio", data = data, whiten = data }, "must be left out where images choose")
            refused({ data = data, budget = { params = 0.0001 } }, "smallest")
            refused({ data = 3 }, "data")
            local _, test = mr.data.fashion_mnist()
            refused({ data = test }, "option 'data': fashion-mnist is the test split")
            local ok, problem = pcall(mr.compress, model, { plan = { budget = budget, policy = "portfolio", whiten = data }, data = data })
            assert(not ok and tostring(problem):find("must be left out where images choose", 1, true), tostring(problem))
            refused({ data = data, images = 0 }, "images")
            """)
    }

    @Test func scoresTakeExactlyTheImagesThatAreGiven() throws {
        try run(
            """
            local model, data = net(), tiny()
            local held, rest = data:divide(8, 1)
            local scores = mr.lwiq.score(model, rest, { holdout = held })
            assert(scores.imprint_images == #rest and scores.holdout_images == 8)
            local fewer = mr.lwiq.score(model, rest, { holdout = held, images = 20 })
            assert(fewer.imprint_images == 20 and fewer.holdout_images == 8)
            local ok, problem = pcall(mr.lwiq.score, model, rest, { holdout = 1.5 })
            assert(not ok and tostring(problem):find("must lie between 0 and 1", 1, true))
            """)
    }
}
