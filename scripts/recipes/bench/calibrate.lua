-- What takes 512 images without training: decomposing every layer by the error of its output, and fitting the chains of a
-- compressed network to the dense one.
local mr = require "moonrail"
local measure = require "bench.measure"
local nets = require "bench.nets"

local count = 512
local work = {
    whiten = function(model, _, data)
        mr.plan(model:clone(), { policy = "uniform", budget = { params = 0.5 }, whiten = data })
    end,
    refit = function(model, small, data) small:clone():refit(model, data, { images = count }) end,
}

return {
    cases = function(args)
        local cases = {}
        for _, what in ipairs { "whiten", "refit" } do
            for _, case in ipairs(nets.cases(args, { "resnet20", "resnet56" })) do
                case.what = what
                cases[#cases + 1] = case
            end
        end
        return cases
    end,
    run = function(case, args)
        local data, model = nets.images(count), nets.build(case.net)
        local small = model:compress(mr.plan(model, { policy = "uniform", budget = { params = 0.5 } }))
        return measure.calls(args, 3, 1, function() work[case.what](model, small, data) end)
    end,
}
