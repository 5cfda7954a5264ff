-- Scoring every layer of a network on Fashion-MNIST, brought to 3×32×32 as the networks for CIFAR see images, and the
-- same images through the network alone.
local mr = require "moonrail"
local measure = require "bench.measure"
local nets = require "bench.nets"

-- The first images of the training set: pixels 0…1, a border of two black ones, the channel three times.
local function images(count)
    local train = mr.data.fashion_mnist { shuffle = false }
    local part = train:take(math.min(count, #train))
    local pixels = part.images:to "float32" / 255
    local n = #part
    pixels = mr.cat({ mr.zeros(n, 1, 2, 28), pixels, mr.zeros(n, 1, 2, 28) }, 3)
    pixels = mr.cat({ mr.zeros(n, 1, 32, 2), pixels, mr.zeros(n, 1, 32, 2) }, 4)
    pixels = mr.cat({ pixels, pixels, pixels }, 2)
    return mr.data.from_tensors(pixels, part.labels, {
        name = "fashion-mnist 3×32×32", classes = part.classes, mean = { 0.286, 0.286, 0.286 }, std = { 0.353, 0.353, 0.353 },
        batch = 128, shuffle = false,
    })
end

return {
    cases = function(args)
        local cases = nets.cases(args, { "resnet56" })
        for _, case in ipairs(cases) do case.images = args.images end
        return cases
    end,
    run = function(case, args)
        local data, model = images(case.images), nets.build(case.net)
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
