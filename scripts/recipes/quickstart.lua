-- Compresses a trained ResNet-20 to three budgets with one look at its layers, and shows what it cost.
--     scripts/quickstart            installs, builds and runs this
--     scripts/moonrail run scripts/recipes/quickstart.lua --steps 400 --policy lwiq
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    model = here .. "/models/resnet20-fashion.safetensors", data = "", out = "out/quickstart",
    policy = "barrier", formats = "auto", align = 4, images = 2560, steps = 150, lr = 0.001,
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
    local path = ("%s/resnet20-keep%02d.safetensors"):format(args.out, math.floor(100 * keep + 0.5))
    local _, report = mr.compress(model, {
        plan = {
            scores = scores, curves = curves, budget = { params = keep }, policy = args.policy, formats = args.formats, align = args.align,
        },
        data = train, test = test, tune = { steps = args.steps, lr = args.lr, label = "tuning" }, out = path, overwrite = true,
    })
    print(report.plan)
    print(report)

    -- What counts is the file, which was loaded again.
    local row = {
        name = ("keep %.0f %%"):format(100 * keep), keep = keep, policy = report.plan.policy, params = report.model.params,
        macs = report.model.macs, bytes = report.model.bytes, accuracy_cut = report.tests.cut, accuracy_raw = report.tests.repaired,
        accuracy = report.tests.file, latency_ms = mr.load(path):latency { batch = 1, runs = 200 }.ms,
        planning_seconds = report.plan.seconds, fitting_seconds = report.refit.seconds,
        tuning_images_per_second = report.history[#report.history].images_per_second,
    }
    print(("%.2f %% as cut, %.2f %% repaired, %.2f %% tuned and saved"):format(
        100 * row.accuracy_cut, 100 * row.accuracy_raw, 100 * row.accuracy))
    table_rows[#table_rows + 1] = row
    plans[#plans + 1], made[#made + 1], histories[#histories + 1] = row, report.plan, report.history
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
