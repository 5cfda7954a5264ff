-- The first plan of a model, which decomposes every layer.
local mr = require "moonrail"
local measure = require "bench.measure"
local nets = require "bench.nets"

return {
    cases = function(args) return nets.cases(args, { "resnet20", "resnet56" }) end,
    run = function(case, args)
        local model = nets.build(case.net)
        -- A copy has no decompositions yet.
        return measure.calls(args, 3, 1, function()
            mr.plan(model:clone(), { policy = "uniform", budget = { params = 0.5 } })
        end)
    end,
}
