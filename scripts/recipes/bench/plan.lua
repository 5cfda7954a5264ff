-- A further budget for a model that was decomposed already; `allocation_ms` is the allocator's share of it.
local mr = require "moonrail"
local measure = require "bench.measure"
local nets = require "bench.nets"

return {
    cases = function(args) return nets.cases(args, { "resnet20", "resnet56" }) end,
    run = function(case, args)
        local model, round, allocation = nets.build(case.net), 0, {}
        local row = measure.calls(args, 50, 3, function()
            round = round + 1
            local plan = mr.plan(model, { policy = "uniform", budget = { params = 0.3 + 0.01 * (round % 50) } })
            allocation[#allocation + 1] = 1e3 * plan.seconds
        end)
        table.sort(allocation)
        row.allocation_ms = measure.median(allocation)
        return row
    end,
}
