-- model:finetune(data, options): what a model needs after it was compressed. Repair first, then a short fit.
local core = require "moonrail.core"
local check = require "moonrail.check"
local pipeline = require "moonrail.pipeline"

-- As many images as least squares need; what re-estimation takes beyond them would only cost time.
local most_fitted = 512

--- Repairs a compressed model on some of the data, then trains it with a small learning rate (`?Model:finetune`).
--- It needs images; with the dense model it also fits the last factors and distils from that model. A step that makes the
--- model worse on images that are held out from all of them is not kept.
--- It returns fit's history, whose `steps` are what came of every step.
function core.methods.Model.finetune(model, data, options)
    check.object("Model:finetune", 1, "data", data, "Dataset")
    options = check.options("Model:finetune", options)
    local tuning = {}
    for key, value in pairs(options) do tuning[key] = value end
    tuning.images, tuning.dense = nil, nil
    local images, dense = check.image_count("Model:finetune", options.images, data), options.dense
    if options.optimizer and options.lr then core.fail("lua.argument", "Model:finetune: give either lr or an optimizer, not both") end
    if tuning.teacher == nil then tuning.teacher = dense end
    local labelled = not tuning.loss and not (tuning.teacher and tuning.distill == 1) and #data.classes > 1
    tuning = pipeline.tuning(tuning, model.name)
    local run = pipeline.start {
        title = "Fine-tuning of " .. model.name, data = data, judged = options.validate, labelled = labelled,
        dense = dense or tuning.teacher,
    }
    run:begin("given", nil, model, 0)
    if dense then
        run:repair(model, { images = math.min(most_fitted, images) })
    else
        run:reestimate(model, images)
    end
    local history = run:tune(model, tuning)
    history.steps = run.report
    return history
end
