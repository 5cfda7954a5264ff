-- Topics of the help: `?start` and the like. Indented lines are Lua that runs as it stands.
return {
    { name = "start", text = [[
From a trained model to a small one.

    model = mr.load "scripts/models/resnet20-fashion.safetensors"
    train, test = mr.data.fashion_mnist { batch = 128, augment = { "crop", "flip" } }
    scores = mr.lwiq.score(model, train, { images = 512 })
    plan = mr.plan(model, { scores = scores, budget = { params = 0.5 } })
    small = model:compress(plan)
    small:finetune(train, { steps = 3, dense = model, images = 256 })
    print(mr.compare { { model = model }, { model = small }, data = test:take(500) })

scores and plan are rows: print them, sort them, edit them. ?mr.plan tells the options, ?policies the policies.
As a script: begin with local mr = require "moonrail", and run it with `moonrail run FILE.lua`.]] },
    { name = "errors", text = [[
What the toolkit raises says in one sentence what is wrong, and has a code that a script can tell apart.

    ok, problem = pcall(mr.load, "missing.onnx")
    print(problem)                             -- cannot read missing.onnx: No such file or directory
    print(problem.code)                        -- file.cannotRead
    print(problem:match "missing%S+", #problem, "sadly: " .. problem)

problem.path lists where in a model it happened, outermost first, and problem.traceback the lines that led there. It does
what strings do (.., #, tostring and their methods), but type(problem) is "userdata": functions that want a string, such
as io.write, take tostring(problem). error(problem, 0) raises it again as it was.]] },
    { name = "policies", text = [[
A policy turns layers and a budget into ranks. mr.policies lists those there are; mr.plan takes a name or a function.

    model = mr.load "scripts/models/resnet20-fashion.safetensors"
    function gentle(layers, budget)
        local ranks = {}
        for _, layer in ipairs(layers) do
            local rank = 1
            while rank < layer.max_ranks[1] and layer.error(rank) > 0.4 do rank = rank + 1 end
            if layer.cost(rank).params < layer.params then ranks[layer.name] = rank end
        end
        return ranks
    end
    plan = mr.plan(model, { budget = { params = 1 }, policy = gentle })

A layer without ranks stays dense. Without a policy it is what the curves given
are for. With option data it is "portfolio": several plans are made, cut and
fitted, and that one is taken whose model comes nearest to the dense one on
images that it was not fitted to. Without either it is "barrier".]] },
    { name = "results", text = [[
Scores, plans, histories, sweeps and comparisons are arrays of rows with methods (?Rows).

    list = mr.rows {
        { net = "a", seed = 1, acc = 0.90 }, { net = "a", seed = 2, acc = 0.92 },
        { net = "b", seed = 1, acc = 0.88 },
    }
    print(list:sort "acc":top(2))
    print(list:filter(function(row) return row.seed == 1 end))
    print(list:mean("net", { deviation = true }))
    text = list:csv()

save writes JSON or, where the name ends in .csv, comma-separated values; mr.read_json and mr.read_csv read them.]] },
    { name = "sweep", text = [[
Every combination of some settings, kept in a file, so that a second start goes on where the first was stopped.

    model = mr.load "scripts/models/resnet20-fashion.safetensors"
    points, results = mr.sweep { keep = { 0.6, 0.3 }, policy = { "uniform", "quadratic" } }
    for point in points do
        local plan = mr.plan(model, { policy = point.policy, budget = { params = point.keep } })
        point:record { params = plan.params, macs = plan.macs }
    end
    print(results:mean "policy")

With mr.sweep { "sweep.json", keep = … } finished points are in that file.]] },
    { name = "budgets", text = [[
A budget limits params, macs, bytes, activation_bytes or latency, alone or together: as shares of the dense model up to 1,
or as numbers, of which that of a time is latency_ms.

    model = mr.load "scripts/models/resnet20-fashion.safetensors"
    plan = mr.plan(model, { policy = "uniform", budget = { params = 0.5, macs = 20e6 } })
    print(plan.binding, plan.params, plan.macs)

A schedule shrinks a model by steps while it is trained: a function of the epoch, for fit's option budget.

    train = mr.data.fashion_mnist { batch = 32 }
    history = model:fit(train:take(64), {
        epochs = 2, budget = mr.schedule.shrink { to = 0.5, steps = 2, epochs = 2 }, plan = { policy = "quadratic" },
        optimizer = mr.optim.sgd { lr = 0.01, momentum = 0.9 },
    })
    print(history)

Or a plan is carried out by stages: some of its layers, tuning, the next ones.

    model = mr.load "scripts/models/resnet20-fashion.safetensors"
    plan = mr.plan(model, { budget = { params = 0.4 } })
    small, history = model:compress_in_stages(plan, train:take(64), { stages = 2, steps = 1, images = 64 })
    print(history)]] },
    { name = "gradients", text = [[
mr.grad(f) gives the gradient of f for its first argument: a tensor, a model, or a table of them.

    x, y = mr.randn(100, 3), mr.randn(100, 1)
    step = mr.grad(function(p) return mr.loss.mse(x:matmul(p.w) + p.b, y) end)
    p, optimizer = { w = mr.zeros(3, 1), b = mr.zeros(1) }, mr.optim.adam { lr = 0.05 }
    for _ = 1, 20 do
        local slopes, loss = step(p)
        p = optimizer:update(p, slopes)
    end

A loss of your own goes into fit as loss = function(logits, batch) … end; layers of your own are functions in a network
(?networks). Longer loops use model:forward(x, { tape = t }), loss:backward() and optimizer:step(gradients).]] },
    { name = "networks", text = [[
Networks come from a file (mr.load), the zoo (?mr.zoo) or layers (?mr.nn).

    nn = mr.nn
    model = nn.sequential {
        image = { 1, 28, 28 },
        nn.conv { channels = 8, kernel = 3, padding = 1 }, nn.relu(), nn.max_pool(), nn.flatten(), nn.linear { features = 10 },
    }
    print(model)

Any function of values is a layer, with parameters of its own if it likes; mr.nn.graph makes what is no plain sequence.

    function swish(x) return x * (x * nn.parameter { shape = { 8, 1, 1 }, value = 1 }(x)):sigmoid() end
    model = nn.graph { image = { 1, 28, 28 }, build = function(x)
        local y = swish(nn.conv { channels = 8, kernel = 3, padding = 1 }(x))
        return nn.linear { features = 10 }(nn.flatten()(nn.global_avg_pool()(y)))
    end }
    print(model(mr.zeros(2, 1, 28, 28)).shape[2])]] },
    { name = "editing", text = [[
model.nodes lists the operations of a model, and model:edit gives a copy with other things in place of some of them.

    model = mr.load "scripts/models/resnet20-fashion.safetensors"
    print(model.nodes["stage1.block1.conv1"].attributes.stride[1])
    coarse = model:edit { fc = mr.nn.linear { features = 2 } }
    smooth = model:edit { ["*relu*"] = mr.nn.silu() }
    noisy = model:edit { fc = function(x, keep) return keep(mr.nn.dropout { probability = 0.2 }(x)) end }
    trunk = model:edit({}, { outputs = { model.nodes.fc.inputs[1] } })
    print(trunk(mr.zeros(2, 1, 28, 28)).shape[2])

Whatever stays has its weights; new layers have fresh ones, for fit. model:set_parameter changes weights alone.]] },
}
