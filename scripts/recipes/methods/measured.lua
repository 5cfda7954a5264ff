-- What is measured of a compressed model, alike for every method: costs, accuracy at each stage, and the file.
local mr = require "moonrail"

local measured = {}

--- The path of a new ONNX file of a model; Moonrail writes the files of all methods, so that their bytes compare.
function measured.write(model, folder, name)
    local path = ("%s/%s.onnx"):format(folder, name)
    model:save(path)
    return path
end

-- One epoch with the dense model as the teacher. The same loop, data and rates for every method.
local function tuned(small, dense, context)
    small:fit(context.data.tuning, {
        epochs = 1, teacher = dense, schedule = mr.schedule.cosine(), label = "tuning " .. small.name,
        optimizer = mr.optim.sgd { lr = 0.02, momentum = 0.9, nesterov = true, weight_decay = 0.0005 },
    })
end

--- A model as cut, and after its batch norms were estimated again on images without labels, as fields `cut` and `repaired` of a row
--- with the costs. Gives the row and the repaired model.
function measured.row(small, dense, context)
    local row, cost = {}, small.cost
    row.params, row.macs = cost.params, cost.macs
    row.params_share, row.macs_share = cost.params / dense.cost.params, cost.macs / dense.cost.macs
    row.cut = small:evaluate(context.data.test).accuracy
    local repaired = small:clone()
    -- Without any batch norm nothing is estimated, and the model stays as it was cut.
    local norms = repaired:reestimate(context.data.train, { images = context.images, seed = context.seed })
    row.repaired = norms == 0 and row.cut or repaired:evaluate(context.data.test).accuracy
    return row, repaired
end

--- Adds what needs the final model: the file with its bytes and, where tuning was asked for, the accuracy after it.
function measured.finish(row, final, dense, paths, context)
    row.file = measured.write(final, paths.folder, row.name)
    row.bytes = mr.model_size(row.file)
    row.bytes_share = row.bytes / dense.bytes
    if context.tune then
        tuned(final, dense.model, context)
        row.tuned = final:evaluate(context.data.test).accuracy
    end
    return row
end

--- Says where a model is not within its budget, which nothing here may let pass.
function measured.check_budget(row)
    if row[row.budget .. "_share"] > row.keep + 1e-9 then
        error(("methods: %s keeps %.4f of the %s, and %.4f were allowed"):format(row.name, row[row.budget .. "_share"], row.budget, row.keep), 0)
    end
end

return measured
