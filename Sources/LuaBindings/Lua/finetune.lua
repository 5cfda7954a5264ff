-- model:finetune(data, options): what a model needs after it was compressed. Repair first, then a short fit.
local core = require "moonrail.core"
local check = require "moonrail.check"
require "moonrail.fit"

-- Options of its own; every other one is handed to fit.
local own = { images = true, lr = true, dense = true }

-- Whether the model gives numbers for the first images of the data.
local function gives_numbers(model, data)
    for batch in data:with { shuffle = false, augment = {}, drop_last = false }:epoch() do
        local sum = model(batch.x):sum():item()
        return sum == sum and math.abs(sum) < math.huge
    end
    return true
end

--- Repairs a compressed model on some of the data, then trains it with a small learning rate (`?Model:finetune`).
--- It needs images; with the dense model it also fits the last factors and distils from that model.
--- It returns fit's history. If the repaired model gives no numbers, the model stays as it was.
function core.methods.Model.finetune(model, data, options)
    check.object("Model:finetune", 1, "data", data, "Dataset")
    options = check.options("Model:finetune", options)
    local passed = {}
    for key, value in pairs(options) do
        if not own[key] then passed[key] = value end
    end
    local images, lr = check.image_count("Model:finetune", options.images, data), options.lr or 0.02
    if passed.optimizer and options.lr then core.fail("lua.argument", "Model:finetune: give either lr or an optimizer, not both") end
    local dense = options.dense
    if passed.teacher == nil then passed.teacher = dense elseif passed.teacher == false then passed.teacher = nil end
    passed.optimizer = passed.optimizer
        or core.optim.sgd { lr = lr, momentum = 0.9, nesterov = true, weight_decay = 5e-4 }
    passed.schedule = passed.schedule or core.schedule.cosine { warmup = 0.1 }
    passed.label = passed.label or ("fine-tuning " .. model.name)
    local count = math.min(images, #data)
    local keep, restore = core.keeper(model, passed.optimizer)
    keep()
    if dense then
        -- Convolutions in groups cannot be fitted; the repair of statistics is next best.
        local fitted = model:refit(dense, data, { images = math.min(512, count) })
        if fitted == 0 then model:repair(dense, data, { images = math.min(512, count) }) end
    end
    -- The training behind it moves the statistics on, so that few images do no lasting harm.
    model:reestimate(data, { images = count })
    if not gives_numbers(model, data) then
        restore()
        core.diverged(0, 1, "after repair and re-estimation the outputs are not finite", "those before them")
    end
    keep(false)
    return model:fit(data, passed)
end
