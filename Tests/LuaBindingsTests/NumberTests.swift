import Testing

/// Whole numbers with all their digits, not-a-numbers that stay, and digits that do not depend on a tape.
@Suite(.serialized) struct NumberScriptTests {
    static let specs: [(String, String)] = [
        (
            "whole numbers keep their digits on the way in and out",
            """
            local odd = { (1 << 53) + 1, math.mininteger, math.maxinteger, (1 << 62) + 1, -(1 << 62) - 1, 0, -1 }
            local t = mr.tensor(odd, { dtype = "int64" })
            for i, wanted in ipairs(odd) do
                assert(t[i] == wanted and math.type(t[i]) == "integer" and t:totable()[i] == wanted)
                local one = mr.tensor(wanted, { dtype = "int64" })
                assert(one:item() == wanted and tostring(one):find(tostring(wanted), 1, true))
                assert(tostring(t):find(tostring(wanted), 1, true), tostring(t))
            end
            assert(mr.tensor({ { 1, odd[1] } }, { dtype = "int64" })[1][2] == odd[1])
            assert(mr.tensor({ 2.9, -2.9 }, { dtype = "int64" })[2] == -2)
            """
        ),
        (
            "whole numbers keep their digits beside others",
            """
            local odd = (1 << 53) + 1
            local t = mr.tensor({ { odd, 0.5 }, { 2.0 ^ 60, math.mininteger } }, { dtype = "int64" })
            assert(t[1][1] == odd and t[1][2] == 0 and t[2][1] == 1 << 60 and t[2][2] == math.mininteger)
            -- Rounded once, to the nearest float, and not by way of a double.
            local near_tie = (1 << 60) + (1 << 36) + 1
            assert(mr.tensor({ near_tie, 0.5 })[1] == (1 << 60) + (1 << 37) and mr.tensor(near_tie):item() == (1 << 60) + (1 << 37))
            local ok, problem = pcall(mr.tensor, { 0.5, odd }, { dtype = "uint8" })
            assert(not ok and tostring(problem):find(tostring(odd), 1, true), tostring(problem))
            """
        ),
        (
            "arithmetic with numbers of Lua is Lua's",
            """
            local odd = { (1 << 53) + 1, math.mininteger, math.maxinteger, 7, -7, 0 }
            local t = mr.tensor(odd, { dtype = "int64" })
            for _, n in ipairs { (1 << 53) + 1, math.maxinteger, math.mininteger, 3, -3, 1 } do
                local results = {
                    { t + n, function(x) return x + n end }, { n - t, function(x) return n - x end },
                    { t * n, function(x) return x * n end }, { t // n, function(x) return x // n end },
                    { t % n, function(x) return x % n end }, { -t, function(x) return -x end },
                    { t:abs(), math.abs }, { t:maximum(n), function(x) return math.max(x, n) end },
                    { t:minimum(n), function(x) return math.min(x, n) end },
                    { t:eq(n), function(x) return x == n and 1 or 0 end }, { t:lt(n), function(x) return x < n and 1 or 0 end },
                    { t:le(n), function(x) return x <= n and 1 or 0 end },
                }
                for which, result in ipairs(results) do
                    assert(result[1].dtype == "int64", which)
                    for i, x in ipairs(odd) do
                        assert(result[1][i] == result[2](x), ("%d: %d with %d is %s"):format(which, x, n, result[1][i]))
                    end
                end
            end
            """
        ),
        (
            "whole numbers are compared with fractions exactly",
            """
            local t = mr.tensor({ (1 << 53), (1 << 53) + 1, -3, -2, math.maxinteger, math.mininteger }, { dtype = "int64" })
            local function is(tensor, ...)
                for i, wanted in ipairs { ... } do assert(tensor[i] == wanted, tostring(tensor)) end
            end
            is(t:lt(-2.5), 0, 0, 1, 0, 0, 1) is(t:le(-2.5), 0, 0, 1, 0, 0, 1) is(t:eq(-2.5), 0, 0, 0, 0, 0, 0)
            is(t:le(2.0 ^ 53), 1, 0, 1, 1, 0, 1) is(t:lt(2.0 ^ 53), 0, 0, 1, 1, 0, 1) is(t:eq(2.0 ^ 53), 1, 0, 0, 0, 0, 0)
            is(t:lt(1e300), 1, 1, 1, 1, 1, 1) is(t:le(2.0 ^ 63), 1, 1, 1, 1, 1, 1) is(t:le(-1e300), 0, 0, 0, 0, 0, 0)
            is(t:lt(0 / 0), 0, 0, 0, 0, 0, 0) is(t:eq(-2.0 ^ 63), 0, 0, 0, 0, 0, 1)
            assert(t:to "int64":slice(1, 3, 4):lt(-2.5).dtype == "int64")
            assert(mr.tensor({ 3, 200 }, { dtype = "uint8" }):lt(300)[2] == 1)
            """
        ),
        (
            "reductions and places",
            """
            local big = (1 << 53) + 1
            local t = mr.tensor({ { big, big - 1 }, { -5, math.mininteger } }, { dtype = "int64" })
            assert(t:max() == big and t:min() == math.mininteger and math.type(t:max()) == "integer")
            assert(t:max(2)[1] == big and t:min(1)[2] == math.mininteger and t:argmax()[1] == 1)
            assert(t:sum():item() == big + big - 1 - 5 + math.mininteger and t:sum(1)[1] == big - 5)
            assert(t:sum(2, true).shape[2] == 1 and t:sum(1).dtype == "int64")
            assert(mr.tensor({ big, -big + 1 }, { dtype = "int64" }):mean():item() == 0.5)
            assert(t:rows({ 2 })[1][2] == math.mininteger and t:t()[2][1] == big - 1 and mr.cat { t, t }[3][1] == big)
            assert(t:slice(2, 2)[1][1] == big - 1 and t:reshape(4)[4] == math.mininteger and t:clone()[1][1] == big)
            """
        ),
        (
            "bytes wrap around, and their sums are whole numbers",
            """
            local t = mr.tensor({ 250, 10 }, { dtype = "uint8" })
            assert((t + 10)[1] == 4 and (t * 2)[1] == 244 and (-t)[2] == 246 and t:sum():item() == 260 and t:sum().dtype == "int64")
            assert((t // 3)[1] == 83 and (t % 3)[1] == 1 and t:max() == 250 and t:mean():item() == 130)
            """
        ),
        (
            "floor division and remainders of fractions are Lua's",
            """
            local numbers = { 7.5, -7.5, 0.25, -1 }
            for _, by in ipairs { 2, -2, 0.5 } do
                local t = mr.tensor(numbers)
                for i, x in ipairs(numbers) do assert((t // by)[i] == x // by and (t % by)[i] == x % by) end
            end
            assert((7 // mr.tensor { 2 })[1] == 3 and (7 % mr.tensor { 4 })[1] == 3)
            """
        ),
        (
            "files keep every digit",
            """
            local odd = { (1 << 62) + 1, -(1 << 62) - 1, (1 << 53) + 1, math.mininteger, math.maxinteger }
            local t, folder = mr.tensor(odd, { dtype = "int64" }), os.tmpname()
            mr.write_npy(folder .. ".npy", t)
            mr.write_npz(folder .. ".npz", { a = t }, { compress = true })
            mr.write_safetensors(folder .. ".safetensors", { a = t })
            mr.write_json(folder .. ".json", { a = t:totable() })
            local read = {
                mr.read_npy(folder .. ".npy"), mr.read_npz(folder .. ".npz").a,
                mr.read_safetensors(folder .. ".safetensors").a,
                mr.tensor(mr.read_json(folder .. ".json").a, { dtype = "int64" }),
            }
            for which, back in ipairs(read) do
                for i, wanted in ipairs(odd) do assert(back[i] == wanted, ("%d: %s for %d"):format(which, back[i], wanted)) end
            end
            for _, ending in ipairs { "", ".npy", ".npz", ".safetensors", ".json" } do os.remove(folder .. ending) end
            """
        ),
        (
            "not-a-numbers stay",
            """
            local nan = 0 / 0
            local function all(t) for _, x in ipairs(t:reshape(-1):totable()) do assert(x ~= x, tostring(t)) end end
            local t = mr.tensor { nan, nan }
            for _, name in ipairs { "relu", "sigmoid", "tanh", "exp", "log", "sqrt", "abs", "softmax", "log_softmax" } do all(t[name](t)) end
            for _, other in ipairs { 1, mr.ones(2) } do all(t:maximum(other)) all(t:minimum(other)) all(t:clamp(0, 1)) end
            all(mr.ones(2):maximum(t)) all(mr.ones(2):minimum(t)) all(mr.tape():watch(mr.ones(2)):maximum(t))
            all(t:sum()) all(t:mean()) all(t // 1) all(t % 2)
            assert(t:max() ~= t:max() and t:min() ~= t:min() and mr.tensor { 1, nan, 9 }:argmax():item() == 2)
            all(mr.loss.mse(t, t)) all(mr.loss.kl(t:reshape(1, 2), mr.zeros(1, 2))) all(mr.loss.kl(mr.zeros(1, 2), t:reshape(1, 2)))
            all(mr.loss.cross_entropy(t:reshape(1, 2), mr.tensor({ 1 }, { dtype = "int64" })))
            """
        ),
        (
            "a model that gives no numbers has no image right, and evaluation says so",
            """
            local data, model = tiny(), net()
            local fine = model:evaluate(data)
            assert(fine.undefined == 0 and fine.loss == fine.loss)
            local weight = model:parameter "fc.bias"
            model:set_parameter("fc.bias", weight * (0 / 0))
            local spoilt = model:evaluate(data)
            assert(spoilt.accuracy == 0 and spoilt.undefined == 40 and spoilt.loss ~= spoilt.loss)
            """
        ),
        (
            "a tape changes no digit",
            """
            mr.seed(4)
            local x, y = mr.randn(7, 33) * 3, mr.randn(33)
            local positive = x:abs() + 0.1
            local calls = {
                { x, "relu" }, { x, "sigmoid" }, { x, "tanh" }, { x, "exp" }, { positive, "log" }, { positive, "sqrt" }, { x, "abs" },
                { x, "softmax" }, { x, "log_softmax" }, { x, "clamp", -0.7, 1.1 }, { x, "sum" }, { x, "sum", 1 }, { x, "sum", 2, true },
                { x, "mean" }, { x, "mean", 1 }, { x, "mean", -1, true }, { x, "maximum", y }, { x, "minimum", y }, { x, "maximum", 0.3 },
                { x, "matmul", mr.randn(33, 5) }, { x, "reshape", 33, 7 }, { x, "permute", 2, 1 }, { x, "t" }, { x, "slice", 2, 3, 20, 2 },
                { x:slice(1, 1, 1), "expand", 4, 33 }, { x, "rows", { 7, 1 } },
            }
            local function same(name, plain, taped)
                local a, b = plain:reshape(-1):totable(), taped:detach():reshape(-1):totable()
                assert(#a == #b and #a > 0, name)
                for i = 1, #a do
                    assert(string.pack("<f", a[i]) == string.pack("<f", b[i]), ("%s: %.9g and %.9g"):format(name, a[i], b[i]))
                end
            end
            for _, call in ipairs(calls) do
                local tensor, name = call[1], call[2]
                same(name, tensor[name](tensor, table.unpack(call, 3)), (function(t) return t[name](t, table.unpack(call, 3)) end)(mr.tape():watch(tensor)))
            end
            local operators = {
                function(a) return a + y end, function(a) return y - a end, function(a) return a * y end, function(a) return y / a end,
                function(a) return a / 3 end, function(a) return 3 / a end, function(a) return -a end, function(a) return a ^ 2 end,
                function(a) return a ^ 0.5 end, function(a) return a ^ 1.7 end, function(a) return a ^ y end,
                function(a) return mr.cat({ a, x }, 1) end,
            }
            for which, operator in ipairs(operators) do same("operator " .. which, operator(positive), operator(mr.tape():watch(positive))) end
            local logits, labels = mr.randn(4, 5), mr.tensor({ 1, 5, 2, 2 }, { dtype = "int64" })
            local losses = {
                function(t) return mr.loss.cross_entropy(t, labels, { smoothing = 0.1 }) end,
                function(t) return mr.loss.kl(t, logits, { temperature = 2 }) end, function(t) return mr.loss.mse(t, logits) end,
            }
            for which, loss in ipairs(losses) do same("loss " .. which, loss(logits * 2), loss(mr.tape():watch(logits * 2))) end
            -- A method that is neither here nor known to have no gradient is one that somebody added.
            local known = { item = 1, totable = 1, to = 1, clone = 1, detach = 1, backward = 1, eq = 1, lt = 1, le = 1, svd = 1, qr = 1,
                eigh = 1, solve = 1, norm = 1, max = 1, min = 1, argmax = 1 }
            for _, call in ipairs(calls) do known[call[2]] = 1 end
            for _, name in ipairs(mr_methods) do assert(known[name], "is Tensor:" .. name .. " the same with and without a tape?") end
            """
        ),
        (
            "training that meets no number stops and keeps the last good model",
            """
            for _, optimizer in ipairs { mr.optim.sgd { lr = 1e30 }, mr.optim.adam { lr = 1e30 } } do
                local data, model, seen = tiny(), net(), {}
                local ok, failure = pcall(model.fit, model, data, {
                    steps = 6, optimizer = optimizer, schedule = mr.schedule.constant {},
                    on_step = function(row) seen[#seen + 1] = row.loss end,
                })
                assert(not ok and failure.code == "training.diverged", tostring(failure))
                local text = tostring(failure)
                assert(text:find "at step %d" and text:find "in epoch 1" and text:find "before the update of step %d", text)
                local after = model:evaluate(data)
                assert(after.loss == after.loss and after.loss < 100 and after.undefined == 0, after.loss)
            end
            """
        ),
        (
            "the last update is looked at too",
            """
            local data, model = tiny(), net()
            local before = model:evaluate(data).loss
            local ok, failure = pcall(model.fit, model, data, {
                steps = 1, optimizer = mr.optim.sgd { lr = 1e30 }, schedule = mr.schedule.constant {} })
            assert(not ok and failure.code == "training.diverged" and tostring(failure):find "step 1", tostring(failure))
            assert(model:evaluate(data).loss < 100)
            """
        ),
        (
            "a checkpoint is of a model that gives numbers",
            """
            local path, data, model = os.tmpname(), tiny(), net()
            local ok, failure = pcall(model.fit, model, data, {
                epochs = 3, checkpoint = path, optimizer = mr.optim.sgd { lr = 1 },
                schedule = function(progress) return progress < 0.58 and 0.01 or 1e35 end })
            assert(not ok and failure.code == "training.diverged", tostring(failure))
            assert(tostring(failure):find "step 8, in epoch 2: the outputs behind its update", tostring(failure))
            local saved = net()
            local loss = (function()
                saved:fit(data, { epochs = 2, checkpoint = path, resume = true, optimizer = mr.optim.sgd { lr = 1 },
                    schedule = function() return 0.01 end })
                return saved:evaluate(data).loss
            end)()
            assert(loss == loss)
            os.remove(path)
            """
        ),
        (
            "images that are none are an error from the first step, and change nothing",
            """
            local data, model = tiny(), net()
            local spoilt = mr.data.from_tensors(mr.zeros(20, 1, 8, 8) + 0 / 0, mr.ones(20):to "int64", { batch = 10 })
            local before = model:evaluate(data)
            local ok, failure = pcall(model.fit, model, spoilt, { epochs = 1 })
            assert(not ok and failure.code == "training.diverged", tostring(failure))
            assert(tostring(failure):find "those that training began with", tostring(failure))
            local after = model:evaluate(data)
            assert(after.loss == before.loss)
            local ok, failure = pcall(model.finetune, model, spoilt, { epochs = 1 })
            assert(not ok and tostring(failure):find "finite", tostring(failure))
            assert(model:evaluate(data).loss == before.loss)
            """
        ),
    ]

    @Test(arguments: specs) func spec(_ name: String, _ script: String) throws { try run(methods + script) }

    /// The names of the methods of tensors.
    private var methods: String {
        "local mr_methods = {}; for name in pairs((require \"moonrail.core\").methods.Tensor) do mr_methods[#mr_methods + 1] = name end\n"
    }

    static let errors: [(String, String)] = [
        ("return mr.arange(3) // 0", "floor_divide: a whole number cannot be divided by zero"),
        ("return mr.arange(3) % 0", "modulo: a whole number cannot be divided by zero"),
        ("return mr.tensor({ 300 }, { dtype = 'uint8' })", "mr.tensor: values must fit in uint8, got 300"),
        ("return mr.tensor({ 2.0 ^ 63 }, { dtype = 'int64' })", "mr.tensor: values must fit in int64, got 9.22"),
        ("return mr.tensor({ 0 / 0 }, { dtype = 'int64' })", "must fit in int64"),
        ("return mr.tensor({ 1 }, { dtype = 'uint8' }) + 300", "300 is no UInt8"),
        ("return mr.arange(3):exp()", "exp: needs float32 elements, but got int64"),
        ("return mr.arange(3):softmax()", "softmax: needs float32 elements, but got int64"),
        ("return mr.arange(3):relu()", "relu: needs float32 elements, but got int64"),
        ("return mr.arange(3):clamp(0, 1)", "needs float32 elements, but got int64"),
        ("return mr.arange(3) + mr.ones(3)", "add: needs int64 elements, but got float32"),
        ("return mr.tape():watch(mr.ones(3)) % 2", "has no gradient"),
        ("mr.loss.cross_entropy(mr.zeros(1, 2), mr.tensor({ math.mininteger }, { dtype = 'int64' }))", "is out of range 1…2"),
        ("return mr.zeros(4):reshape(-1, 1 << 62, 1 << 62)", "cannot become"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
