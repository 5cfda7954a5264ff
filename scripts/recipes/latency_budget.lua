-- A network that is to be smaller and faster: 3.2 times fewer parameters, and latency limited on this machine.
--     scripts/moonrail run scripts/recipes/latency_budget.lua
--     scripts/moonrail run scripts/recipes/latency_budget.lua --batch 128 --latency 0.8 --formats "C|Kh·Kw|O"
-- Ranks and forecast only; quickstart.lua shows repair and tuning.
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    model = here .. "/models/resnet20-fashion.safetensors", batch = 1, keep = 0.3125,
    latency = { default = 0.95, help = "share of the dense model's time that may remain" },
    formats = "auto", policy = "quadratic", align = { default = 8, help = "ranks are multiples of this, as kernels like them" },
}

local model = mr.load(args.model)
local plan = mr.plan(model, {
    policy = args.policy, formats = args.formats, align = args.align, latency_batch = args.batch,
    budget = { params = args.keep, latency = args.latency },
})
print(plan)

-- The dense model before and after, because the machine's speed drifts.
local small, runs = model:compress(plan), args.batch < 16 and 300 or 20
local function milliseconds(measured) return measured:latency { batch = args.batch, runs = runs }.ms end
local before, after = milliseconds(model), milliseconds(small)
local dense = (before + milliseconds(model)) / 2
print(("batch %d: %.3f ms dense, %.3f ms with %.2f %% of the parameters: %.2f times as long"):format(
    args.batch, dense, after, 100 * plan.keep_params, after / dense))
