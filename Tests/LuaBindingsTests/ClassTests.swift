import Testing

/// Labels mean the same in training, in tests and to the network; and what training showed, evaluation finds.
@Suite(.serialized) struct ClassTests {
    /// Two classes that differ in brightness, under names.
    private static let named = """
        local function named(...)
            local data = tiny()
            return mr.data.from_tensors(data.images, data.labels, { batch = 10, shuffle = true, classes = { ... } })
        end

        """

    @Test func classesOfTrainingAndTestAreTheSame() throws {
        try run(
            Self.named + """
                local model = net()
                model:fit(named("dark", "bright"), { epochs = 2, validate = named("dark", "bright") })
                assert(model:note "classes"[2] == "bright")
                assert(model:evaluate(named("dark", "bright")).accuracy == model:evaluate(tiny()).accuracy)
                """)
    }

    static let refusals: [(String, String)] = [
        (
            "net():fit(named('a', 'b'), { validate = named('b', 'a') })",
            "option 'validate' has the classes b, a, but the training data a, b: a label would mean another class"
        ),
        ("net():fit(named('a', 'b'), { validate = named('a', 'b', 'c') })", "has the classes a, b, c, but the training data a, b"),
        (
            "local m = net() m:fit(named('a', 'b'), { epochs = 1 }) m:evaluate(named('b', 'a'))",
            "the data has the classes b, a, but the network was trained on a, b"
        ),
        ("net():fit(named('a', 'b', 'c'))", "Model:fit: the data has 3 classes (a, b, c), but the network 2 outputs"),
        ("net():evaluate(named('a', 'b', 'c'))", "Model:evaluate: the data has 3 classes (a, b, c), but the network 2 outputs"),
        ("mr.zoo.mlp({ image = { 1, 8, 8 }, classes = 9 }):evaluate(named('a', 'b'))", "the data has 2 classes (a, b), but the network 9 outputs"),
        ("net():evaluate(mr.data.from_tensors(mr.zeros(2, 1, 8, 8), mr.ones(2), { classes = { 'unlabelled' } }))", "the data has no labels"),
    ]

    @Test(arguments: refusals) func otherClassesAreRefused(_ script: String, _ expected: String) {
        let got = message(of: Self.named + script)
        #expect(got.contains(expected), "\(got)")
    }

    /// Data whose classes have no names may lack some of the network's, and distillation takes no labels.
    @Test func whatCannotBeToldIsTaken() throws {
        try run(
            """
            local wide = mr.zoo.mlp { image = { 1, 8, 8 }, classes = 9 }
            wide:fit(tiny(), { steps = 1 })
            assert(wide:evaluate(tiny()).images == 40 and wide:note "classes" == nil)
            local images = tiny().images
            local blind = mr.data.from_tensors(images, mr.ones(40), { classes = { "unlabelled" } })
            wide:fit(blind, { steps = 1, teacher = wide:clone(), distill = 1 })
            wide:fit(blind, { steps = 1, loss = function(logits) return (logits * logits):mean() end })
            """)
    }

    private static let still = """
        local nn = mr.nn
        local function still(momentum)
            return nn.sequential { image = { 1, 8, 8 }, seed = 4, nn.conv { channels = 8, kernel = 3, padding = 1 },
                nn.batch_norm { momentum = momentum, name = "norm" }, nn.relu(), nn.flatten(), nn.linear { features = 2 } }
        end

        """

    /// Momentum 0, which files have where an exporter wrote that of inference, is met with a word, and statistics move.
    @Test func statisticsDoNotStandStill() throws {
        let said = try warnings(
            of: Self.still + """
                local model = still(0)
                local history = model:fit(tiny(), { epochs = 20, optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9 } })
                near(model:evaluate(tiny()).accuracy, history[#history].accuracy, 0.1)
                assert(model:parameter("norm.running_mean"):norm() > 0)
                local path = "/tmp/moonrail-still-" .. tostring(model):match "%w+" .. ".onnx"
                model:save(path)
                local back = mr.load(path)
                near((back(tiny().images) - model(tiny().images)):abs():max(), 0, 1e-5)
                os.remove(path)
                """)
        #expect(said.count == 1 && said[0].contains("batch norm 'norm' has momentum 0 (in ONNX 1)"), "\(said)")
        #expect(try warnings(of: Self.still + "still(0.1):fit(tiny(), { epochs = 20 })").isEmpty)
    }

    /// Running statistics that few steps hardly moved.
    @Test func evaluationThatLagsBehindTrainingIsMetWithAWord() throws {
        let said = try warnings(
            of: Self.still + """
                local model = still(1e-6)
                model:fit(tiny(), { epochs = 20, optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9 } })
                local before = model:evaluate(tiny()).accuracy
                model:reestimate(tiny())
                assert(before < 0.8 and model:evaluate(tiny()).accuracy > 0.95, before)
                """)
        #expect(said.count == 2 && said[0].contains("the running statistics of its batch norms lag behind") && said[1].contains("only 40 images"), "\(said)")
    }
}
