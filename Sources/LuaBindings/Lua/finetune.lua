-- model:finetune(data, options): what a model needs after it was compressed. Batch statistics first, then a short fit.
local core = require "moonrail.core"
local check = require "moonrail.check"

-- Options of its own; every other one is handed to fit.
local own = { images = true, lr = true }

--- Re-estimates batch normalisation on `images` (2048) of the data and trains with defaults for a network that already
--- knows its task: SGD at `lr` (0.02) with Nesterov's momentum, a cosine after a short warm-up. Takes fit's options;
--- teacher = the dense model makes it a distillation. Gives fit's history.
function core.methods.Model.finetune(model, data, options)
    check.object("Model:finetune", 1, "data", data, "Dataset")
    if options ~= nil and type(options) ~= "table" then
        error("Model:finetune: options must be a table, got a " .. type(options), 2)
    end
    local passed = {}
    for key, value in pairs(options or {}) do
        if not own[key] then passed[key] = value end
    end
    local images, lr = options and options.images or 2048, options and options.lr or 0.02
    if not math.tointeger(images) then
        error("Model:finetune: option 'images' must be a whole number, got " .. tostring(images), 2)
    end
    if passed.optimizer and options.lr then error("Model:finetune: give either lr or an optimizer, not both", 2) end
    passed.optimizer = passed.optimizer
        or core.optim.sgd { lr = lr, momentum = 0.9, nesterov = true, weight_decay = 5e-4 }
    passed.schedule = passed.schedule or core.schedule.cosine { warmup = 0.1 }
    passed.label = passed.label or ("fine-tuning " .. model.name)
    model:reestimate(data, { images = math.min(images, #data) })
    return model:fit(data, passed)
end
