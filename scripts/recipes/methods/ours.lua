-- Moonrail's own models for the comparison: its defaults, without labels.
local mr = require "moonrail"
local measured = require "methods.measured"
local theirs = require "methods.theirs"

local ours = {}

-- The model that mr.compress makes, with all of its repairs, and the plan. Steps are chosen by what the dense model gives on
-- further images, whose labels are not looked at either.
local function compressed(model, budget, context)
    local small, report = mr.compress(model, {
        plan = { budget = budget }, data = context.data.train, labels = false, images = context.images, seed = context.seed,
    })
    return small, report.plan
end

-- As `compressed`; for a budget of bytes the share of the parameters is found by writing files.
local function within(dense, budget, keep, folder, context)
    if budget ~= "bytes" then return compressed(dense.model, { [budget] = keep }, context) end
    local share = keep
    for _ = 1, 4 do
        local small, plan = compressed(dense.model, { params = share }, context)
        local path = context.write(small, folder, "moonrail-try")
        local bytes = mr.model_size(path)
        os.remove(path)
        if bytes <= keep * dense.bytes then return small, plan end
        share = theirs.share_for_bytes(keep, dense, small.cost.params, bytes)
        if share <= 0 then break end
    end
    return nil
end

--- The row of one point { budget, keep }: `cut` and `repaired` as for the others, `own` after Moonrail's own repairs.
function ours.row(dense, point, paths, context)
    local start = mr.clock()
    local ok, small, plan = pcall(within, dense, point.budget, point.keep, paths.folder, context)
    if not ok and not (type(small) == "userdata" and small.code == "compression.unreachable") then error(small, 0) end
    if not ok or not small then return { note = "does not fit" } end
    local seconds = mr.clock() - start
    local row = measured.row(dense.model:compress(plan), dense, context)
    row.own, row.seconds = small:evaluate(context.data.test).accuracy, seconds
    -- Repair may have given layers a bias.
    row.params, row.macs = small.cost.params, small.cost.macs
    row.params_share, row.macs_share = row.params / dense.cost.params, row.macs / dense.cost.macs
    return row, small
end

return ours
