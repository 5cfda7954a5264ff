import Testing

@Suite(.serialized) struct PlanScriptTests {
    @Test func scoresArePlainRows() throws {
        try run("""
            local function both() return tiny(), tiny() end
            local scores = mr.lwiq.score(net(), both())
            assert(#scores == 7 and scores[1].layer == "conv1" and scores["stage1.block1.conv1"].parent == "conv1")
            local ranked = scores:sort "gain"
            assert(ranked[1].gain >= ranked[2].gain and #scores:top(3) == 3)
            assert(#scores:filter(function(row) return row.layer:find "stage2" end) == 2)
            assert(tostring(scores):find("proxy accuracy") and scores:csv():find("layer,accuracy"))
            """)
    }

    @Test func oneScoringServesManyBudgets() throws {
        try run("""
            local model, data = net(), tiny()
            local scores = mr.lwiq.score(model, data, { images = 40 })
            local before = math.huge
            for _, keep in ipairs { 0.8, 0.5, 0.3 } do
                local plan = mr.plan(model, { scores = scores, budget = { params = keep } })
                local small = model:compress(plan)
                assert(small.cost.params == plan.params and plan.params <= keep * model.cost.params and plan.params < before)
                assert(small.cost.macs == plan.macs)
                before = plan.params
            end
            """)
    }

    @Test func plansCanBeEdited() throws {
        try run("""
            local model = net()
            local plan = mr.plan(model, { policy = "uniform", budget = { params = 0.6 } })
            plan["stage3.block1.conv2"].ranks = { 5, 6 }
            plan["stage3.block1.conv1"].ranks = nil
            local small = model:compress(plan)
            assert(small:parameter("stage3.block1.conv2.tt1.weight").shape[1] == 5)
            assert(small:parameter("stage3.block1.conv1.weight").shape[1] == 64)
            """)
    }

    @Test func aLuaFunctionIsAPolicy() throws {
        try run("""
            local model = net()
            local function cheapest(layers, budget)
                local ranks = {}
                for _, layer in ipairs(layers) do
                    if layer.cost(4).params < layer.params and layer.error(4) < layer.error(2) then ranks[layer.name] = 4 end
                end
                assert(budget.params)
                return ranks
            end
            local plan = mr.plan(model, { policy = cheapest, budget = { params = 0.9 } })
            assert(plan.policy == "custom" and plan["stage3.block1.conv2"].ranks[2] == 4)
            local greedy = mr.plan(model, { budget = { params = 80000 }, policy = function() return { ["stage1.block1.conv1"] = 99 } end })
            assert(greedy.notes[1]:find "rank 99 lowered to its bound 16", greedy.notes[1])
            """)
    }

    @Test func everyPolicyMeetsABudget() throws {
        try run("""
            local model, data = net(), tiny()
            local scores = mr.lwiq.score(model, data, { images = 40 })
            assert(#mr.policies >= 7)
            for _, policy in ipairs(mr.policies) do
                local known, curves = { features = true, proxy = true, output = true, sensitivity = true }, nil
                if known[policy] then
                    curves = mr.lwiq.curves(model, data, { measure = policy, images = 20 })
                    assert(#curves == 7 and #curves[1].errors == #curves[1].losses and tostring(curves):find "20 images")
                end
                local plan = mr.plan(model, { policy = policy, scores = scores, curves = curves, budget = { bytes = 0.5, activation_bytes = 1 } })
                assert(plan.policy == policy and plan.bytes <= 0.5 * plan.dense_bytes)
                assert(model:compress(plan).cost.params == plan.params)
            end
            """)
    }

    @Test func weightsCanBeWhitened() throws {
        try run("""
            local model, data = net(), tiny()
            local plan = mr.plan(model, { policy = "knapsack", budget = { params = 0.4 }, whiten = data })
            local plain = mr.plan(model, { policy = "knapsack", budget = { params = 0.4 } })
            assert(plan.whitened and not plain.whitened)
            local small = model:compress(plan)
            assert(small.cost.params == plan.params)
            plan.whiten = nil
            local ok, message = pcall(model.compress, model, plan)
            assert(not ok and tostring(message):find "set its field 'whiten'", message)
            """)
    }

    @Test func theDefaultIsWhatWasMeasuredFor() throws {
        try run("""
            local model, data, budget = net(), tiny(), { params = 0.5 }
            assert(mr.plan(model, { budget = budget }).policy == "knapsack")
            assert(mr.plan(model, { budget = budget, scores = mr.lwiq.score(model, data, { images = 40 }) }).policy == "lwiq")
            local curves = mr.lwiq.curves(model, data, { images = 20 })
            assert(curves.measure == "proxy" and mr.plan(model, { budget = budget, curves = curves }).policy == "proxy")
            """)
    }

    @Test func aGroupingPerLayer() throws {
        try run("""
            local model = net()
            local plan = mr.plan(model, { policy = "knapsack", grouping = "auto", budget = { params = 0.4 } })
            assert(model:compress(plan).cost.params == plan.params)
            plan["stage3.block1.conv2"].grouping, plan["stage3.block1.conv2"].ranks = "C·Kh|Kw·O", { 7 }
            local small = model:compress(plan)
            assert(small:parameter("stage3.block1.conv2.tt1.weight").shape[3] == 3)
            """)
    }

    @Test func patternsFreezeAndFix() throws {
        try run("""
            local plan = mr.plan(net(), { policy = "uniform", budget = { macs = 0.7, params = 0.7 },
                freeze = { "stage1.*" }, fix = { ["stage3.*.conv2"] = { 8, 9 } }, align = 4 })
            assert(plan["stage1.block1.conv1"].reason == "frozen" and plan["stage3.block1.conv2"].ranks[2] == 9)
            assert(plan.keep_macs <= 0.7 and plan.keep_params <= 0.7 and plan.binding)
            """)
    }

    private static let edited = "local m = net(); local plan = mr.plan(m, { policy = 'uniform', budget = { params = 0.6 } }); "

    static let errors: [(String, String)] = [
        ("mr.plan(net(), { policy = 'uniform', budgt = { params = 0.5 } })", "mr.plan: unknown option 'budgt' (did you mean 'budget'?)"),
        ("mr.plan(net(), { policy = 'uniform', budget = { parms = 0.5 } })", "did you mean 'params'"),
        ("mr.plan(net(), { policy = 'uniform', budget = { params = 0.001 } })", "the smallest achievable is"),
        ("mr.plan(net(), { policy = 'uniform' })", "needs a budget"),
        ("mr.plan(net(), { policy = 'unifrom', budget = { params = 0.5 } })", "did you mean 'uniform'"),
        ("mr.plan(net(), { policy = 'lwiq', budget = { params = 0.5 } })", "needs the scores"),
        ("mr.plan(net(), { policy = 'features', budget = { params = 0.5 } })", "needs curves that measured 'features'"),
        ("mr.plan(net(), { policy = 'uniform', budget = { params = 0.5 }, freeze = { 'stage9.*' } })", "no layer matches 'stage9.*'"),
        ("mr.plan(net(), { policy = 'uniform', budget = { params = 0.5 }, grouping = 'C|KhKw|' })", "C|Kh·Kw|O"),
        ("mr.plan(net(), { budget = { params = 0.5 }, policy = function() return { stage1 = 3 } end })", "no layer matches 'stage1'"),
        ("mr.plan(net(), { budget = { params = 0.1 }, policy = function() return {} end })", "the policy 'custom' gives"),
        ("mr.plan(net(), { budget = { params = 0.1 }, policy = function() return {} end })", "params, over the budget of"),
        (edited + "plan[2].rank = 3; m:compress(plan)", "has an unknown field 'rank' (did you mean 'ranks'?)"),
        (edited + "plan[2].ranks = { 99, 99 }; m:compress(plan)", "cannot have ranks [99, 99]"),
        (edited + "plan[2].ranks = 99; m:compress(plan)", "cannot have ranks [99]"),
        (edited + "mr.zoo.resnet({ depth = 14, image = { 1, 8, 8 }, classes = 2 }):compress(plan)", "the plan is of a model with"),
        (edited + "mr.zoo.resnet({ depth = 8, image = { 3, 8, 8 }, classes = 2 }):compress(plan)", "the plan is of another model: its conv1"),
        ("local m = net(); m:compress { }", "the plan has no rows"),
        ("local _, test = mr.data.fashion_mnist(); mr.lwiq.score(net(), test)", "is the test split"),
        ("mr.lwiq.score(net(), tiny(), { images = 40, head = 'centered' })", "did you mean 'centred'"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
