import Basics
import Testing

/// `mr.compress` and what it shares with finetuning: steps are kept by a measured quality, and files are read back.
@Suite(.serialized) struct PipelineTests {
    /// A trained network, and 200 images of two classes that differ in brightness.
    private static let trained = """
        local function pictures(count, seed, scale, shift)
            mr.seed(seed)
            local labels = {}
            for i = 1, count do labels[i] = i % 2 + 1 end
            local bright = mr.tensor(labels):reshape(count, 1, 1, 1)
            return mr.data.from_tensors((mr.rand(count, 1, 8, 8) + bright) * (scale or 1) + (shift or 0), mr.tensor(labels, { dtype = "int64" }),
                { batch = 20, shuffle = true })
        end
        local function trained()
            local model = net()
            model:fit(pictures(200, 3), { epochs = 4, optimizer = mr.optim.sgd { lr = 0.03, momentum = 0.9 } })
            return model
        end
        local function apart(one, other, data)
            local x = data:with { shuffle = false }:epoch()().x
            return ((one(x) - other(x)):norm() / other(x):norm())
        end
        local half = { budget = { params = 0.5 }, policy = "uniform", formats = "trains" }

        """

    private func inDirectory(_ body: (String) throws -> Void) throws {
        let directory = "/tmp/moonrail-pipeline-\(UInt64.random(in: 0 ... .max))"
        try AtomicFile.makeDirectory(directory)
        try body(directory)
    }

    @Test func theWholeWayEndsInAFileThatIsReadBackAndCounted() throws {
        try inDirectory { directory in
            for ending in ["onnx", "safetensors"] {
                try run(
                    Self.trained + """
                        local model, path = trained(), "\(directory)/small.\(ending)"
                        local small, report = mr.compress(model, {
                            plan = half, data = pictures(200, 5), test = pictures(60, 7), tune = { steps = 10, lr = 0.001 }, out = path,
                        })
                        local saved = mr.load(path)
                        assert(report.model.params == saved.cost.params and report.model.bytes == mr.model_size(path))
                        assert(report.model.params <= 0.5 * report.dense.params and report.dense.params == model.cost.params)
                        assert(#report.over == 0 and report.distance < 1e-3 and apart(saved, small, pictures(20, 9)) < 1e-3)
                        local names = table.concat(report:column "name", " ")
                        assert(names == "cut refit repair reestimate tune file", names)
                        assert(report.fitted_images == 150 and report.judged_images == 50 and report.apart)
                        for _, name in ipairs { "cut", "repaired", "file" } do assert(report.tests[name] >= 0, name) end
                        assert(small:note "accuracy" == (report.tests.tuned or report.tests.repaired) and small:note "plan".policy == "uniform")
                        local text = tostring(report)
                        for _, words in ipairs { "divergence", "agreement", "read again", "fitted to 150 images, judged on 50 others", path } do
                            assert(text:find(words, 1, true), text)
                        end
                        assert(report.plan.policy == "uniform" and #report.history == 2)
                        """)
            }
        }
    }

    /// No step leaves a model that is worse than the one that it was given.
    @Test func theKeptQualityNeverFalls() throws {
        try run(
            Self.trained + """
                local model = trained()
                for _, data in ipairs { pictures(200, 5), pictures(40, 5, 0.01, 20), pictures(10, 6) } do
                    for _, labels in ipairs { true, false } do
                        local small, report = mr.compress(model, { plan = half, data = data, labels = labels, tune = 5 })
                        local kept = report.cut
                        for i = 2, #report do
                            local row = report[i]
                            if row.kept then
                                -- Within the accuracy's error tuning with labels may diverge as far as the cut did.
                                local most = labels and row.name == "tune" and math.max(kept.divergence, report.cut.divergence) or kept.divergence
                                assert(row.accuracy and row.accuracy > kept.accuracy or row.divergence <= most, tostring(report))
                                if not labels then assert(row.divergence <= kept.divergence, tostring(report)) end
                                kept = row
                            end
                        end
                        local _, without = mr.compress(model, { plan = half, data = data, labels = labels, repairs = {} })
                        assert(#without == 1 and without.cut.divergence == report.cut.divergence)
                    end
                end
                """)
    }

    /// Blocks are trained only where it is said how long.
    @Test func blocksAreTrainedBehindTheFit() throws {
        try run(
            Self.trained + """
                local model = trained()
                local small, report = mr.compress(model, { plan = half, data = pictures(200, 5), labels = false, distill_seconds = 0.4 })
                local names = table.concat(report:column "name", " ")
                assert(names == "cut refit distill repair reestimate", names)
                assert(report.distill.kept and report.distill.divergence < report.refit.divergence, tostring(report))
                local _, alone = mr.compress(model, { plan = half, data = pictures(200, 5), labels = false, repairs = {}, distill_seconds = 0.1 })
                assert(table.concat(alone:column "name", " ") == "cut distill")
                """)
    }

    @Test func strangeImagesChangeNothingOfAnUncutModel() throws {
        try run(
            Self.trained + """
                local model = trained()
                local strange = pictures(40, 5, 0.01, 20)
                local small, report = mr.compress(model, { plan = { budget = { params = 1 } }, data = strange, labels = false })
                assert(apart(small, model, pictures(20, 9)) == 0)
                assert(report.reestimate.result:find "not kept" and report.reestimate.divergence == 0 and report.refit.result == "nothing to do")
                for _, name in ipairs(model.parameter_names) do
                    assert((small:parameter(name) - model:parameter(name)):norm() == 0, name)
                end
                """)
    }

    @Test func tuningThatHarmsIsSaidAndNotKept() throws {
        let said = try warnings(
            of: Self.trained + """
                local model = trained()
                local data = pictures(200, 5)
                local cut = mr.compress(model, { plan = half, data = data, labels = false })
                local small, report = mr.compress(model, { plan = half, data = data, tune = { steps = 20, lr = 5 } })
                local row = report.tune
                assert(row.kept == false and row.result:find "not kept", tostring(report))
                local history = cut:finetune(data, { steps = 20, dense = model, lr = 5 })
                assert(history.steps.tune.kept == false and #history >= 1, tostring(history.steps))
                assert(small:evaluate(data).accuracy > 0.95 and cut:evaluate(data).accuracy > 0.95)
                """)
        #expect(said.contains { $0.contains("worse on 50 images") && $0.contains("accuracy") }, "\(said)")
    }

    @Test func notANumberEndsTuningWithTheLastGoodModel() throws {
        let said = try warnings(
            of: Self.trained + """
                local model, data = trained(), pictures(200, 5)
                local function burst() return function(progress) return progress < 0.35 and 1e-6 or 1e30 end end
                local small, report = mr.compress(model, {
                    plan = half, data = data, tune = { steps = 12, schedule = burst(), optimizer = mr.optim.sgd { lr = 1 } },
                })
                local row = report.tune
                assert(row.why:find "step %d+, in epoch 1" and row.result:find "ended early", tostring(report))
                assert(small:evaluate(data).loss < 10 and small:evaluate(data).undefined == 0)
                local cut = model:compress(report.plan)
                local history = cut:finetune(data, { steps = 12, dense = model, schedule = burst(), optimizer = mr.optim.sgd { lr = 1 } })
                assert(history.steps.tune.why and cut:evaluate(data).undefined == 0)
                """)
        #expect(said.contains { $0.contains("ended early") && $0.contains("step ") }, "\(said)")
    }

    /// Each of these would show "planned" if it were found out later.
    @Test(arguments: [
        ("out = '/tmp/small.txt'", ".safetensors or .onnx"), ("out = '/tmp/no/such/folder/small.onnx'", "No such file or directory"),
        ("out = '/tmp/small.py'", ".safetensors or .onnx"), ("out = there", "it is there already"), ("tune = 5", "needs option 'data'"),
        ("data = pictures(40, 5), tune = -1", "at least 0"), ("data = pictures(40, 5), tune = { steps = 5, lr = 0 }", "must be positive"),
        ("data = pictures(40, 5), tune = { stpes = 5 }", "did you mean 'steps'"),
        ("data = pictures(40, 5), tune = { steps = 5, smoothing = 2 }", "'smoothing' must lie"),
        ("repairs = { 'refit', 'bn' }", "got 'bn'"), ("data = pictures(40, 5), judge = 0", "option 'judge'"), ("oout = 'x'", "did you mean 'out'"),
        ("distill_seconds = 1", "needs option 'data'"), ("data = pictures(40, 5), distill_seconds = -1", "must not be negative"),
        ("data = pictures(40, 5), distill_seconds = 1 / 0", "or infinite"), ("data = pictures(40, 5), images = 1", "option 'images'"),
        ("data = mr.data.from_tensors(mr.rand(20, 1, 8, 8), mr.arange(20), {})", "20 classes"),
    ]) func whatCanBeRefusedIsRefusedFirst(options: String, words: String) throws {
        let got = message(
            of: Self.trained + """
                local there = os.tmpname() .. ".onnx"
                mr.write_text(there, "kept")
                local ok, failure = pcall(mr.compress, net(), { plan = { budget = { params = 0.5 }, policy = function() error "planned" end }, \(options) })
                assert(mr.read_text(there) == "kept")
                os.remove(there)
                error(failure, 0)
                """)
        #expect(got.contains(words) && !got.contains("planned"), "\(got)")
    }

    @Test func aFileIsOverwrittenWhereThatIsAllowed() throws {
        try inDirectory { directory in
            try run(
                Self.trained + """
                    local path = "\(directory)/small.onnx"
                    mr.write_text(path, "old")
                    local small, report = mr.compress(net(), { plan = half, out = path, overwrite = true })
                    assert(mr.load(path).cost.params == report.model.params and #report == 2 and report.cut.divergence == nil)
                    assert(report.distance < 1e-3 and not report.fitted_images)
                    """)
        }
    }

    /// Fitting gives layers biases that the plan has not counted; the file has to keep the budget with them.
    @Test func biasesOfRepairCountAgainstTheBudget() throws {
        try run(
            """
            local nn = mr.nn
            local model = nn.sequential { image = { 1, 8, 8 }, seed = 4, nn.flatten(), nn.linear { features = 48, bias = false }, nn.relu(),
                nn.linear { features = 40, bias = false }, nn.relu(), nn.linear { features = 4, bias = false } }
            local labels = {}
            for i = 1, 200 do labels[i] = i % 4 + 1 end
            mr.seed(2)
            local data = mr.data.from_tensors(mr.randn(200, 1, 8, 8) + 1, mr.tensor(labels, { dtype = "int64" }), { batch = 50 })
            local small, report = mr.compress(model, { plan = { budget = { params = 0.6 }, formats = "trains" }, data = data, labels = false })
            local biases = 0
            for _, name in ipairs(small.parameter_names) do if name:find "bias" then biases = biases + #small:parameter(name) end end
            assert(report.refit.kept and biases > 0, tostring(report))
            assert(small.cost.params <= 0.6 * model.cost.params and #report.over == 0, tostring(report))
            assert(report.plan.params + biases == small.cost.params, report.plan.params .. " " .. biases .. " " .. small.cost.params)
            -- A plan that is given is not changed, and what it comes to is said.
            local plan = mr.plan(model, { budget = { params = 0.6 } })
            local other = mr.compress(model, { plan = plan, data = data, labels = false })
            assert(other.cost.params > plan.params)
            """)
    }

    /// What has a loss of its own aims at something else than the dense model's outputs, and is not judged by them.
    @Test func ownLossesAreNotJudged() throws {
        try run(
            Self.trained + """
                local model, data = trained(), pictures(200, 5)
                local cut = model:compress(mr.plan(model, half))
                local history = cut:finetune(data, {
                    steps = 20, lr = 0.01, loss = function(logits) return (logits * logits):mean() end,
                })
                assert(history.steps.tune.kept and cut(data.images):abs():mean():item() < 0.5 * model(data.images):abs():mean():item())
                """)
    }

    @Test func stagesSayWhatCameOfTheirSteps() throws {
        try run(
            Self.trained + """
                local model, data = trained(), pictures(200, 5)
                local small, history = model:compress_in_stages(mr.plan(model, half), data, { stages = 2, steps = 4, images = 64, lr = 0.001 })
                local names = table.concat(history.steps:column "name", " ")
                assert(names == "cut 1 refit repair reestimate tune cut 2 refit repair reestimate tune", names)
                assert(#history == 2 and history[2].params == small.cost.params)
                assert(small:evaluate(data).accuracy > 0.95)
                """)
    }

    /// Too few images to spare some are judged on as well, which the report says.
    @Test func fewImagesAreJudgedOnToo() throws {
        try run(
            Self.trained + """
                local _, report = mr.compress(trained(), { plan = half, data = pictures(10, 5) })
                assert(not report.apart and report.judged_images == 10 and tostring(report):find("among them", 1, true))
                """)
    }
}
