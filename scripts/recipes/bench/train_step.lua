-- One step of SGD with momentum on random images: forward, backward, update.
local mr = require "moonrail"
local measure = require "bench.measure"
local nets = require "bench.nets"

return {
    cases = function(args) return nets.cases(args, { "resnet20", "resnet56", "vgg16bn" }, { 128 }) end,
    run = function(case, args)
        local model = nets.build(case.net)
        local optimizer = mr.optim.sgd { lr = 0.05, momentum = 0.9, weight_decay = 5e-4 }
        local x, labels = mr.randn(case.batch, 3, 32, 32), {}
        for i = 1, case.batch do labels[i] = i % 10 + 1 end
        local y = mr.tensor(labels, { dtype = "int64" })
        local function step() optimizer:step(mr.loss.cross_entropy(model:forward(x), y):backward()) end
        local start = mr.clock()
        step()
        local first = mr.clock() - start
        local row = measure.calls(args, 12, 2, step)
        row.first_step_s, row.img_s = first, 1e3 * case.batch / row.ms
        return row
    end,
}
