-- Scoring every layer of a network on Fashion-MNIST, and the same images through the network alone.
local mr = require "moonrail"
local measure = require "bench.measure"
local nets = require "bench.nets"

return {
    cases = function(args)
        local cases = nets.cases(args, { "resnet56" })
        for _, case in ipairs(cases) do case.images = args.images end
        return cases
    end,
    run = function(case, args)
        local data, model = nets.images(case.images), nets.build(case.net)
        model:set_precision(args.precision)
        local scores
        local row = measure.calls(args, 3, 1, function() scores = mr.lwiq.score(model, data, { images = case.images }) end)
        local forward = measure.calls(args, 3, 1, function()
            for batch in data:epoch() do model(batch.x) end
        end)
        row.precision, row.s, row.img_s, row.layers = args.precision, row.ms / 1e3, 1e3 * case.images / row.ms, #scores
        row.forward_only_s, row.overhead = forward.ms / 1e3, row.ms / forward.ms - 1
        row.acc_first, row.acc_mid, row.acc_last = scores[1].accuracy, scores[#scores // 2 + 1].accuracy, scores[#scores].accuracy
        return row
    end,
}
