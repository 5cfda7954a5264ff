-- model:evaluate(data): accuracy and mean cross-entropy over a data set, without augmentation. An image whose logits hold a
-- not-a-number has no class: it counts as wrong, and among the undefined. Classes that are not the network's are refused.
local core = require "moonrail.core"
local check = require "moonrail.check"
local classes = require "moonrail.classes"

function core.methods.Model.evaluate(model, data, options)
    check.object("Model:evaluate", 1, "data", data, "Dataset")
    options = check.options("Model:evaluate", options)
    local progress <close> = core.progress(options.label or ("evaluating " .. model.name), #data)
    local plain = data:with { shuffle = false, augment = {}, drop_last = false }
    local start, correct, undefined, loss, checked = core.clock(), 0, 0, 0.0, false
    for batch in plain:epoch() do
        local logits = model(batch.x)
        if not checked then classes.check_outputs("Model:evaluate", model, data, logits) end
        checked = true
        local hits, strays = core.hits(logits, batch.y)
        correct, undefined = correct + hits, undefined + strays
        loss = loss + core.loss.cross_entropy(logits, batch.y):item() * batch.count
        progress:advance(batch.count)
    end
    progress:finish()
    return {
        accuracy = correct / #data, loss = loss / #data, undefined = undefined, images = #data,
        seconds = core.clock() - start,
    }
end
