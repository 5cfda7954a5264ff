import Testing

@Suite(.serialized) struct PlanScriptTests {
    @Test func scoresArePlainRows() throws {
        try run(
            """
            local function both() return tiny(), tiny() end
            assert(#mr.sensitivity(net(), both()) == 7)
            local scores = mr.lwiq.score(net(), both())
            assert(#scores == 7 and scores[1].layer == "conv1" and scores["stage1.block1.conv1"].parent == "conv1")
            local ranked = scores:sort "gain"
            assert(ranked[1].gain >= ranked[2].gain and #scores:top(3) == 3)
            assert(#scores:filter(function(row) return row.layer:find "stage2" end) == 2)
            assert(tostring(scores):find("proxy accuracy") and scores:csv():find("layer,accuracy"))
            """)
    }

    @Test func oneScoringServesManyBudgets() throws {
        try run(
            """
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
        try run(
            """
            local model = net()
            local plan = mr.plan(model, { policy = "uniform", formats = "C|Kh·Kw|O", budget = { params = 0.6 } })
            plan["stage3.block1.conv2"].ranks = { 5, 6 }
            plan["stage3.block1.conv1"].ranks = nil
            local small = model:compress(plan)
            assert(small:parameter("stage3.block1.conv2.tt1.weight").shape[1] == 5)
            assert(small:parameter("stage3.block1.conv1.weight").shape[1] == 64)
            """)
    }

    @Test func aLuaFunctionIsAPolicy() throws {
        try run(
            """
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

    @Test func policiesSeeCostsRulesAndCurves() throws {
        try run(
            """
            local model, data, seen = net(), tiny(), {}
            local function look(layers, budget)
                assert(budget.bytes == model.cost.bytes and budget.latency == nil)
                for _, layer in ipairs(layers) do seen[layer.name] = layer end
                return { ["stage1.block1.conv1"] = 2, ["stage2.block1.conv1"] = 2, ["stage3.block1.conv1"] = 2 }
            end
            local plan = mr.plan(model, {
                policy = look, budget = { bytes = 1 }, freeze = "stage1.*", fix = { ["stage2.*"] = 3 },
                curves = mr.sensitivity(model, data, { images = 20, measure = "features" }),
            })
            local layer = seen["stage3.block1.conv1"]
            local cost = layer.cost { 4, 5 }
            assert(cost.bytes == 4 * cost.params and cost.activation_bytes > 0 and cost.latency == nil and layer.bytes == 4 * layer.params)
            assert(layer.loss(1) >= layer.loss(8) and layer.loss(1) > 0 and not layer.frozen and not layer.fixed)
            assert(seen["stage1.block1.conv1"].frozen and seen["stage2.block1.conv1"].fixed[1] == 3)
            assert(plan["stage1.block1.conv1"].reason == "frozen" and plan["stage2.block1.conv1"].ranks[1] == 3)
            assert(plan["stage3.block1.conv1"].ranks[2] == 2)
            """)
    }

    @Test func ranksHaveBoundsByPattern() throws {
        try run(
            """
            local plan = mr.plan(net(), { policy = "uniform", budget = { params = 0.5 }, max_rank = { ["*"] = 9, ["stage3.*"] = 14 }, min_rank = 2 })
            local largest = 0
            for _, row in ipairs(plan) do
                for _, rank in ipairs(row.ranks or {}) do
                    assert(rank <= (row.layer:find "stage3" and 14 or 9))
                    largest = math.max(largest, rank)
                end
            end
            assert(largest > 9)
            """)
    }

    @Test func layersAreCompressedInStages() throws {
        try run(
            """
            local model, data = net(), tiny()
            model:fit(data, { epochs = 4, optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9 } })
            local plan = mr.plan(model, { policy = "uniform", budget = { params = 0.4 } })
            local dense, chains = model.cost.params, 0
            for _, row in ipairs(plan) do if row.ranks then chains = chains + 1 end end
            for _, order in ipairs { "forward", "backward", "error" } do
                local small, history = model:compress_in_stages(plan, data, { stages = 3, order = order, epochs = 2, images = 40 })
                assert(small.cost.params == plan.params and small.cost.macs == plan.macs and model.cost.params == dense)
                assert(#history == 6 and history[6].stage == 3 and history[6].params == plan.params)
                assert(history[1].layers + history[3].layers + history[5].layers == chains)
                assert(history[1].params > history[3].params and history[3].params > history[5].params)
                assert(small:evaluate(data).accuracy > 0.9, small:evaluate(data).accuracy)
                assert(tostring(history):find "stage")
            end
            -- The later layers were dense while the first ones were tuned, so what they are cut from is tuned too.
            local first = model:compress_in_stages(plan, data, { stages = 1, steps = 1, teacher = false, images = 40 })
            assert(first.cost.params == plan.params)
            """)
    }

    @Test func everyPolicyMeetsABudget() throws {
        try run(
            """
            local model, data = net(), tiny()
            local scores = mr.lwiq.score(model, data, { images = 40 })
            assert(#mr.policies >= 7)
            for _, policy in ipairs(mr.policies) do
                local known, curves = { features = true, proxy = true, output = true, sensitivity = true }, nil
                if known[policy] then
                    curves = mr.sensitivity(model, data, { measure = policy, images = 20 })
                    assert(#curves == 7 and #curves[1].errors == #curves[1].losses and tostring(curves):find "20 images")
                end
                local plan = mr.plan(model, { policy = policy, scores = scores, curves = curves, budget = { bytes = 0.5, activation_bytes = 1 } })
                assert(plan.policy == policy and plan.bytes <= 0.5 * plan.dense_bytes)
                assert(model:compress(plan).cost.params == plan.params)
            end
            """)
    }

    @Test func weightsCanBeWhitened() throws {
        try run(
            """
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

    /// The scores' pass gives what a pass of its own over the same images gives.
    @Test func momentsComeWithTheScores() throws {
        try run(
            """
            local model, data = net(), tiny()
            local scores = mr.lwiq.score(model, data, { images = 40, moments = true })
            local function planned(whiten) return mr.plan(model, { policy = "knapsack", budget = { params = 0.4 }, whiten = whiten }) end
            local once, twice, plain = planned(scores.moments), planned(data), planned(nil)
            local differs = false
            for i, row in ipairs(once) do
                near(row.error, twice[i].error, 1e-3)
                differs = differs or math.abs(row.error - plain[i].error) > 0.01
            end
            assert(differs and model:compress(once).cost.params == once.params)
            assert(mr.lwiq.score(model, data, { images = 40 }).moments == nil)
            """)
    }

    @Test func scoresTakeSharesAndAugmentation() throws {
        try run(
            """
            local model, data = net(), tiny()
            local half = mr.lwiq.score(model, data, { images = 0.5 })
            assert(half.imprint_images == 10 and half.holdout_images == 10)
            local moved = data:with { augment = { "flip", "crop" } }
            local plain, augmented = mr.lwiq.score(model, moved, {}), mr.lwiq.score(model, moved, { augment = true, keep_embeddings = true })
            local still = mr.lwiq.score(model, data, { keep_embeddings = true })
            assert((augmented[1].embeddings - still[1].embeddings):norm() > 0)
            for i, row in ipairs(plain) do assert(row.accuracy == still[i].accuracy) end
            """)
    }

    @Test func theDefaultIsWhatWasMeasuredFor() throws {
        try run(
            """
            local model, data, budget = net(), tiny(), { params = 0.5 }
            assert(mr.plan(model, { budget = budget }).policy == "barrier")
            assert(mr.plan(model, { budget = budget, scores = mr.lwiq.score(model, data, { images = 40 }) }).policy == "barrier")
            local curves = mr.sensitivity(model, data, { images = 20 })
            assert(curves.measure == "output" and mr.plan(model, { budget = budget, curves = curves }).policy == "output")
            assert(mr.plan(model, { budget = budget }).formats == "auto")
            """)
    }

    @Test func aGroupingPerLayer() throws {
        try run(
            """
            local model = net()
            local plan = mr.plan(model, { policy = "knapsack", formats = "auto", budget = { params = 0.4 } })
            assert(model:compress(plan).cost.params == plan.params)
            plan["stage3.block1.conv2"].format, plan["stage3.block1.conv2"].ranks = "C·Kh|Kw·O", { 7 }
            local small = model:compress(plan)
            assert(small:parameter("stage3.block1.conv2.tt1.weight").shape[3] == 3)
            """)
    }

    @Test func patternsFreezeAndFix() throws {
        try run(
            """
            local plan = mr.plan(net(), { policy = "uniform", budget = { macs = 0.7, params = 0.7 },
                freeze = { "stage1.*" }, fix = { ["stage3.*.conv2"] = { 8, 9 } }, align = 4 })
            assert(plan["stage1.block1.conv1"].reason == "frozen" and plan["stage3.block1.conv2"].ranks[2] == 9)
            assert(plan.keep_macs <= 0.7 and plan.keep_params <= 0.7 and plan.binding)
            """)
    }

    /// A script goes on tomorrow with what it saved today.
    @Test func savedRowsAreAsGoodAsNew() throws {
        try run(
            """
            local model, data, budget = net(), tiny(), { params = 0.5 }
            local file = os.tmpname() .. ".json"
            local scores = mr.lwiq.score(model, data, { images = 40, keep_embeddings = true, moments = true })
            scores:save(file)
            local again = mr.read_json(file)
            assert(again.rows[1].embeddings == nil and again.moments == nil and again.classes == 2)
            local first = mr.plan(model, { policy = "lwiq", scores = scores, budget = budget })
            local second = mr.plan(model, { policy = "lwiq", scores = again, budget = budget })
            assert(first.beta == second.beta and first.params == second.params)
            local curves = mr.sensitivity(model, data, { images = 20 })
            curves:save(file)
            assert(mr.plan(model, { curves = mr.read_json(file), budget = budget }).params == mr.plan(model, { curves = curves, budget = budget }).params)
            assert(mr.plan(model, { curves = curves:sort "layer", budget = budget }).policy == "output")
            first:save(file)
            assert(model:compress(mr.read_json(file)).cost.params == first.params)
            os.remove(file)
            """)
    }

    @Test func selectionsOfAWhitenedPlanStayWhitened() throws {
        try run(
            """
            local model, data = net(), tiny()
            local plan = mr.plan(model, { budget = { params = 0.5 }, whiten = data })
            local x = mr.randn(2, 1, 8, 8)
            local function apart(a, b) return (a(x) - b(x)):norm() end
            local chosen = plan:sort "params":filter(function() return true end)
            near(apart(model:compress(chosen), model:compress(plan)), 0, 1e-6)
            local file = os.tmpname() .. ".json"
            plan:save(file)
            local again = mr.read_json(file)
            assert(not pcall(model.compress, model, again), "the data is not in the file")
            again.whiten = data
            near(apart(model:compress(again), model:compress(plan)), 0, 1e-6)
            os.remove(file)
            """)
    }

    @Test func aPolicyMayChooseFormats() throws {
        try run(
            """
            local model = net()
            local plan = mr.plan(model, { budget = { params = 1 }, policy = function(layers)
                local chosen = {}
                for _, layer in ipairs(layers) do
                    local last = layer.formats[#layer.formats]
                    if layer.name:find "stage3" then chosen[layer.name] = { ranks = 5, format = "C·Kh|Kw·O" } end
                    assert(#layer.formats >= 4 and layer.cost(2, "C·Kh|Kw·O").params ~= layer.cost(2).params)
                    assert(layer.error({ 2 }, "C·Kh|Kw·O") > layer.error({ 9 }, "C·Kh|Kw·O"))
                end
                return chosen
            end })
            local row = plan["stage3.block1.conv1"]
            assert(row.format == "C·Kh|Kw·O" and #row.ranks == 1 and row.ranks[1] == 5 and row.reason == "chosen")
            assert(plan["stage1.block1.conv1"].reason == "was given no ranks" and plan.fc.reason:find "classifier")
            """)
    }

    /// Names may hold what patterns are made of.
    @Test func ranksGoToTheLayerOfThatName() throws {
        try run(
            """
            local nn = mr.nn
            local model = nn.sequential { name = "odd", image = { 4, 8, 8 },
                nn.conv { name = "a[1]", channels = 16, kernel = 3, padding = 1 }, nn.relu(),
                nn.conv { name = "a1", channels = 16, kernel = 3, padding = 1 }, nn.relu(),
                nn.global_avg_pool(), nn.flatten(), nn.linear { features = 2 } }
            local plan = mr.plan(model, { budget = { params = 1 }, policy = function() return { ["a1"] = 3 } end })
            assert(plan["a1"].ranks and not plan["a[1]"].ranks)
            assert(model:compress(plan):parameter "a[1].weight" and not pcall(model.parameter, model:compress(plan), "a1.weight"))
            """)
    }

    @Test func transposedConvolutionsAreLayersToo() throws {
        try run(
            """
            local nn = mr.nn
            local model = nn.sequential { name = "up", image = { 4, 8, 8 },
                nn.conv { name = "first", channels = 16, kernel = 3, padding = 1 }, nn.relu(),
                nn.conv { name = "second", channels = 16, kernel = 3, padding = 1 }, nn.relu(),
                nn.conv_transpose { name = "up", channels = 2, kernel = 2, stride = 2 } }
            local plan = mr.plan(model, { budget = { params = 0.7 } })
            assert(plan.up.reason == "transposed convolutions stay dense" and plan.second.ranks, tostring(plan))
            assert(model:compress(plan).cost.params == plan.params and #model.layers == 3)
            """)
    }

    private static let edited =
        "local m = net(); local plan = mr.plan(m, { policy = 'uniform', formats = 'C|Kh·Kw|O', budget = { params = 0.6 } }); "

    static let errors: [(String, String)] = [
        ("mr.plan(net(), { policy = 'uniform', budgt = { params = 0.5 } })", "mr.plan: unknown option 'budgt' (did you mean 'budget'?)"),
        ("mr.plan(net(), { policy = 'uniform', budget = { parms = 0.5 } })", "did you mean 'params'"),
        ("mr.plan(net(), { policy = 'uniform', budget = { params = 0.001 } })", "the smallest achievable is"),
        ("mr.plan(net(), { policy = 'uniform' })", "needs a budget"),
        ("mr.plan(net(), { policy = 'unifrom', budget = { params = 0.5 } })", "did you mean 'uniform'"),
        ("mr.plan(net(), { policy = 'lwiq', budget = { params = 0.5 } })", "needs the scores"),
        ("mr.plan(net(), { policy = 'features', budget = { params = 0.5 } })", "needs curves that measured 'features'"),
        ("mr.plan(net(), { policy = 'uniform', budget = { params = 0.5 }, freeze = { 'stage9.*' } })", "no layer matches 'stage9.*'"),
        ("mr.plan(net(), { policy = 'uniform', budget = { params = 0.5 }, formats = 'C|KhKw|' })", "C|Kh·Kw|O"),
        ("mr.plan(net(), { budget = { params = 0.5 }, policy = function() return { stage1 = 3 } end })", "no layer matches 'stage1'"),
        ("mr.plan(net(), { budget = { params = 0.1 }, policy = function() return {} end })", "the policy 'custom' gives"),
        ("mr.plan(net(), { budget = { params = 0.1 }, policy = function() return {} end })", "params, over the budget of"),
        (edited + "plan[2].rank = 3; m:compress(plan)", "has an unknown field 'rank' (did you mean 'ranks'?)"),
        (edited + "plan[2].ranks = { 99, 99 }; m:compress(plan)", "cannot have ranks [99, 99]"),
        (edited + "plan[2].ranks = 99; m:compress(plan)", "cannot have ranks [99]"),
        (edited + "mr.zoo.resnet({ depth = 14, image = { 1, 8, 8 }, classes = 2 }):compress(plan)", "the plan is of a model with"),
        (edited + "mr.zoo.resnet({ depth = 8, image = { 3, 8, 8 }, classes = 2 }):compress(plan)", "the plan is of another model: its conv1"),
        ("local m = net(); m:compress { }", "the plan has no rows"),
        ("mr.plan(net(), { budget = { params = 0.5 }, policy = function() return 3 end })", "mr.plan: the policy must return a table"),
        ("mr.plan(net(), { budget = { params = 0.5 }, fix = { ['stage1.*'] = 'a' } })", "mr.plan: option 'fix.stage1.*' must be a rank or"),
        ("mr.plan(net(), { budget = { params = 0.5 }, fix = 3 })", "option 'fix' must be a table"),
        (
            "mr.plan(net(), { budget = { params = 0.5 }, min_rank = { ['stage1.*'] = 0 } })",
            "option 'min_rank.stage1.*' must be a whole number of at least 1, got 0"
        ),
        ("mr.plan(net(), { budget = { params = 0.5 }, max_rank = 'a' })", "option 'max_rank' must be a whole number of at least 1"),
        ("mr.plan(net(), { budget = { params = 0.5 }, max_rank = { ['stage9.*'] = 2 } })", "no layer matches 'stage9.*'"),
        (edited + "m:compress_in_stages(3, tiny())", "argument 1 (plan) must be a plan, got a number"),
        (edited + "m:compress_in_stages(plan, 3)", "argument 2 (data) must be a Dataset"),
        (edited + "m:compress_in_stages(plan, tiny(), { stage = 2 })", "Model:compress_in_stages: unknown option 'stage' (did you mean 'stages'?)"),
        (edited + "m:compress_in_stages(plan, tiny(), { stages = 0 })", "must be a whole number of at least 1, got 0"),
        (edited + "m:compress_in_stages(plan, tiny(), { order = 'gain' })", "must be forward, backward or error, got gain"),
        (edited + "m:compress_in_stages(plan, tiny(), { resume = true })", "unknown option 'resume'"),
        ("local m = net(); m:compress_in_stages(mr.plan(m, { budget = { params = 1 }, freeze = '*' }), tiny())", "no layer of the plan has ranks"),
        ("local _, test = mr.data.fashion_mnist(); mr.lwiq.score(net(), test)", "is the test split"),
        ("mr.lwiq.score(net(), tiny(), { images = 40, head = 'centered' })", "did you mean 'centred'"),
        ("mr.lwiq.score(net(), tiny(), { images = 0.01 })", "or a share below 1 that makes so many, got 0.01"),
        ("mr.lwiq.score(net(), tiny(), { augment = true })", "needs a Dataset that has augmentations"),
        (
            "local m, d = net(), tiny(); mr.plan(m, { policy = 'lwiq', scores = mr.lwiq.score(m, d, { images = 40 }):top(3), budget = { params = 0.5 } })",
            "needs a score of every layer, but"
        ),
        (edited + "local s = m:compress(plan); s:refit(s, tiny())", "or was given to a method that changes it"),
        (edited + "plan[1].rnks = 3; m:compress_in_stages(plan, tiny())", "has an unknown field 'rnks' (did you mean 'ranks'?)"),
        ("mr.plan(net(), { scores = {}, budget = { params = 0.5 } })", "mr.plan: the scores have no rows"),
        (
            "mr.plan(net(), { budget = { params = 0.5 }, freeze = { ['stage1.*'] = true } })",
            "option 'freeze' must be an array of strings, but has the field 'stage1.*'"
        ),
        ("mr.plan(net(), { budget = { params = 0.5 }, fix = { 3, 4 } })", "option 'fix' needs layers' names"),
        ("mr.plan(net(), { budget = { latency = 0.1 } })", " ms of latency cannot be met; the smallest achievable is "),
        ("mr.plan(net(), { budget = { params = 0.01 }, align = 4, min_rank = 2 })", "; the smallest achievable with min_rank is "),
        ("mr.plan(net(), { budget = { params = 0.01 }, policy = 'uniform' })", "cannot be met by uniform; the smallest achievable is"),
        ("mr.lwiq.score(net(), tiny(), { images = 40, floor = 0/0 })", "option 'floor' must be a gain of at least 0"),
        (
            "local _, test = mr.data.fashion_mnist(); mr.plan(net(), { budget = { params = 0.5 }, whiten = test })",
            "option 'whiten': fashion-mnist is the test split"
        ),
        ("mr.plan(net(), { budget = { params = 0.5 }, whiten = 3 })", "must be a Dataset, or the moments of scores"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
