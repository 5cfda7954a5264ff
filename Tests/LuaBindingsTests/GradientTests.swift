import Testing

/// Gradients in scripts: `mr.grad`, tapes, losses and layers written in Lua.
@Suite(.serialized) struct GradientScriptTests {
    /// Every function of a tensor that has a gradient, against central differences.
    @Test func functionsWrittenInLuaHaveTheGradientsOfDifferences() throws {
        try run(
            """
            -- Points between 0.5 and 1.5, a twelfth apart; every kink below lies midway between two of them, and
            -- so do the constants: no difference reaches across a kink.
            local function points(offset)
                local values = {}
                for i = 1, 12 do values[i] = 0.5 + (i * 5 % 12 + offset) / 12 end
                return mr.tensor(values):reshape(3, 4)
            end
            local x, constant = points(0.5), points(1):t():reshape(3, 4)
            local functions = {
                add = function(x) return (x + constant + 1):sum() end,
                subtract = function(x) return ((2 - x) * (constant - x)):sum() end,
                divide = function(x) return (x / constant + 1 / x + x / 3):sum() end,
                power = function(x) return (x ^ 3 + x ^ constant):sum() end,
                exp = function(x) return (x:exp() * constant):sum() end,
                log = function(x) return (x:log() * constant):sum() end,
                sqrt = function(x) return (x:sqrt() * constant):sum() end,
                tanh = function(x) return (x:tanh() * constant):sum() end,
                sigmoid = function(x) return (x:sigmoid() * constant):sum() end,
                abs = function(x) return ((x - 1):abs() * constant):sum() end,
                softmax = function(x) return (x:softmax() * constant):sum() end,
                log_softmax = function(x) return (x:log_softmax() * constant):sum() end,
                relu = function(x) return ((x - 0.75):relu() * constant):sum() end,
                clamp = function(x) return (x:clamp(2 / 3, 7 / 6) * constant):sum() end,
                maximum = function(x) return (x:maximum(constant) + x:minimum(5 / 6) * constant):sum() end,
                matmul = function(x) return (x:matmul(constant:t()) * constant:matmul(x:t())):sum() end,
                sums = function(x) return (x:sum(1) * x:mean(1) + (x:mean(2, true) * constant):sum(1)):sum() end,
                shapes = function(x) return (x:reshape(4, 3):permute(2, 1) * constant):slice(2, 2, 3):mean() end,
                rows = function(x) return (x:rows { 2, 2, 1 } * constant):sum() + x[3][2] * x[1][4] end,
                cat = function(x) return (mr.cat({ x, constant, x * x }, 2):t():slice(1, 3, 10)):sum() end,
            }
            for name, f in pairs(functions) do
                local slope, value = mr.grad(f)(x)
                near(value, f(x):item(), 1e-4 * math.max(1, math.abs(value)))
                for i = 1, 12, 5 do
                    local step = mr.zeros(12)
                    local entries = step:totable()
                    entries[i] = 1e-2
                    step = mr.tensor(entries):reshape(3, 4)
                    local difference = (f(x + step):item() - f(x - step):item()) / 2e-2
                    local got = slope:totable()[i]
                    if math.abs(difference - got) > 2e-2 * math.max(1, math.abs(difference)) then
                        error(("%s: element %d is %g, differences give %g"):format(name, i, got, difference), 0)
                    end
                end
            end
            """)
    }

    @Test func gradientsHaveTheFormOfTheirTable() throws {
        try run(
            """
            local w, b, spare = mr.tensor { { 1, 2 }, { 3, 4 } }, mr.tensor { 5, 6 }, mr.ones(2)
            local function f(p, x) return (x:matmul(p.layers[1]) + p.bias):sum() end
            local slopes, value = mr.grad(f)({ layers = { w }, bias = b, spare = spare, rate = 3 }, mr.tensor { { 1, -1 } })
            assert(value == -2 - 2 + 11 and slopes.layers[1]:totable()[3] == -1 and slopes.bias:sum():item() == 2)
            assert(slopes.spare == nil and slopes.rate == nil)
            """)
    }

    @Test func parametersOfOnesOwnAreTrained() throws {
        try run(
            """
            mr.seed(1)
            local x = mr.randn(64, 3)
            local y = x:matmul(mr.tensor { { 2 }, { -1 }, { 0.5 } }) + 3
            local step = mr.grad(function(p) return mr.loss.mse(x:matmul(p.w) + p.b, y) end)
            for _, optimizer in ipairs { mr.optim.sgd { lr = 0.1, momentum = 0.9 }, mr.optim.adam { lr = 0.1 } } do
                local p = { w = mr.zeros(3, 1), b = mr.zeros(1) }
                for _ = 1, 200 do p = optimizer:update(p, (step(p))) end
                near(p.w:totable()[2], -1, 1e-2)
                near(p.b:item(), 3, 1e-2)
            end
            local t = mr.optim.sgd { lr = 0.5 }:update(mr.tensor { 1, 2 }, mr.tensor { 1, 1 })
            assert(t:totable()[1] == 0.5)
            """)
    }

    /// One tape for a network and a head that is written in Lua, trained together.
    @Test func modelsAndTensorsShareATape() throws {
        try run(
            """
            local body = mr.nn.sequential { image = { 1, 8, 8 }, seed = 3, mr.nn.flatten(), mr.nn.linear { features = 8 } }
            local head = mr.randn(8, 2) * 0.3
            local opt_body, opt_head = mr.optim.sgd { lr = 0.1 }, mr.optim.sgd { lr = 0.1 }
            local data, first, last = tiny()
            local step = mr.grad(function(p, batch)
                return mr.loss.cross_entropy(p.body(batch.x):tanh():matmul(p.head), batch.y)
            end)
            for epoch = 1, 8 do
                for batch in data:epoch(epoch) do
                    local slopes, loss = step({ body = body, head = head }, batch)
                    opt_body:step(slopes.body)
                    head = opt_head:update(head, slopes.head)
                    first, last = first or loss, loss
                end
            end
            assert(last < 0.5 * first, ("%g, then %g"):format(first, last))
            """)
    }

    /// The gradient of the images, and two models one behind the other; a model that runs twice gets both gradients.
    @Test func tapesJoinPasses() throws {
        try run(
            """
            local one = mr.nn.sequential { image = { 4 }, seed = 1, mr.nn.linear { features = 3 } }
            local two = mr.nn.sequential { image = { 3 }, seed = 2, mr.nn.linear { features = 1 } }
            local tape = mr.tape()
            local x = tape:watch(mr.randn(5, 4))
            local gradients = two:forward(one:forward(x)):sum():backward()
            local w1, w2 = one:parameter "fc1.weight", two:parameter "fc1.weight"
            near((gradients:of(x) - mr.ones(5, 1):matmul(w2:matmul(w1))):norm(), 0)
            assert(gradients:of(one):get("fc1.bias").shape[1] == 3 and tostring(gradients):find "2 parameters of")
            near((gradients:of(two):get "fc1.bias"):item(), 5)
            tape = mr.tape()
            local images = mr.randn(5, 3)
            local twice = (two:forward(images, { tape = tape }) + two:forward(images, { tape = tape })):sum():backward()
            near(twice:get("fc1.bias"):item(), 10)
            """)
    }

    @Test func fitTakesALossWrittenInLua() throws {
        try run(
            """
            local function focal(logits, batch)   -- as cross-entropy, but easy samples count less
                local log_p = logits:log_softmax()
                local right = mr.eye(2):rows(batch.y:totable())
                local p = (log_p * right):sum(2)
                return -((1 - p:exp()) ^ 2 * p):mean()
            end
            local model = net()
            local history = model:fit(tiny(), { epochs = 6, loss = focal, optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9 } })
            assert(history[6].loss < 0.3 * history[1].loss and model:evaluate(tiny()).accuracy > 0.9)
            """)
    }

    /// A layer written in Lua, as tensors compute it, saved and loaded, and trained with the network.
    @Test func layersWrittenInLuaAreLayers() throws {
        let path = "/tmp/moonrail-layer-\(UInt64.random(in: 0 ... .max)).safetensors"
        try run(
            """
            local nn = mr.nn
            local function swish(x) return x * x:sigmoid() end
            local function gate(x)   -- channels weighed by their means: squeeze and excitation
                local squeezed = x:mean(4, true):mean(3, true)
                return x * (squeezed * nn.parameter { shape = { 4, 1, 1 }, value = 0.5, name = "gate" }(x) + 1):sigmoid()
            end
            local function everything(x)
                local y = (x - 0.5) / 2 + 2 ^ 0 - x ^ 2 + (1 - x):abs():sqrt() + (x * x + 1):log() + x:clamp(0, 1) / (x:exp() + 1)
                return y:slice(2, 1, 2):permute(1, 2, 4, 3):reshape(2, -1):softmax():sum(2)
            end
            local model = nn.graph { image = { 1, 8, 8 }, seed = 2, build = function(x)
                local y = gate(swish(nn.conv { channels = 4, kernel = 3, padding = 1 }(x)))
                return nn.linear { features = 2 }(nn.flatten()(y)), everything(y)
            end }
            local x = mr.randn(3, 1, 8, 8)
            local logits, rest = model(x)
            -- The same functions on tensors.
            local conv = model:features(x, { "conv1" }).conv1
            local y = swish(conv)
            local squeezed = y:mean(4, true):mean(3, true)
            y = y * (squeezed * mr.tensor(0.5) + 1):sigmoid()
            local z = (y - 0.5) / 2 + 2 ^ 0 - y ^ 2 + (1 - y):abs():sqrt() + (y * y + 1):log() + y:clamp(0, 1) / (y:exp() + 1)
            z = z:slice(2, 1, 2):permute(1, 2, 4, 3):reshape(3, 2, -1):softmax():sum(2)
            assert(#rest.shape == 2 and rest.shape[2] == z.shape[2])
            near((rest - z):norm(), 0, 1e-4)
            assert(model:parameter("gate"):sum():item() == 2)
            model:save "\(path)"
            near((mr.load("\(path)")(x) - logits):norm(), 0, 1e-6)
            local single = nn.graph { image = { 1, 8, 8 }, seed = 2, build = function(x)
                return nn.linear { features = 2 }(nn.flatten()(gate(swish(nn.conv { channels = 4, kernel = 3, padding = 1 }(x)))))
            end }
            single:fit(tiny(), { epochs = 6, optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9 } })
            assert(single:evaluate(tiny()).accuracy > 0.9)
            assert((single:parameter "gate" - 0.5):norm() > 1e-4, "the gate was not learned")
            """)
    }

    static let errors: [(String, String)] = [
        ("mr.grad(3)", "mr.grad: argument 1 (f) must be a function, got a number"),
        ("mr.grad(function(x) return 3 end)(mr.ones(2))", "must give a Tensor of one element, got a number"),
        ("mr.grad(function(x) return x end)(mr.ones(2))", "one element"),
        ("mr.grad(function(x) return x:sum() end)(3)", "must be a Tensor, a Model or a table of them, got a number"),
        ("mr.grad(function(x) return mr.ones(1) end)(mr.ones(2))", "there is nothing to differentiate"),
        ("mr.grad(function(x) local u = x:svd() return u:sum() end)(mr.eye(2))", "svd has no gradient"),
        ("local a, b = mr.tape(), mr.tape() return a:watch(mr.ones(1)) + b:watch(mr.ones(1))", "two different tapes"),
        ("mr.tape():watch(mr.arange(3))", "float32"),
        ("local t = mr.tape() local x = t:watch(mr.ones(1)) x:sum():backward() return x * 2", "already taken"),
        ("mr.tape():watch(mr.ones(1)):sum():backward():of(mr.ones(1))", "was not watched"),
        ("mr.tape():watch(mr.ones(1)):sum():backward():get 'x'", "gradients of 0 models"),
        ("mr.optim.sgd { lr = 1 }:update({ w = 3 }, {})", "must be tensors, but 'w' is none"),
        ("net():fit(tiny(), { loss = function() return 3 end })", "option 'loss' must give a Tensor, got a number"),
        ("mr.nn.graph { image = { 3 }, build = function(x) return x:mean(1) end }", "dimension 1 is the batch"),
        ("mr.nn.graph { image = { 3 }, build = function(x) return x:permute(2, 1) end }", "dimension 1 is the batch"),
        ("mr.nn.graph { image = { 3 }, build = function(x) return x / 0 end }", "no divisor of 0"),
        ("mr.zeros(3):slice(math.mininteger, 1)", "must be in 1…"), ("mr.zeros(3):slice(1, math.mininteger)", "slice"),
        ("mr.zeros(3):permute(math.mininteger)", "permut"), ("mr.zeros(3):rows { math.mininteger }", "must be in 1…"),
        ("mr.zeros(3):sum(math.mininteger)", "must be in 1…"), ("mr.cat({ mr.zeros(3) }, math.mininteger)", "must be in 1…"),
        ("mr.zeros(3):reshape(math.mininteger)", "shape"), ("return mr.zeros(3)[math.mininteger]", "out of range"),
        ("mr.nn.graph { image = { 3 }, build = function(x) return x:slice(2, math.mininteger) end }", "slice"),
        ("mr.nn.parameter { value = 1 }", "option 'shape' is missing"),
        ("mr.nn.parameter { shape = { 1 }, valeu = 1 }", "did you mean 'value'"),
        ("mr.nn.parameter { shape = { 1 } }(3)", "must be called with a value of the network"),
        ("mr.nn.graph { image = { 3 }, build = function(x) return mr.nn.parameter { shape = { 3 } }(x) end }", "a parameter cannot stand"),
        ("mr.nn.graph { image = { 3 }, build = function(x) return x + mr.ones(4) end }", "[1, 3] and rhs [4]"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
