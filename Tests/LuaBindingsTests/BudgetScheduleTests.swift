import Basics
import Testing

/// Networks that shrink while they are trained.
@Suite(.serialized) struct BudgetScheduleTests {
    /// Chains of every grouping, also of groups, strides and linear layers, back as whole layers that compute the same.
    @Test func chainsBecomeWholeLayersAgain() throws {
        try run(
            """
            local nn = mr.nn
            local function make()
                return nn.sequential { image = { 8, 9, 9 }, seed = 2,
                    nn.conv { channels = 16, kernel = 3, padding = { 1, 0 }, stride = { 2, 1 }, bias = false }, nn.batch_norm(), nn.relu(),
                    nn.conv { channels = 16, kernel = { 3, 5 }, padding = { 2, 3 }, dilation = { 2, 1 }, groups = 2 }, nn.relu(),
                    nn.flatten(), nn.linear { features = 24 }, nn.relu(), nn.linear { features = 4 },
                }
            end
            local x = mr.randn(3, 8, 9, 9)
            for _, format in ipairs(mr.formats) do
                local model = make()
                local small = model:compress(mr.plan(model, { policy = "uniform", budget = { params = 0.5 }, formats = { format, "I|O", "C·Kh|Kw·O" } }))
                local whole = small:recompose()
                assert(small.cost.params < model.cost.params and whole.cost.params == model.cost.params, format)
                near((whole(x) - small(x)):norm() / small(x):norm(), 0, 1e-5)
                for _, name in ipairs { "conv1", "conv2", "fc1" } do assert(whole.layers[name], name) end
                -- It can be planned again.
                local again = whole:compress(mr.plan(whole, { policy = "uniform", budget = { params = 0.3 }, formats = { format, "I|O", "C·Kh|Kw·O" } }))
                assert(again.cost.params <= 0.3 * model.cost.params)
            end
            """)
    }

    @Test func aNetworkShrinksByStepsWhileItLearns() throws {
        try run(
            """
            local model, asked = net(), {}
            local dense = model.cost.params
            local history = model:fit(tiny(), {
                epochs = 6, optimizer = mr.optim.sgd { lr = 0.03, momentum = 0.9 },
                budget = function(epoch) asked[#asked + 1] = epoch; return ({ 1, 0.8, 0.8, 0.5, nil, 0.4 })[epoch] end,
                plan = { policy = "knapsack", freeze = { "stage1.block1.conv1" } },
            })
            assert(#asked == 6 and #history == 6)
            local share = {}
            for i, row in ipairs(history) do share[i] = row.params / dense end
            assert(share[1] == 1 and share[2] <= 0.8 and share[2] == share[3] and share[4] <= 0.5 and share[5] == share[4] and share[6] <= 0.4)
            assert(share[2] > 0.5 and share[4] > 0.4)
            assert(model.cost.params == history[6].params and not model.layers["stage1.block1.conv1"].origin)
            assert(model:evaluate(tiny()).accuracy > 0.9, model:evaluate(tiny()).accuracy)
            assert(tostring(history):find "parameters")
            """)
    }

    @Test func budgetsAreTables() throws {
        try run(
            """
            local model = net()
            local dense = model.cost.macs
            model:fit(tiny(), { epochs = 1, budget = function() return { macs = 0.6 } end, plan = { policy = "uniform" } })
            assert(model.cost.macs <= 0.6 * dense)
            local share = mr.schedule.shrink { to = 0.25, steps = 2, epochs = 4 }
            near(share(1), 0.5) near(share(2), 0.5) near(share(3), 0.25) near(share(9), 0.25)
            """)
    }

    @Test func shrinkingResumesBitForBit() throws {
        let path = "/tmp/moonrail-shrink-\(UInt64.random(in: 0 ... .max)).safetensors"
        defer { try? AtomicFile.write(path, text: "") }
        try run(
            """
            local function options(extra)
                extra.optimizer, extra.epochs = mr.optim.sgd { lr = 0.05, momentum = 0.9, nesterov = true }, 3
                extra.budget = function(epoch) return ({ 0.7, 0.5, 0.4 })[epoch] end
                extra.plan = { policy = "uniform" }
                return extra
            end
            local whole = net()
            whole:fit(tiny(), options {})
            local half = net()
            half:fit(tiny(), options { checkpoint = "\(path)", checkpoint_every = 3, on_step = function(row) return row.step < 7 end })
            local resumed = net()
            local history = resumed:fit(tiny(), options { checkpoint = "\(path)", resume = true })
            assert(#history == 3)
            for _, name in ipairs(whole.parameter_names) do
                assert((whole:parameter(name) - resumed:parameter(name)):norm() == 0, name)
            end
            """)
    }

    static let errors: [(String, String)] = [
        ("net():fit(tiny(), { budget = function() return 'half' end })", "the budget of epoch 1 must be a share"),
        ("net():fit(tiny(), { budget = function() return { parms = 1 } end })", "did you mean 'params'"),
        ("net():fit(tiny(), { budget = function() return 0.5 end, plan = { budget = 1 } })", "must leave the budget to option 'budget'"),
        ("net():fit(tiny(), { budget = function() return 0.5 end, plan = { polcy = 'x' } })", "did you mean 'policy'"),
        ("mr.schedule.shrink { to = 2 }", "option 'to' must lie above 0 and not above 'from'"),
        ("mr.schedule.shrink { to = 0.5, steps = 9, epochs = 3 }", "no fewer epochs"),
        ("net():fit(tiny(), { log = '/dev/null/x' })", "cannot write /dev/null"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
