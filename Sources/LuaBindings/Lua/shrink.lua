-- Budgets that fall while a network is trained: fit's option `budget`, and mr.schedule.shrink that makes such functions.
local core = require "moonrail.core"
local check = require "moonrail.check"

local shrink = {}

-- What the schedule says for this epoch, as a table; nil where it leaves things as they are.
local function budget_of(schedule, epoch)
    local budget = schedule(epoch)
    if type(budget) == "number" then budget = { params = budget } end
    if budget ~= nil and type(budget) ~= "table" then
        core.fail("lua.argument", ("Model:fit: the budget of epoch %d must be a share, a table as mr.plan takes it, or nil, got a %s"):format(
            epoch, type(budget)))
    end
    return budget
end

--- Brings `model` within the budget of an epoch, in place: chains become whole layers again, are planned and cut
--- anew, and what is left is repaired towards what it was. The optimizer forgets what belonged to factors that are gone. A
--- budget that the model keeps already changes nothing, so a model never grows.
function shrink.to_budget(model, data, epoch, optimizer, options, state)
    local budget = budget_of(options.budget, epoch)
    if budget == nil then return end
    local text = core.json(budget)
    if text == state.budget then return end
    state.budget = text
    local planning = { budget = budget }
    for name, value in pairs(options.plan or {}) do
        if name == "budget" then core.fail("lua.argument", "Model:fit: option 'plan' must leave the budget to option 'budget'") end
        planning[name] = value
    end
    local whole = model:recompose()
    local plan = core.plan(whole, planning)
    if plan.params >= model.cost.params then return end
    local small = whole:compress(plan)
    -- Fitting needs the pipeline, which tunes by fit, which shrinks.
    local run = require "moonrail.pipeline".start { data = data, dense = whole }
    run:begin("cut", nil, small)
    run:repair(small, { images = math.min(512, #run.fitted) })
    core.become(model, small)
    core.forget_parameters(optimizer, model)
end

--- A function of the epoch to the share of the parameters to be kept, falling by equal ratios.
function core.schedule.shrink(options)
    options = check.options("mr.schedule.shrink", options)
    local to, from = options.to, options.from
    local steps, epochs = math.tointeger(options.steps), math.tointeger(options.epochs)
    if not to or not (to > 0 and to <= from) then
        core.fail("lua.argument", ("mr.schedule.shrink: option 'to' must lie above 0 and not above 'from', got %s and %s"):format(
            tostring(to), tostring(from)))
    end
    if not steps or not epochs or steps < 1 or epochs < steps then
        core.fail("lua.argument", ("mr.schedule.shrink: needs whole numbers of at least 1 step and no fewer epochs, got %s and %s"):format(
            tostring(options.steps), tostring(options.epochs)))
    end
    return function(epoch)
        if type(epoch) ~= "number" then core.fail("lua.argument", "mr.schedule.shrink: the epoch must be a number, got a " .. type(epoch)) end
        local step = math.min(steps, 1 + (epoch - 1) * steps // epochs)
        return from * (to / from) ^ (step / steps)
    end
end

return shrink
