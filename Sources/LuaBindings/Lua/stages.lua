-- model:compress_in_stages(plan, data, options): some layers of a plan, tuning, the next ones, until all are compressed.
local core = require "moonrail.core"
local rows = require "moonrail.rows"
local check = require "moonrail.check"
local pipeline = require "moonrail.pipeline"

local where = "Model:compress_in_stages"
local view = {
    { "stage", "stage" }, { "layers", "layers" }, { "params", "parameters", rows.grouped }, { "step", "step" },
    { "loss", "loss", rows.fixed(4) }, { "accuracy", "train", rows.percent }, { "validation", "validation", rows.percent },
    { "seconds", "seconds", rows.fixed(1) },
}

local orders = {
    forward = function(a, b) return a.position < b.position end,
    backward = function(a, b) return a.position > b.position end,
    error = function(a, b)
        if a.row.error ~= b.row.error then return a.row.error < b.row.error end
        return a.position < b.position
    end,
}

-- The plan's rows that have ranks, in the order in which they are compressed.
local function pending(plan, order)
    local list = {}
    for position, row in ipairs(plan) do
        if row.ranks then list[#list + 1] = { row = row, position = position } end
    end
    table.sort(list, orders[order])
    return list
end

-- The rows from `first` to `last` as a plan of its own, and their layers. Layers that are chains already are none of them.
local function part(plan, list, first, last)
    local own, names = { formats = plan.formats, classifier = plan.classifier, policy = plan.policy }, {}
    own.whitened, own.whiten = rawget(plan, "whitened"), rawget(plan, "whiten")
    for i = first, last do
        own[#own + 1] = list[i].row
        names[#names + 1] = list[i].row.layer
    end
    return own, names
end

--- The compressed model, and a row of history for every epoch of every stage; history.steps has what came of every step. `model`
--- is untouched. A stage's chains are fitted to the dense layers before it is tuned; those of earlier stages keep what they
--- learnt.
---
--- The layers that get ranks are divided as evenly as they can be. Options hold for each stage, so that steps = 100 are 300
--- over three stages. No stage has an option that would start a file or a budget anew. Every stage draws its batches anew.
function core.methods.Model.compress_in_stages(model, plan, data, options)
    if type(plan) ~= "table" then core.fail("lua.argument", ("%s: argument 1 (plan) must be a plan, got a %s"):format(where, type(plan))) end
    check.object(where, 2, "data", data, "Dataset")
    options = check.options(where, options)
    local passed = {}
    for key, value in pairs(options) do passed[key] = value end
    local stages, order, images = options.stages, options.order, check.image_count(where, options.images, data)
    passed.stages, passed.order, passed.images = nil, nil, nil
    if not math.tointeger(stages) or stages < 1 then
        core.fail("lua.argument", ("%s: option 'stages' must be a whole number of at least 1, got %s"):format(where, tostring(stages)))
    end
    if not orders[order] then core.fail("lua.argument", ("%s: option 'order' must be forward, backward or error, got %s"):format(where, order)) end
    if passed.teacher == nil then passed.teacher = model elseif passed.teacher == false then passed.teacher = nil end

    pipeline.tuning(passed, model.name)
    model:compress(plan)  -- what is wrong with a later row shows before the first stage is tuned
    local list = pending(plan, order)
    if #list == 0 then core.fail("lua.argument", where .. ": no layer of the plan has ranks") end
    stages = math.min(math.tointeger(stages), #list)
    local labelled = not passed.loss and not (passed.teacher and passed.distill == 1) and #data.classes > 1
    local small, history, done = model:clone(), {}, 0
    local run = pipeline.start {
        title = ("Compression of %s in %d stages"):format(model.name, stages), data = data, judged = options.validate, dense = model,
        labelled = labelled,
    }
    local fitted = run.fitted
    for stage = 1, stages do
        local last = #list * stage // stages
        local own, names = part(plan, list, done + 1, last)
        small = small:compress(own)
        run:begin(("cut %d"):format(stage), nil, small)
        run:repair(small, { images = math.min(images, #fitted), layers = names })
        passed.label = ("stage %d of %d"):format(stage, stages)
        local tuning = pipeline.tuning(passed, model.name)
        run.fitted = fitted:with { seed = core.seed() + stage }
        for _, row in ipairs(run:tune(small, tuning)) do
            row.stage, row.layers, row.params = stage, last - done, small.cost.params
            history[#history + 1] = row
        end
        done = last
    end
    history.steps = run.report
    return small, rows.wrap(history, view)
end
