-- How scores, plans and comparisons print and plot.
local rows = require "moonrail.rows"
local chart = require "moonrail.chart"

local report = {}

local percent, grouped = rows.percent, rows.grouped

local function signed(fraction) return ("%+.2f %%"):format(100 * fraction) end

local function plural(count, word) return ("%d %s%s"):format(count, word, count == 1 and "" or "s") end

function report.scores(scores)
    local largest = 0
    for _, row in ipairs(scores) do largest = math.max(largest, row.significance) end
    local bar = rows.bar(19)  -- the table then fits 80 columns
    rows.wrap(scores, {
        title = "Layer significance (LWIQ)",
        { "layer", "layer" }, { "accuracy", "proxy accuracy", percent }, { "stderr", "± 1 se", percent },
        { "gain", "gain", signed },
        { "significance", "significance", function(v) return ("%.2f "):format(v) .. bar(v / largest) end, left = true },
        footer = ("head %s, %d imprint and %d holdout images, %d classes, %.2f s"):format(
            scores.head, scores.imprint_images, scores.holdout_images, scores.classes, scores.seconds),
    })
    return scores
end

function report.plan(plan)
    local kept = ("%s policy: keeps %s of the parameters (%s of %s) and %s of the MACs (%.2f M of %.2f M)"):format(
        plan.policy, percent(plan.keep_params), grouped(plan.params), grouped(plan.dense_params),
        percent(plan.keep_macs), plan.macs / 1e6, plan.dense_macs / 1e6)
    if plan.beta then kept = kept .. (", β = %.3f"):format(plan.beta) end
    if plan.binding then kept = kept .. ", bound by " .. plan.binding end
    kept = kept .. (", planned in %.2f ms"):format(1e3 * plan.seconds)
    for _, note in ipairs(plan.notes) do kept = kept .. "\nnote: " .. note end
    rows.wrap(plan, {
        title = "Plan " .. plan.grouping,
        { "layer", "layer" }, { "gain", "gain", signed }, { "ranks", "ranks" }, { "max_ranks", "of" },
        { "params", "parameters", grouped }, { "dense_params", "dense", grouped },
        { "error", "error", function(v, row) return row.ranks and percent(v) or "" end }, { "reason", "why" },
        footer = kept,
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
        { "name", "model" }, { "params", "parameters", grouped }, { "params", "kept", kept "params" },
        { "macs", "MACs kept", kept "macs" }, { "bytes", "bytes", grouped }, { "accuracy_raw", "before tuning", percent },
        { "accuracy", "accuracy", percent }, { "latency_ms", "ms, batch 1", rows.fixed(3) },
    }
    return rows.wrap(entries, view)
end

--- Draws scores or any rows as a bar chart into an SVG file: scores:plot("significance.svg").
function rows.methods.plot(list, path, options)
    options = options or {}
    local key = options.key or (list[1] and list[1].gain and "gain") or "value"
    local label = options.label or (list[1] and list[1].layer and "layer") or "name"
    chart.bars(path, {
        title = options.title or (key == "gain" and "Accuracy gained by each layer (LWIQ)") or key,
        labels = rows.methods.column(list, label), values = rows.methods.column(list, key),
        errors = key == "gain" and rows.methods.column(list, "stderr") or nil,
        format = options.format or (key == "gain" and function(v) return ("%+.1f %%"):format(100 * v) end) or nil,
    })
end

report.plural = plural
return report
