-- What a few seconds of training without labels bring a compressed model: block by block (model:distill), or as a whole with the
-- dense model as the teacher (model:fit), or half of the time each, behind the fit by least squares (model:refit).
--     scripts/moonrail run scripts/recipes/distillation.lua
--     scripts/moonrail run scripts/recipes/distillation.lua --model net.safetensors --keeps 0.5,0.3 --seconds 5,15
local mr = require "moonrail"

local here = arg[0]:match("^(.*)/recipes/[^/]*$") or "scripts"
local args = mr.args {
    model = here .. "/models/resnet20-fashion.safetensors", data = "", keeps = "0.3125,0.2", policy = "quadratic", seconds = "5,15,30",
    fit_images = 512, block_images = 2048, layers_per_block = 2, block_lr = 0.001, lr = 0.005, temperature = 4, test_images = 10000, seed = 1,
}
local train, test = mr.data.fashion_mnist { batch = 128, dir = args.data ~= "" and args.data or nil }
if args.test_images < #test then test = test:take(args.test_images) end
local model = mr.load(args.model)

local function numbers(text)
    local list = {}
    for word in text:gmatch "[^,]+" do list[#list + 1] = tonumber(word) or error(("'%s' is no number"):format(word), 0) end
    return list
end

local wanted = {}
for batch in test:epoch() do wanted[#wanted + 1] = model(batch.x) end

-- The mean divergence KL(dense ‖ small) on the test images, in nats.
local function divergence(small)
    local sum, i = 0, 0
    for batch in test:epoch() do
        i = i + 1
        sum = sum + mr.loss.kl(small(batch.x), wanted[i]):item() * batch.count
    end
    return sum / #test
end

local results = {}
local function measure(small, keep, name, seconds, started)
    results[#results + 1] = {
        keep = keep, name = name, seconds = seconds, used = os.clock() - started, accuracy = small:evaluate(test).accuracy,
        divergence = divergence(small),
    }
end

local function blocks(small, seconds)
    small:distill(model, train, {
        seconds = seconds, images = args.block_images, layers_per_block = args.layers_per_block, lr = args.block_lr, seed = args.seed,
    })
end

-- The rate falls with the time, and training ends with it.
local function whole(small, seconds)
    local start, cosine = mr.clock(), mr.schedule.cosine { warmup = 0.1 }
    local function share() return math.min(1, (mr.clock() - start) / seconds) end
    small:fit(train, {
        steps = 1 << 30, teacher = model, distill = 1, temperature = args.temperature, schedule = function() return cosine(share()) end,
        optimizer = mr.optim.sgd { lr = args.lr, momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
        on_step = function() return share() < 1 end,
    })
end

print(("%s: %.2f %% dense"):format(model.name, 100 * model:evaluate(test).accuracy))
for _, keep in ipairs(numbers(args.keeps)) do
    mr.seed(args.seed)
    local cut = model:compress(mr.plan(model, { policy = args.policy, budget = { params = keep } }))
    measure(cut, keep, "cut", 0, os.clock())
    local started = os.clock()
    cut:refit(model, train, { images = args.fit_images })
    measure(cut, keep, "refit", 0, started)
    for _, seconds in ipairs(numbers(args.seconds)) do
        for _, way in ipairs { { "blocks", 1, 0 }, { "whole", 0, 1 }, { "blocks, then whole", 0.5, 0.5 } } do
            mr.seed(args.seed)
            local small = cut:clone()
            started = os.clock()
            if way[2] > 0 then blocks(small, way[2] * seconds) end
            if way[3] > 0 then whole(small, way[3] * seconds) end
            measure(small, keep, way[1], seconds, started)
        end
    end
end
local function percent(value) return ("%.2f"):format(100 * value) end
print(mr.rows(results, {
    { "keep", "parameters", percent }, { "name", "trained" }, { "seconds", "seconds" }, { "accuracy", "accuracy", percent },
    { "divergence", "divergence", function(value) return ("%.4f"):format(value) end },
    { "used", "processor seconds", function(value) return ("%.1f"):format(value) end },
}))
