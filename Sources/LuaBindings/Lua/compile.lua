-- model:compile { precision = "bf16", data = test }: what inference computes in, and what that costs and gains.
local core = require "moonrail.core"
local check = require "moonrail.check"
local rows = require "moonrail.rows"

local view = {
    { "precision", "precision" }, { "accuracy", "accuracy", rows.percent }, { "loss", "loss", rows.fixed(4) },
    { "images_per_second", "img/s", rows.fixed(0) }, { "ms", "ms, batch 1", rows.fixed(3) },
}

local function row(model, data)
    local found = model:evaluate(data)
    return {
        precision = model.precision, accuracy = found.accuracy, loss = found.loss,
        images_per_second = found.images / found.seconds, ms = model:latency { batch = 1 }.ms,
    }
end

--- Sets the precision of calls, evaluation, latencies and profiles ("float32" or "bf16"). With data it measures both.
function core.methods.Model.compile(model, options)
    options = check.options("Model:compile", options)
    local before = model.precision
    model:set_precision(options.precision)
    if not options.data then return model end
    local list = { row(model, options.data) }
    if model.precision ~= "float32" then
        local wanted = model.precision
        model:set_precision "float32"
        local found, dense = pcall(row, model, options.data)
        model:set_precision(found and wanted or before)
        if not found then error(dense, 0) end
        table.insert(list, 1, dense)
    end
    return rows.wrap(list, view)
end
