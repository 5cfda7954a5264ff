-- mr.compare: models side by side, measured where their rows do not say it themselves.
local core = require "moonrail.core"
local check = require "moonrail.check"
local report = require "moonrail.report"

-- The row of an entry whose `model` is a model or the path of one.
local function measured(entry, position, options)
    local row = {}
    for name, value in pairs(entry) do row[name] = value end
    local model = entry.model
    if model == nil then return row end
    row.model = nil
    if type(model) == "string" then
        row.name, row.bytes = row.name or model, row.bytes or core.model_size(model)
        model = core.load(model)
    elseif getmetatable(model) ~= "Model" then
        core.fail("lua.argument", ("mr.compare: entry %d: model must be a Model or a path, got a %s"):format(position, type(model)))
    end
    row.name = row.name or model.name
    local cost = model.cost
    row.params, row.macs = cost.params, cost.macs
    if options.data and not row.accuracy then
        row.accuracy = model:evaluate(options.data, { label = "evaluating " .. row.name }).accuracy
    end
    if options.runs and not row.latency_ms then row.latency_ms = model:latency { batch = 1, runs = options.runs }.ms end
    return row
end

--- One table of models side by side, the first of them the reference.
return function(entries)
    if type(entries) ~= "table" then core.fail("lua.argument", "mr.compare: needs a table of rows") end
    local options, list = {}, {}
    for key, value in pairs(entries) do
        if type(key) == "string" then options[key] = value end
    end
    options = check.options("mr.compare", options)
    for i, entry in ipairs(entries) do
        if type(entry) ~= "table" then core.fail("lua.argument", ("mr.compare: entry %d must be a row, got a %s"):format(i, type(entry))) end
        list[i] = measured(entry, i, options)
    end
    return report.compare(list)
end
