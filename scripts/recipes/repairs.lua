-- What mends a compressed model, with a model from elsewhere: accuracy as cut, after the layers' means and variances were
-- repaired (model:repair, batch norm re-estimated), after the last factors were fitted (model:refit), after both blindly, after
-- what mr.compress keeps of them, and tuned after that.
--     python scripts/peers/fashion_net.py /tmp
--     scripts/moonrail run scripts/recipes/repairs.lua --model /tmp/fashion.folded.onnx
local mr = require "moonrail"

local args = mr.args { model = "", keeps = "0.4,0.2", policies = "uniform,energy,knapsack,output", tune = 0, images = 512, test_images = 10000 }
if args.model == "" then error("--model: the model to compress is missing", 0) end
mr.seed(1)
local train, test = mr.data.fashion_mnist { batch = 128 }
if args.test_images < #test then test = test:take(args.test_images) end
local model = mr.load(args.model)
print(("%s: %.2f %% dense"):format(model.name, 100 * model:evaluate(test).accuracy))

local function mended(small, refits, repairs)
    small = small:clone()
    if refits then small:refit(model, train) end
    if repairs then
        small:repair(model, train, { images = args.images })
        small:reestimate(train)
    end
    return small
end

local curves = args.policies:find "output" and mr.sensitivity(model, train)
local results = {}
for keep in args.keeps:gmatch "[^,]+" do
    for policy in args.policies:gmatch "[^,]+" do
        local plan = mr.plan(model, {
            policy = policy, budget = { params = tonumber(keep) }, curves = policy == "output" and curves or nil,
        })
        local small = model:compress(plan)
        local row = { policy = policy, keep = tonumber(keep), keep_macs = small.cost.macs / model.cost.macs }
        row.repaired = mended(small, false, true):evaluate(test).accuracy
        row.fitted = mended(small, true, false):evaluate(test).accuracy
        row.both = mended(small, true, true):evaluate(test).accuracy
        local _, report = mr.compress(model, { plan = plan, data = train, test = test, images = args.images, tune = args.tune })
        row.cut, row.kept, row.tuned = report.tests.cut, report.tests.repaired, report.tests.tuned
        results[#results + 1] = row
    end
end
local function percent(value) return value and ("%.2f"):format(100 * value) or "" end
print(mr.rows(results, {
    { "policy", "policy" }, { "keep", "parameters", percent }, { "keep_macs", "MACs", percent }, { "cut", "as cut", percent },
    { "repaired", "repaired", percent }, { "fitted", "fitted", percent }, { "both", "both", percent }, { "kept", "kept", percent }, { "tuned", "tuned", percent },
}))
