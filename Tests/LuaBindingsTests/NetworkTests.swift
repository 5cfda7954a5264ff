import Testing

/// `mr.nn`: networks put together in Lua, and the zoo.
@Suite(.serialized) struct NetworkTests {
    @Test func sequentialNetworksRunTrainAndCompress() throws {
        try run(
            """
            local nn = mr.nn
            local model = nn.sequential {
                name = "small", image = { 1, 8, 8 }, seed = 4,
                nn.conv { channels = 16, kernel = 3, padding = 1, bias = false }, nn.batch_norm(), nn.relu(),
                nn.block { name = "stage1", nn.conv { channels = 16, kernel = 3, padding = 1 }, nn.relu(), nn.max_pool() },
                nn.dropout { probability = 0.1 }, nn.flatten(), nn.linear { features = 2 },
            }
            assert(model.name == "small" and model.input_shape[2] == 8)
            assert(model.cost.params == 9 * 16 + 32 + 9 * 256 + 16 + 256 * 2 + 2, model.cost.params)
            for _, name in ipairs { "conv1", "stage1.conv1", "fc1" } do assert(model.layers[name], name) end
            local history = model:fit(tiny(), { epochs = 6, optimizer = mr.optim.sgd { lr = 0.02, momentum = 0.9 } })
            assert(history[6].loss < 0.5 * history[1].loss)
            local plan = mr.plan(model, { budget = { params = 0.6 }, policy = "uniform" })
            assert(model:compress(plan).cost.params <= 0.6 * model.cost.params)
            """)
    }

    /// Each of these ended the process.
    @Test(arguments: [
        "mr.zoo.mlp { image = { 1 << 32, 1 << 32, 1 } }", "mr.zoo.resnet { depth = 8, image = { 3, 1 << 40, 1 << 40 } }",
        "mr.nn.sequential { image = { 1 << 32, 1 << 32, 1 }, mr.nn.flatten() }",
        "mr.nn.sequential { image = { 1, 1 << 62, 4 }, mr.nn.upsample { factor = 1 << 19 } }",
        "mr.nn.sequential { image = { 1, 1 << 62, 1 << 62 }, mr.nn.pad { padding = 1 }, mr.nn.conv { channels = 2, kernel = 3, padding = 1 << 19 } }",
    ])
    func absurdShapesAreErrors(_ script: String) {
        let message = message(of: script)
        #expect(message.contains("large") || message.contains("2⁴⁰"), "\(message)")
    }

    /// A free graph against the same arithmetic on tensors.
    @Test func graphsOfAnyForm() throws {
        try run(
            """
            local nn = mr.nn
            local model = nn.graph { image = { 3 }, seed = 1, build = function(x)
                local a, b = nn.linear { features = 4, name = "a" }(x), nn.linear { features = 4, bias = false, name = "b" }(x)
                assert(a.shape[1] == 4 and a.name == "a" and tostring(a):find "Value a")
                return nn.relu()(a + b), b
            end }
            local x = mr.randn(5, 3)
            local y, z = model(x)
            local wa, wb = model:parameter "a.weight", model:parameter "b.weight"
            local b = x:matmul(wb:t())
            near((z - b):norm(), 0)
            near((y - (x:matmul(wa:t()) + model:parameter "a.bias" + b):relu()):norm(), 0, 1e-5)
            """)
    }

    @Test func residualBlocksAddTheirInput() throws {
        try run(
            """
            local nn = mr.nn
            local function layers() return nn.conv { channels = 4, kernel = 3, padding = 1, stride = 2 }, nn.relu() end
            local model = nn.sequential { image = { 2, 6, 6 }, seed = 1,
                nn.residual { name = "block", shortcut = nn.conv { channels = 4, stride = 2, name = "down" }, layers() },
                nn.residual { name = "same", nn.relu() }, function(x) return nn.global_avg_pool()(x) end, nn.flatten(),
            }
            assert(model.layers["block.conv1"] and model.layers["block.down"])
            local x = mr.randn(2, 2, 6, 6)
            local taps = model:features(x, { "block.relu1", "block.down", "block.add1", "same.add1" })
            near((taps["block.relu1"] + taps["block.down"] - taps["block.add1"]):norm(), 0)
            near((taps["block.add1"] + taps["block.add1"]:relu() - taps["same.add1"]):norm(), 0)
            local shape = model(x).shape
            assert(#shape == 2 and shape[1] == 2 and shape[2] == 4)
            """)
    }

    @Test func layersHaveTheirGeometry() throws {
        try run(
            """
            local nn = mr.nn
            local function shape(layer)
                local found
                nn.graph { image = { 4, 9, 7 }, build = function(x) local y = layer(x); found = table.concat(y.shape, "×"); return y end }
                return found
            end
            for _, case in ipairs {
                { "6×9×7", nn.conv { channels = 6, kernel = { 3, 5 }, padding = { 1, 2 } } },
                { "6×5×4", nn.conv { channels = 6, kernel = 3, stride = 2, padding = 1 } },
                { "6×5×7", nn.conv { channels = 6, kernel = { 3, 1 }, dilation = { 2, 1 } } },
                { "4×10×7", nn.conv { channels = 4, kernel = { 2, 1 }, padding = { 1, 0, 1, 0 }, groups = 4 } },
                { "4×4×3", nn.max_pool() }, { "4×7×5", nn.avg_pool { window = 3, stride = 1 } },
                { "4×3×3", nn.avg_pool { window = 3, stride = 3, padding = 1, count_padding = false } },
                { "4×2×3", nn.adaptive_avg_pool { size = { 2, 3 } } }, { "4×1×1", nn.global_avg_pool {} },
                { "252", nn.flatten() }, { "4×9×7", nn.batch_norm { epsilon = 1e-3, momentum = 0.2 } },
                { "6×18×14", nn.conv_transpose { channels = 6, kernel = 2, stride = 2 } },
                { "2×18×14", nn.conv_transpose { channels = 2, kernel = 3, stride = 2, padding = 1, output_padding = 1, groups = 2 } },
                { "4×18×21", nn.upsample { factor = { 2, 3 } } }, { "4×18×14", nn.upsample { mode = "bilinear" } },
                { "4×12×9", nn.pad { padding = { 1, 0, 2, 2 } } }, { "4×9×7", nn.layer_norm { dimensions = 3 } },
                { "4×9×7", nn.prelu() }, { "4×9×7", nn.clip() }, { "4×9×7", nn.block { nn.relu(), nn.dropout() } },
            } do
                local got = shape(case[2])
                assert(got == case[1], ("%s is not %s"):format(got, case[1]))
            end
            """)
    }

    /// Layers without weights against the same arithmetic on numbers.
    @Test func activationsAreTheirFormulas() throws {
        try run(
            """
            local nn, numbers = mr.nn, { -4, -2.5, -0.3, 0, 0.7, 2, 5 }
            local function through(layer) return nn.sequential { image = { 7 }, layer }(mr.tensor { numbers })[1] end
            local function erf(x)  -- its Taylor series
                local sum, term = 0, x
                for n = 0, 200 do sum, term = sum + term / (2 * n + 1), -term * x * x / (n + 1) end
                return 2 / math.sqrt(math.pi) * sum
            end
            local sigmoid = function(x) return 1 / (1 + math.exp(-x)) end
            local hard = function(x) return math.min(math.max(x / 6 + 0.5, 0), 1) end
            for name, formula in pairs {
                relu = function(x) return math.max(x, 0) end, leaky_relu = function(x) return x > 0 and x or 0.01 * x end,
                prelu = function(x) return x > 0 and x or 0.25 * x end, sigmoid = sigmoid, silu = function(x) return x * sigmoid(x) end,
                tanh = function(x) return 2 * sigmoid(2 * x) - 1 end, hard_sigmoid = hard,
                hard_swish = function(x) return x * hard(x) end, gelu = function(x) return x / 2 * (1 + erf(x / math.sqrt(2))) end,
                elu = function(x) return x > 0 and x or math.exp(x) - 1 end, softplus = function(x) return math.log(1 + math.exp(x)) end,
                mish = function(x) local e = (1 + math.exp(x)) ^ 2 return x * (e - 1) / (e + 1) end,
            } do
                local got = through(nn[name]())
                for i, x in ipairs(numbers) do near(got[i], formula(x), 1e-4) end
            end
            near(through(nn.softmax()):sum():item(), 1)
            near(through(nn.leaky_relu { slope = 0.5 })[1], -2)
            near(through(nn.elu { alpha = 0.5 })[1], 0.5 * (math.exp(-4) - 1))
            local normal = through(nn.layer_norm())
            near(normal:mean():item(), 0) near((normal * normal):mean():item(), 1, 1e-4)
            """)
    }

    /// A transposed convolution is the gradient of a convolution by its input.
    @Test func networksThatEnlarge() throws {
        try run(
            """
            local nn = mr.nn
            local up = nn.sequential { image = { 2, 3, 3 }, seed = 2, nn.conv_transpose { channels = 3, kernel = 2, stride = 2, bias = false } }
            local down = nn.sequential { image = { 3, 6, 6 }, nn.conv { channels = 2, kernel = 2, stride = 2, bias = false } }
            down:set_parameter("conv1.weight", up:parameter "conv1.weight")
            local x, y = mr.randn(1, 2, 3, 3), mr.randn(1, 3, 6, 6)
            near((up(x) * y):sum():item(), (x * down(y)):sum():item(), 1e-3)
            local twice = nn.sequential { image = { 2, 3, 3 }, nn.upsample() }(x)
            assert(twice[1][2][5][6] == x[1][2][3][3] and twice[1][1][1][2] == x[1][1][1][1])
            local padded = nn.sequential { image = { 2, 3, 3 }, nn.pad { padding = 1 } }(x)
            near(padded:norm(), x:norm()) assert(padded[1][1][2][2] == x[1][1][1][1] and padded[1][1][1][1] == 0)
            local trained = nn.sequential {
                image = { 1, 8, 8 }, seed = 1, nn.conv { channels = 4, kernel = 3, stride = 2, padding = 1 }, nn.gelu(),
                nn.conv_transpose { channels = 4, kernel = 2, stride = 2 }, nn.layer_norm { dimensions = 3 }, nn.prelu(),
                nn.upsample { mode = "bilinear" }, nn.global_avg_pool(), nn.flatten(), nn.linear { features = 2 },
            }
            local history = trained:fit(tiny(), { epochs = 10, optimizer = mr.optim.adam { lr = 0.01 } })
            assert(history[10].loss < history[1].loss)
            """)
    }

    /// A perceptron with batch norms learns, is saved, exported and compressed like any other network.
    @Test func vectorsAreNormalised() throws {
        try run(
            """
            local nn = mr.nn
            local model = nn.sequential {
                image = { 1, 8, 8 }, seed = 1, nn.flatten(), nn.linear { features = 12, bias = false }, nn.batch_norm { momentum = 0.5 },
                nn.relu(), nn.linear { features = 2 },
            }
            local history = model:fit(tiny(), { epochs = 10, optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9 } })
            assert(history[10].loss < history[1].loss)
            local x = mr.randn(20, 1, 8, 8)
            local features = model:features(x, { "fc1" }).fc1
            local function parameter(name) return model:parameter("bn1." .. name) end
            local wanted = (features - parameter "running_mean") / (parameter "running_var" + 1e-5):sqrt() * parameter "weight" + parameter "bias"
            local got = model:features(x, { "bn1" }).bn1
            near((got - wanted):norm() / wanted:norm(), 0, 1e-5)
            local small = model:compress(mr.plan(model, { budget = { params = 0.6 } }))
            assert(small.cost.params < 0.6 * model.cost.params and #small(x).shape == 2)
            -- What is fitted goes into the batch norm, which has a bias already.
            local _, report = mr.compress(model, { plan = { budget = { params = 0.6 } }, data = tiny() })
            assert(#report.over == 0, tostring(report))
            local path = os.tmpname() .. ".onnx"
            model:save(path)
            near((mr.load(path)(x) - model(x)):norm(), 0, 1e-5)
            os.remove(path)
            """)
    }

    @Test func theZooBuilds() throws {
        try run(
            """
            assert(mr.zoo.lenet5().cost.params == 61706 and mr.zoo.mlp().cost.params == 235146)
            assert(mr.zoo.mlp { hidden = {}, image = { 3, 2, 2 }, classes = 5 }.cost.params == 65)
            assert(mr.zoo.mobilenet_v2 { width = 0.25, image = { 3, 32, 32 }, classes = 7 }.name == "mobilenet_v2")
            assert(mr.zoo.resnet { depth = 18, form = "imagenet", image = { 3, 32, 32 } }.cost.params == 11689512)
            local model = mr.zoo.vgg { depth = 11, classes = 10 }
            assert(model.name == "vgg11" and model.cost.params == 9228362, model.cost.params)
            assert(#model(mr.zeros(1, 3, 32, 32)).shape == 2)
            assert(mr.zoo.vit().cost.params == 171914)
            local small = mr.zoo.vit { image = { 3, 8, 12 }, patch = 4, width = 6, depth = 2, heads = 3, mlp_ratio = 2, classes = 5 }
            assert(small(mr.zeros(2, 3, 8, 12)).shape[2] == 5)
            """)
    }

    static let errors: [(String, String)] = [
        ("mr.nn.conv { chanels = 3 }", "mr.nn.conv: unknown option 'chanels' (did you mean 'channels'?)"),
        ("mr.nn.conv { kernel = 3 }", "mr.nn.conv: option 'channels'"),
        ("mr.nn.conv { channels = 3, kernel = 0 }", "option 'kernel' must be one whole number or two"),
        ("mr.nn.conv { channels = 3, kernel = { 1, 2, 3 } }", "option 'kernel' must be one whole number or two"),
        ("mr.nn.conv { channels = 3, kernel = 'three' }", "option 'kernel' must be an integer"),
        ("mr.nn.conv { channels = 3, padding = -1 }", "option 'padding' must be"),
        ("mr.nn.dropout { probability = 1 }", "must be at least 0 and below 1"),
        ("mr.nn.clip { min = 2, max = 1 }", "finite numbers in order"),
        ("mr.nn.batch_norm { epsilon = 0 }", "must be positive"),
        ("mr.nn.layer_norm { epsilon = 0 }", "must be positive"),
        ("mr.nn.sequential { image = { 3 }, mr.nn.layer_norm { dimensions = 2 } }", "a sample of shape [3] has no last 2 dimensions"),
        ("mr.nn.sequential { image = { 3 }, mr.nn.layer_norm { dimensions = 0 } }", "has no last 0 dimensions"),
        ("mr.nn.leaky_relu { slope = 1/0 }", "mr.nn.leaky_relu: attribute 'slope': must be a finite number"),
        ("mr.nn.upsample { factor = 0 }", "option 'factor' must be one whole number or two"),
        ("mr.nn.upsample { mode = 'cubic' }", "option 'mode' must be one of"),
        ("mr.nn.sequential { image = { 3 }, mr.nn.upsample() }", "resize"),
        ("mr.nn.sequential { image = { 3 }, mr.nn.pad { padding = 1 } }", "do not fit dimension 2 of [1, 3]"),
        ("mr.nn.conv_transpose { channels = 3, output_padding = -1 }", "option 'output_padding' must be"),
        ("mr.nn.sequential { image = { 2, 3, 3 }, mr.nn.conv_transpose { channels = 3, groups = 2 } }", "3 channels of kernel [1, 1] in 2 group(s)"),
        ("mr.nn.sequential { image = { 3 }, mr.nn.conv_transpose { channels = 3 } }", "conv_transpose2d: needs an input [N, C, H, W]"),
        ("mr.nn.sequential { mr.nn.relu() }", "mr.nn: option 'image' must be the shape of one sample"),
        ("mr.nn.sequential { image = { 3, 0 }, mr.nn.relu() }", "must be the shape of one sample"),
        ("mr.nn.sequential { image = { 3 }, mr.nn.relu(), 5 }", "mr.nn.sequential: layer 2 must be a layer, a block or a function"),
        ("mr.nn.sequential { image = { 3 }, sead = 2 }", "mr.nn.sequential: unknown option 'sead' (did you mean 'seed'?)"),
        ("mr.nn.sequential { image = { 3 }, name = 2 }", "mr.nn.sequential: option 'name' must be a string"),
        ("mr.nn.sequential { image = { 3 }, [4] = mr.nn.relu() }", "mr.nn.sequential: layer 1 is missing"),
        ("mr.nn.sequential(3)", "mr.nn.sequential: argument 1 (options) must be a table"),
        ("mr.nn.sequential { image = { 3 }, function(x) end }", "layer 1: must give a value, got a nil"),
        ("mr.nn.sequential { image = { 3, 4, 4 }, mr.nn.linear { features = 2 } }", "network › fc1: linear: needs an input [N, I]"),
        ("mr.nn.sequential { image = { 3, 4, 4 }, mr.nn.conv { channels = 2, kernel = 9 } }", "larger than the padded input"),
        ("mr.nn.sequential { image = { 3 }, mr.nn.linear { features = 0 } }", "0 features are no linear layer"),
        ("mr.nn.sequential { image = { 3 }, mr.nn.relu { name = 'a' }, mr.nn.relu { name = 'a' } }", "the name 'a' is given twice"),
        ("mr.nn.graph { image = { 3 } }", "option 'build' must be a function"),
        ("mr.nn.graph { image = { 3 }, build = function() return 3 end }", "must give a value, got a number"),
        ("mr.nn.graph { image = { 3 }, build = function(x) return mr.nn.add()(x) end }", "layer add takes 2 values, but got 1"),
        ("mr.nn.relu()(3)", "argument 1 (x) must be a Value, got a number"),
        ("local x; mr.nn.graph { image = { 3 }, build = function(v) x = v; return v end }; mr.nn.relu()(x)", "network is finished"),
        (
            "local x; mr.nn.graph { image = { 3 }, build = function(v) x = v; return v end }; "
                + "mr.nn.graph { image = { 3 }, build = function(v) return v + x end }", "two different networks"
        ),
        ("mr.nn.residual { shortcut = 3 }", "option 'shortcut' must be a Layer or a Block or a function"),
        ("mr.zoo.vgg { depth = 12 }", "vgg: depth must be 11, 13, 16 or 19, but got 12"),
        ("mr.zoo.vgg { form = 'imgenet' }", "did you mean 'imagenet'"),
        ("mr.zoo.resnet { depth = 20, form = 'imagenet' }", "depth must be 18, 34, 50, 101 or 152, but got 20"),
        ("mr.zoo.mobilenet_v2 { width = 0 }", "width must be in 0.1…4"),
        ("mr.zoo.vit { patch = 5 }", "vit: patch must divide the 28×28 pixels of an image, but got 5"),
        ("mr.zoo.vit { heads = 5 }", "a multiple of heads, but got a width of 64 and 5 heads"),
        ("mr.zoo.lenet5 { image = { 1, 8, 8 } }", "at least 12×12"),
        ("mr.zoo.mlp { hidden = { 0 } }", "0 features are no linear layer"),
        ("mr.zoo.mlp { weights = '/nowhere.safetensors' }", "cannot read /nowhere.safetensors"),
        ("mr.zoo.vgg { image = { 3, 16, 16 } }", "at least 32×32"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
