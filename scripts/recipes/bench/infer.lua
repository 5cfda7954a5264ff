-- Inference of a batch of random images by the compiled model.
local mr = require "moonrail"
local measure = require "bench.measure"
local nets = require "bench.nets"

return {
    cases = function(args) return nets.cases(args, { "resnet20", "resnet56", "vgg16bn" }, { 1, 128 }) end,
    run = function(case, args)
        local model, x = nets.build(case.net), mr.randn(case.batch, 3, 32, 32)
        model:set_precision(args.precision)
        local row = measure.calls(args, case.batch == 1 and 200 or 15, 8, function() model(x) end)
        local cost = model.cost
        row.engine, row.precision, row.img_s = "moonrail", args.precision, 1e3 * case.batch / row.ms
        row.mmacs_per_img, row.params = cost.macs / 1e6, cost.params
        row.gflops = 2 * cost.macs * case.batch / row.ms / 1e6
        return row
    end,
}
