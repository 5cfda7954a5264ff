-- Compresses a trained ResNet-20 to three budgets with one look at its layers, and shows what it cost.
--     scripts/quickstart            installs, builds and runs this
--     scripts/moonrail run scripts/recipes/quickstart.lua --steps 400 --policy lwiq
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    model = here .. "/models/resnet20-fashion.safetensors", data = "", out = "out/quickstart",
    policy = "quadratic", grouping = "auto", align = 4, images = 2560, steps = 150, lr = 0.02,
    test_images = 10000, seed = 1,
}
mr.seed(args.seed)
local started = mr.clock()
local function stage(text) print(("\n── %s  (%.1f s)"):format(text, mr.clock() - started)) end

stage "Load the model and the data"
local train, test = mr.data.fashion_mnist {
    batch = 128, augment = { "crop", "flip" }, drop_last = true, dir = args.data ~= "" and args.data or nil,
}
if args.test_images < #test then test = test:take(args.test_images) end
local model = mr.load(args.model)
print(train)
print(model)

stage "Score the layers"
local scores = mr.lwiq.score(model, train, { images = args.images })
print(scores)
mr.make_directory(args.out)
scores:plot(args.out .. "/significance.svg")

local curves
if ({ proxy = true, features = true, output = true, sensitivity = true })[args.policy] then
    stage "Ask every layer what its ranks cost"
    curves = mr.sensitivity(model, train, { measure = args.policy })
    print(("%s at six ranks a layer, in %.1f s"):format(args.policy, curves.seconds))
end

stage "Measure the dense model"
local dense = {
    name = "dense", params = model.cost.params, macs = model.cost.macs, bytes = mr.file_size(args.model),
    accuracy = model:evaluate(test).accuracy, latency_ms = model:latency { batch = 1, runs = 200 }.ms,
}
print(("%.2f %% on %d test images, %.3f ms an image"):format(100 * dense.accuracy, #test, dense.latency_ms))

local table_rows, plans, made, histories = { dense }, {}, {}, {}
for _, keep in ipairs { 0.60, 0.45, 0.30 } do
    stage(("Keep %.0f %% of the parameters"):format(100 * keep))
    local plan = mr.plan(model, {
        scores = scores, curves = curves, budget = { params = keep }, policy = args.policy, grouping = args.grouping, align = args.align,
    })
    print(plan)
    local small = model:compress(plan)
    local raw = small:evaluate(test, { label = "evaluating as cut" }).accuracy
    local fitting = mr.clock()
    small:refit(model, train)
    fitting = mr.clock() - fitting
    local fitted = small:evaluate(test, { label = "evaluating as fitted" }).accuracy
    local history = small:fit(train, {
        steps = args.steps, teacher = model, label = "tuning",
        optimizer = mr.optim.sgd { lr = args.lr, momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
        schedule = mr.schedule.cosine { warmup = 0.1 },
    })
    local path = ("%s/resnet20-keep%02d.safetensors"):format(args.out, math.floor(100 * keep + 0.5))
    small:note("plan", { policy = plan.policy, keep = keep, grouping = plan.grouping, dense_params = plan.dense_params })
    small:save(path)

    -- What counts is the file: it is loaded again, and that is measured.
    local saved = mr.load(path)
    local row = {
        name = ("keep %.0f %%"):format(100 * keep), keep = keep, policy = plan.policy, params = saved.cost.params,
        macs = saved.cost.macs, bytes = mr.file_size(path), accuracy_cut = raw, accuracy_raw = fitted,
        accuracy = saved:evaluate(test, { label = "evaluating " .. path }).accuracy,
        latency_ms = saved:latency { batch = 1, runs = 200 }.ms, planning_seconds = plan.seconds, fitting_seconds = fitting,
        tuning_images_per_second = history[#history].images_per_second,
    }
    print(("%.2f %% as cut, %.2f %% fitted in %.1f s, %.2f %% tuned and saved"):format(
        100 * raw, 100 * fitted, fitting, 100 * row.accuracy))
    table_rows[#table_rows + 1] = row
    plans[#plans + 1], made[#made + 1], histories[#histories + 1] = row, plan, history
end

stage "Dense against compressed"
print(mr.compare(table_rows))
mr.write_json(args.out .. "/report.json", {
    dense = dense, plans = plans, scoring_seconds = scores.seconds, seconds = mr.clock() - started,
    threads = mr.threads(), version = mr.version, recipe = args,
})
mr.report {
    title = "ResNet-20 on Fashion-MNIST", models = table_rows, scores = scores, plans = made, histories = histories, recipe = args,
}:html(args.out .. "/report.html")
print(("\nwrote %s/: report.html, report.json, significance.svg and %d models, in %.0f s"):format(args.out, #plans, mr.clock() - started))
