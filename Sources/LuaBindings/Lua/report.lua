-- How scores, plans and comparisons print and plot.
local rows = require "moonrail.rows"
local columns = require "moonrail.columns"
local plot = require "moonrail.plot"
local page = require "moonrail.page"
local check = require "moonrail.check"
local core = require "moonrail.core"

local report = {}

local percent, grouped = rows.percent, rows.grouped

function report.scores(scores)
    local largest = 0
    for _, row in ipairs(scores) do largest = math.max(largest, row.significance) end
    local bar = rows.bar(19)  -- the table then fits 80 columns
    rows.wrap(scores, {
        title = "Layer significance (LWIQ)",
        columns.layer, columns.proxy, columns.deviation, columns.gain,
        { "significance", "significance", function(v) return ("%.2f "):format(v) .. bar(v / largest) end, left = true },
        footer = ("head %s, %d imprint and %d holdout images, %d classes, %.2f s"):format(
            scores.head, scores.imprint_images, scores.holdout_images, scores.classes, scores.seconds),
    })
    return scores
end

function report.curves(curves)
    local function list(values)
        local parts = {}
        for index, value in ipairs(values) do parts[index] = ("%.4f"):format(value) end
        return table.concat(parts, " ")
    end
    return rows.wrap(curves, {
        title = "Loss of each layer alone by " .. curves.measure,
        columns.layer, { "errors", "‖W − Ŵ‖² / ‖W‖²", list }, { "losses", "loss", list },
        footer = ("%d images, %.2f s"):format(curves.images, curves.seconds),
    })
end

local portfolio = {
    title = "Plans that images chose from", { "policy", "policy" }, { "result", "result" }, { "first_look", "first look", rows.fixed(4) },
    { "divergence", "divergence", rows.fixed(4) }, { "agreement", "agreement", percent }, { "params", "parameters", grouped },
    { "macs", "MACs", grouped }, { "seconds", "seconds", rows.fixed(1) },
}

function report.plan(plan)
    if plan.portfolio then rows.wrap(plan.portfolio, portfolio) end
    local kept = ("%s policy: keeps %s of the parameters (%s of %s) and %s of the MACs (%.2f M of %.2f M)"):format(
        plan.policy, percent(plan.keep_params), grouped(plan.params), grouped(plan.dense_params),
        percent(plan.keep_macs), plan.macs / 1e6, plan.dense_macs / 1e6)
    if plan.beta then kept = kept .. (", β = %.3f"):format(plan.beta) end
    if plan.latency_ms then
        kept = kept .. (", forecast %.3f ms of %.3f ms"):format(plan.latency_ms, plan.dense_latency_ms)
    end
    if plan.binding then kept = kept .. ", bound by " .. plan.binding end
    if plan.gap then kept = kept .. (", its loss at most %s above the least"):format(percent(plan.gap)) end
    kept = kept .. (plan.seconds < 1 and (", planned in %.2f ms"):format(1e3 * plan.seconds) or (", planned in %.1f s"):format(plan.seconds))
    for _, note in ipairs(plan.notes) do kept = kept .. "\nnote: " .. note end
    rows.wrap(plan, {
        title = "Plan " .. rows.names(plan.formats),
        columns.layer, columns.gain, columns.format, columns.ranks, columns.bounds, columns.params, columns.dense_params,
        columns.error, columns.reason,
        footer = kept, draw = plot.plan,
    })
    return plan
end

--- One table of models side by side, the first of them the reference.
---
--- `entries` are tables with name, params, macs, bytes, accuracy and whatever else was measured.
function report.compare(entries)
    local first = entries[1] or {}
    local function kept(key)
        return function(value) return first[key] and percent(value / first[key]) or "" end
    end
    local view = {
        columns.name, columns.params, { "params", "kept", kept "params" }, { "macs", "MACs kept", kept "macs" }, columns.bytes,
        columns.raw, columns.accuracy, columns.latency, draw = plot.comparison,
    }
    return rows.wrap(entries, view)
end

local methods = {}

--- Draws the models as a scatter of budget and accuracy, as text or with a path into an SVG file.
function methods.plot(self, path, options) rows.methods.plot(self.models, path, options) end

--- Writes one HTML page with everything in it, which needs no network.
function methods.html(self, path)
    local point <close> = core.decimal_point()
    core.write_text(path, page.html(self))
end

--- Writes the report's numbers as JSON.
function methods.save(self, path) core.write_json(path, self) end

local meta = {
    __name = "report", __index = methods,
    __tostring = function(self) return self.title .. "\n" .. tostring(self.models) end,
}

--- What a recipe found out, to be shown: `models` are rows as for report.compare, the first of them the reference.
function report.make(options)
    options = check.options("mr.report", options)
    if not options.models or not options.models[1] then core.fail("lua.argument", "mr.report: needs option 'models', rows with name and params") end
    for i, row in ipairs(options.models) do
        if type(row) ~= "table" or type(row.params) ~= "number" then core.fail("lua.argument", ("mr.report: models[%d] has no number 'params'"):format(i)) end
    end
    local given = rawget(_G, "arg")
    return setmetatable({
        title = options.title, models = report.compare(options.models), scores = options.scores,
        plans = options.plans or {}, histories = options.histories or {}, recipe = options.recipe or {},
        script = options.script or (given and given[0]) or nil, seed = core.seed(), threads = core.threads(), version = core.version,
    }, meta)
end

report.methods = methods
return report
