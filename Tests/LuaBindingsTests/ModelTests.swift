import Basics
import Testing

/// Parameters that a script sets.
@Suite(.serialized) struct ParameterTests {
    @Test func parametersAreSet() throws {
        try run(
            """
            local m, images = net(), mr.rand(2, 1, 8, 8)
            local before = m(images)
            local weight = m:parameter "conv1.weight"
            assert((m.layers.conv1.weight - weight):norm() == 0)
            m:set_parameter("conv1.weight", weight * 0)
            assert(m:parameter "conv1.weight":norm() == 0 and (m(images) - before):norm() > 0)
            m:set_parameter("conv1.weight", weight)
            near((m(images) - before):norm(), 0)
            """)
    }

    static let errors: [(String, String)] = [
        ("net():set_parameter('conv1.wight', mr.zeros(1))", "did you mean 'conv1.weight'?"),
        ("net():set_parameter('conv1.weight', mr.zeros(1))", "must be float32 of the parameter's shape [16, 1, 3, 3], got float32 of [1]"),
        ("net().layers.conv1.weight = mr.zeros(16, 1, 3, 3)", "model:set_parameter(\"conv1.weight\", tensor) does"),
        ("net().layers.conv1.extra = 3", "setting its 'extra' changes nothing"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}

@Suite(.serialized) struct ModelScriptTests {
    @Test func trainingByHandLowersTheLoss() throws {
        try run(
            """
            local model, data = net(), tiny()
            local optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9 }
            local first, last
            for epoch = 1, 6 do
                for batch in data:epoch(epoch) do
                    local loss = mr.loss.cross_entropy(model:forward(batch.x), batch.y)
                    optimizer:step(loss:backward())
                    first, last = first or loss:item(), loss:item()
                end
            end
            assert(last < 0.5 * first, ("%g is not below half of %g"):format(last, first))
            assert(model:evaluate(data).accuracy > 0.9)
            """)
    }

    @Test func profilesShowWhereTheTimeGoes() throws {
        try run(
            """
            local model = mr.zoo.resnet { depth = 8, image = { 1, 16, 16 } }
            local profile = model:profile(2)
            local share, macs = 0, 0
            for _, row in ipairs(profile) do share, macs = share + row.share, macs + row.macs end
            assert(math.abs(share - 1) < 1e-6 and macs == 2 * model.cost.macs)
            assert(tostring(profile):find("GFLOP/s", 1, true))
            local ok, err = pcall(model.profile, model, 0)
            assert(not ok and tostring(err):find "1…65536", tostring(err))
            """)
    }

    @Test func memoryIsKnownBeforeTheRun() throws {
        try run(
            """
            local model = mr.zoo.resnet { depth = 8, image = { 1, 16, 16 } }
            local one, many = model:memory(), model:memory(32)
            assert(one.batch == 1 and many.batch == 32 and one.parameters == many.parameters and many.buffers > one.buffers)
            assert(many.images == 4 * 32 * (16 * 16 + 10) and many.total == many.buffers + many.parameters + many.images)
            -- The largest value and the one it is made of, at least, for a single image.
            assert(one.buffers >= 2 * 4 * 16 * 16 * 16)
            local ok, err = pcall(model.memory, model, 0)
            assert(not ok and tostring(err):find "1…65536", tostring(err))
            """)
    }

    @Test func precisionsAreComparedWhereTheProcessorHasThem() throws {
        try run(
            """
            local model = mr.zoo.resnet { depth = 8, image = { 1, 16, 16 } }
            local labels = {}
            for i = 1, 16 do labels[i] = i % 4 + 1 end
            local data = mr.data.from_tensors(mr.randn(16, 1, 16, 16), mr.tensor(labels, { dtype = "int64" }))
            assert(model.precision == "float32" and model:compile() == model)
            local ok, rows = pcall(model.compile, model, { precision = "bf16", data = data })
            if ok then
                assert(#rows == 2 and rows[1].precision == "float32" and rows[2].precision == "bf16" and model.precision == "bf16")
                assert(math.abs(rows[1].loss - rows[2].loss) < 0.05 * rows[1].loss and rows[1].loss ~= rows[2].loss)
            else
                assert(tostring(rows):find "AVX%-512" and model.precision == "float32", tostring(rows))
            end
            local known, err = pcall(model.compile, model, { precision = "int4" })
            assert(not known and tostring(err):find("'float32' or 'bf16'", 1, true), tostring(err))
            """)
    }

    @Test func lastFactorsAreFitted() throws {
        try run(
            """
            mr.seed(3)
            local model = mr.zoo.resnet { depth = 8, image = { 1, 16, 16 } }
            local labels = {}
            for i = 1, 64 do labels[i] = i % 4 + 1 end
            local data = mr.data.from_tensors(mr.randn(64, 1, 16, 16), mr.tensor(labels, { dtype = "int64" }))
            local plan = mr.plan(model, { policy = "uniform", budget = { params = 0.4 } })
            local cut, fitted = model:compress(plan), model:compress(plan)
            local images = data:epoch()().x
            local layers = fitted:refit(model, data, { images = 64 })
            assert(layers >= 3 and (fitted(images) - cut(images)):norm() > 0, layers)
            assert(fitted.cost.params == cut.cost.params)
            local scores = mr.lwiq.score(model, data, { keep_embeddings = true })
            assert(#scores[1].class_accuracy == 4 and scores[1].embeddings.shape[1] == scores.holdout_images)
            assert(scores.labels.shape[1] == scores.holdout_images)
            """)
    }

    /// Convolutions without batch normalisation get the dense ones' statistics; those with one are left alone.
    @Test func repairMovesLayersTowardsTheDenseModel() throws {
        try run(
            """
            mr.seed(3)
            local function block(name, norm)
                return mr.nn.block { name = name, mr.nn.conv { channels = 32, kernel = 3, padding = 1 }, norm and mr.nn.batch_norm() or mr.nn.relu() }
            end
            local model = mr.nn.sequential {
                image = { 3, 8, 8 }, block("a"), block("b"), block("c", true), mr.nn.global_avg_pool(), mr.nn.flatten(),
                mr.nn.linear { features = 4 },
            }
            local labels = {}
            for i = 1, 64 do labels[i] = i % 4 + 1 end
            local data = mr.data.from_tensors(mr.randn(64, 3, 8, 8), mr.tensor(labels, { dtype = "int64" }))
            local small = model:compress(mr.plan(model, { policy = "uniform", formats = "C|Kh·Kw|O", budget = { params = 0.4 } }))
            local images = data:epoch()().x
            local tap = model.layers[2].name
            local function distance()
                local means = {}
                for i, candidate in ipairs { model, small } do means[i] = candidate:features(images, { tap })[tap]:mean():item() end
                return math.abs(means[1] - means[2])
            end
            local before = distance()
            -- The first layer stays dense, the last has a norm.
            assert(small:repair(model, data, { images = 64 }) == 1)
            assert(distance() < 0.1 * before, ("%g after %g"):format(distance(), before))
            local ok, err = pcall(small.repair, small, model, data, { images = 1 })
            assert(not ok and tostring(err):find("at least 2", 1, true), tostring(err))
            """)
    }

    /// From few images alone the choice would decide, so the old statistics stand in for those that are missing.
    @Test func fewImagesAreNotTakenInSilence() throws {
        var shown = ""
        try run(
            """
            local model = mr.zoo.resnet { depth = 8, image = { 1, 16, 16 } }
            local function data(count, make)
                local labels = {}
                for i = 1, count do labels[i] = i % 4 + 1 end
                return mr.data.from_tensors((make or mr.randn)(count, 1, 16, 16), mr.tensor(labels, { dtype = "int64" }), { batch = 16 })
            end
            local function refused(words, ...)
                local ok, err = pcall(model.reestimate, model, ...)
                for _, word in ipairs(words) do assert(not ok and tostring(err):find(word, 1, true), word .. ": " .. tostring(err)) end
            end
            refused({ "images", "at least 2" }, data(10), { images = 1 })
            refused({ "data", "at least 2 images" }, data(1))
            refused({ "image", "no content" }, data(64, mr.ones))
            refused({ "image 1 ", "no numbers" }, data(64, function(...) return mr.ones(...) * (0 / 0) end))
            assert(model:reestimate(data(64)) == model:reestimate(data(10)))
            -- 17 images come as 9 and 8, not as 16 and one alone.
            model:reestimate(data(17))
            """, warnings: { shown += $0 })
        #expect(shown.contains("only 10 images") && shown.contains("the 54 that are missing to 64") && !shown.contains("only 64"))
    }

    @Test func gradientsBelongToTheirPass() throws {
        try run(
            """
            local model, data = net(), tiny()
            local batch = data:epoch(1)()
            local loss = mr.loss.cross_entropy(model:forward(batch.x), batch.y)
            local gradients = loss:backward()
            assert(gradients:get("fc.weight").shape[1] == 2)
            local ok, err = pcall(loss.backward, loss)
            assert(not ok and err.code == "binding.tapeSpent", tostring(err))
            """)
    }

    /// Also with dropout, whose masks go on where they were.
    @Test(arguments: [
        "net()", "mr.nn.sequential { image = { 1, 8, 8 }, seed = 2, mr.nn.flatten(), mr.nn.dropout(), mr.nn.linear { features = 2 } }",
    ]) func fitResumesBitForBit(net: String) throws {
        let path = "/tmp/moonrail-resume-\(UInt64.random(in: 0 ... .max)).safetensors"
        defer { try? AtomicFile.write(path, text: "") }
        try run(
            """
            local function options(extra)
                extra.optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9, nesterov = true }
                return extra
            end
            local function make() return \(net) end
            local whole = make()
            whole:fit(tiny(), options { epochs = 3 })
            local half = make()
            half:fit(tiny(), options { epochs = 3, checkpoint = "\(path)", checkpoint_every = 3,
                on_step = function(row) return row.step < 7 end })   -- stopped in the middle of epoch 2
            local resumed = make()
            local history = resumed:fit(tiny(), options { epochs = 3, checkpoint = "\(path)", resume = true })
            assert(#history == 3)
            for _, name in ipairs(whole.parameter_names) do
                assert((whole:parameter(name) - resumed:parameter(name)):norm() == 0, name)
            end
            """)
    }

    @Test func savedModelsComeBack() throws {
        let path = "/tmp/moonrail-model-\(UInt64.random(in: 0 ... .max)).safetensors"
        defer { try? AtomicFile.write(path, text: "") }
        try run(
            """
            local model = net()
            model:note("made", { by = "spec", list = { 1, 2.5 } })
            model:save("\(path)")
            local again = mr.load("\(path)")
            local x = mr.randn(2, 1, 8, 8)
            assert((model(x) - again(x)):norm() == 0 and again:note("made").list[2] == 2.5)
            assert(again.cost.params == model.cost.params and again.layers["stage2.block1.conv1"].parent)
            local module = os.tmpname()
            model:save(module .. ".py")
            assert(mr.read_text(module .. ".py"):find "torch" and mr.read_safetensors(module .. ".weights.safetensors"))
            for _, ending in ipairs { "", ".py", ".weights.safetensors" } do os.remove(module .. ending) end
            """)
    }

    @Test func distillationAndScheduleRun() throws {
        try run(
            """
            local teacher, student = net(), mr.zoo.resnet { depth = 8, image = { 1, 8, 8 }, classes = 2, seed = 9 }
            local rates = {}
            local history = student:fit(tiny(), {
                epochs = 2, teacher = teacher, temperature = 2, features = 0.5, smoothing = 0.1, validate = tiny(),
                schedule = mr.schedule.cosine { warmup = 0.25 }, on_step = function(row) rates[#rates + 1] = row.lr end,
            })
            assert(#history == 2 and history[2].validation and #rates == 8)
            assert(rates[1] == 0 and rates[3] > rates[8] and tostring(history):find("validation"))
            """)
    }

    static let errors: [(String, String)] = [
        ("net():evaluate(3)", "Model:evaluate: argument 1 (data) must be a Dataset, got a number"),
        ("net():fit(net())", "Model:fit: argument 1 (data) must be a Dataset, got a Model"),
        ("mr.load 'nowhere.safetensors'", "cannot read nowhere.safetensors"),
        ("net()(mr.zeros(1, 3, 8, 8))", "needs shape [N, 1, 8, 8]"),
        ("net():fit(tiny(), { teacher = tiny() })", "Model:fit: option 'teacher' must be a Model or false, got a Dataset"),
        ("net():fit(tiny(), { optimizer = tiny() })", "Model:fit: option 'optimizer' must be an Optimizer, got a Dataset"),
        ("net():fit(tiny(), { schedule = function() end })", "option 'schedule' must give a number, got a nil"),
        ("net():fit(tiny(), { teacher = net(), distill = 2 })", "option 'distill' must lie between 0 and 1, got 2"),
        ("net():fit(tiny(), { features = 1 })", "option 'features' needs a teacher"),
        ("net():fit(tiny(), { checkpoint_every = 2 })", "option 'checkpoint_every' needs option 'checkpoint'"),
        ("net():fit(tiny(), { steps = 2, epochs = 1 })", "option 'steps' and 'epochs' exclude each other"),
        ("net():finetune(tiny(), { desne = net() })", "Model:finetune: unknown option 'desne' (did you mean 'dense'?)"),
        ("net():fit(tiny(), { epoch = 1 })", "unknown option 'epoch' (did you mean 'epochs'?)"),
        ("net():fit(tiny(), { epochs = 'two' })", "option 'epochs' must be a number, got a string (two)"),
        ("mr.zoo.resnet { depth = 21 }", "depth must be 6n + 2"),
        ("net():parameter 'fc.wieght'", "did you mean 'fc.weight'"),
        ("mr.optim.sgd { lr = -1 }", "must be positive"),
        ("mr.optim.sgd { lr = 1, momentun = 0.9 }", "did you mean 'momentum'"),
        ("net():forward(mr.zeros(2, 1, 8, 8), { tap = {} })", "did you mean 'taps'"),
        ("mr.data.fashion_mnist { dir = '/nowhere' }", "/nowhere"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
