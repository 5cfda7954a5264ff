-- What each format makes of a model at the same number of parameters, alone and with the others together: accuracy as cut,
-- after batch norm was re-estimated and after the factors were fitted, multiply-accumulates, and time on this processor as a
-- share of the dense model's.
--     scripts/moonrail run scripts/recipes/formats.lua
--     scripts/moonrail run scripts/recipes/formats.lua --keeps 0.45 --formats Tucker-2,TT-channels
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    model = here .. "/models/resnet20-fashion.safetensors", keeps = "0.45,0.2",
    formats = "auto,trains,Tucker-2,CP,C·Kh|Kw·O,C·Kh·Kw|O,C|Kh|Kw|O,TT-channels,all", policy = "quadratic", images = 512, bn_images = 2048,
    test_images = 10000, batch = 1,
}
mr.seed(1)
local train, test = mr.data.fashion_mnist { batch = 128 }
if args.test_images < #test then test = test:take(args.test_images) end
local model = mr.load(args.model)
print(("%s: %.2f %% dense"):format(model.name, 100 * model:evaluate(test).accuracy))

local function milliseconds(measured) return measured:latency { batch = args.batch }.ms end

local rows = {}
for keep in args.keeps:gmatch "[^,]+" do
    for formats in args.formats:gmatch "[^,]+" do
        local row = { keep = tonumber(keep), formats = formats }
        rows[#rows + 1] = row
        local planned, plan = pcall(mr.plan, model, { policy = args.policy, formats = formats, budget = { params = row.keep } })
        if not planned then
            row.note = tostring(plan)
            goto continue
        end
        local _, report = mr.compress(model, {
            plan = plan, data = train, test = test, repairs = { "refit" }, images = args.images,
        })
        row.cut, row.fitted = report.tests.cut, report.tests.repaired
        local small = model:compress(plan)
        row.macs, row.time = small.cost.macs / model.cost.macs, milliseconds(small) / milliseconds(model)
        small:reestimate(train, { images = args.bn_images })
        row.reestimated = small:evaluate(test).accuracy
        ::continue::
    end
end
local function percent(value) return value and ("%.2f"):format(100 * value) or "" end
print(mr.rows(rows, {
    { "keep", "parameters", percent }, { "formats", "formats" }, { "macs", "MACs", percent }, { "time", "time", percent },
    { "cut", "as cut", percent }, { "reestimated", "re-estimated", percent }, { "fitted", "fitted", percent }, { "note", "note" },
}))
