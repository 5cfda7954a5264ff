-- Which chart rows become: rows:plot(path, options), and the drawings that a report shares with it.
local core = require "moonrail.core"
local rows = require "moonrail.rows"
local chart = require "moonrail.chart"
local textchart = require "moonrail.textchart"
local check = require "moonrail.check"

local plot = {}

local function share(fraction) return ("%.4g %%"):format(100 * fraction) end

local function is_finite(value) return type(value) == "number" and value - value == 0 end

-- The finite numbers under `key`; a row without one is a mistake that names it.
local function numbers(list, key)
    local values = {}
    for i, row in ipairs(list) do
        if not is_finite(row[key]) then
            core.fail("lua.argument", ("rows:plot: row %d has no finite number '%s', but %s; say which column with { key = … }"):format(
                i, key, tostring(row[key])))
        end
        values[i] = row[key]
    end
    return values
end

--- Bars of any column, labelled by the rows' layers or names. `form` makes the chart: moonrail.chart unless given.
function plot.bars(list, options, form)
    local first = list[1] or {}
    local key = options.key or (first.gain and "gain") or "value"
    local label = options.label or (first.layer and "layer") or "name"
    local labels = {}
    for i, row in ipairs(list) do labels[i] = tostring(row[label] or i) end
    local is_gain = key == "gain"
    return (form or chart).bars {
        title = options.title or (is_gain and "Accuracy gained by each layer (LWIQ)") or key, labels = labels,
        values = numbers(list, key), errors = is_gain and first.stderr and numbers(list, "stderr") or nil,
        format = options.format or (is_gain and rows.signed(1)) or nil,
    }
end

--- How much of each layer a plan keeps.
function plot.plan(list, options, form)
    local shares = {}
    for i, row in ipairs(list) do
        shares[i] = { layer = row.layer, value = row.dense_params > 0 and row.params / row.dense_params or 0 }
    end
    return plot.bars(shares, { title = options.title or "Parameters kept of each layer", key = "value", format = share }, form)
end

--- The loss of a training history, and its accuracies, over the epochs.
function plot.history(list, options, form)
    local epochs = numbers(list, "epoch")
    local function series(name, key)
        local found = { name = name, xs = {}, ys = {} }
        for i, row in ipairs(list) do
            if is_finite(row[key]) then
                found.xs[#found.xs + 1] = epochs[i]
                found.ys[#found.ys + 1] = row[key]
            end
        end
        return #found.ys > 0 and found or nil
    end
    local accuracies = { series("training accuracy", "accuracy") }
    accuracies[#accuracies + 1] = series("validation accuracy", "validation")
    local panels = { { series = { { name = "loss", xs = epochs, ys = numbers(list, "loss") } } } }
    if #accuracies > 0 then panels[2] = { series = accuracies, format = share } end
    return (form or chart).lines { title = options.title or "Training", x_label = "epoch", least = 1, panels = panels }
end

local function count(value)
    if math.abs(value) >= 1e6 then return ("%.4g M"):format(value / 1e6) end
    return math.abs(value) >= 1e3 and ("%.4g k"):format(value / 1e3) or ("%.4g"):format(value)
end

--- Accuracy against the share of the first model's parameters that each keeps, or with `options.absolute`, where no
--- model is the reference, against the parameters; one colour a policy.
function plot.comparison(list, options, form)
    local params, points = numbers(list, "params"), {}
    for i, row in ipairs(list) do
        if is_finite(row.accuracy) then
            points[#points + 1] = {
                x = options.absolute and params[i] or params[i] / math.max(params[1], 1), y = row.accuracy,
                label = tostring(row.name or i), series = row.policy and tostring(row.policy) or "dense",
            }
        end
    end
    if #points == 0 then core.fail("lua.argument", "report:plot: no row has an accuracy") end
    return (form or chart).scatter {
        title = options.title or "Accuracy at each budget", x_label = options.absolute and "parameters" or "parameters kept",
        y_label = "accuracy", format_x = options.absolute and count or share, format_y = share, points = points,
    }
end

--- Draws rows as an SVG file, or without a path as text: scores and plans as bars, a history as lines, a comparison as a
--- scatter of budget and accuracy.
--- options: title; for bars also key (the column), label (the column of names) and format (value -> text).
function rows.methods.plot(list, path, options)
    local view = rows.view(list)
    local draw = view and view.draw
    options = check.options("Rows:plot", options, draw and { title = true } or nil)
    if path == nil then return print((draw or plot.bars)(list, options, textchart)) end
    local point <close> = core.decimal_point()
    local drawing = (draw or plot.bars)(list, options)
    drawing:save(path)
end

return plot
