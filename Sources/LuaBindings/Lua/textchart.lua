-- Charts as text for a terminal of 80 columns, of the same specifications as moonrail.chart's drawings.
local chart = require "moonrail.chart"

local textchart = {}
local plain, range = chart.plain, chart.range

local width, height = 60, 14
local glyphs = { "●", "○", "◆", "◇", "▲", "△" }

local function size(text) return utf8.len(text) end

-- A name as a terminal may show it: no control characters, and no bytes that are no UTF-8.
local function clean(text)
    text = text:gsub("[\0-\31\127]", "?")
    return utf8.len(text) and text or (text:gsub("[\128-\255]", "?"))
end

local function padded(text, columns, toRight)
    local space = (" "):rep(columns - size(text))
    return toRight and space .. text or text .. space
end

--- Bars from a line at 0 to both sides, a line each.
function textchart.bars(spec)
    local format, low, high, longest = spec.format or plain, 0, 0, 0
    local labels = {}
    for i, value in ipairs(spec.values) do
        labels[i] = clean(spec.labels[i])
        low, high, longest = math.min(low, value), math.max(high, value), math.max(longest, size(labels[i]))
    end
    if low == high then high = 1 end
    longest = math.min(longest, 30)
    local room = 66 - longest
    local before = math.ceil(room * -low / (high - low))
    local lines = { spec.title }
    for i, value in ipairs(spec.values) do
        local count = math.floor(room * math.abs(value) / (high - low) + 0.5)
        local bar = ("█"):rep(value < 0 and math.min(count, before) or math.min(count, room - before))
        local left = value < 0 and padded(bar, before, true) or (" "):rep(before)
        local label = labels[i]
        if size(label) > longest then label = label:sub(1, utf8.offset(label, longest) - 1) .. "…" end
        lines[#lines + 1] = ("%s %s│%s %s"):format(padded(label, longest), left, value < 0 and "" or bar, format(value))
    end
    return table.concat(lines, "\n")
end

-- A field of cells with an axis to the left and below.
local function field(xs, ys)
    local x_low, x_high = range(xs)
    local y_low, y_high = range(ys)
    local cells = {}
    for r = 1, height do
        cells[r] = {}
        for c = 1, width do cells[r][c] = " " end
    end
    local self = { cells = cells }
    function self.column(x) return 1 + math.floor((width - 1) * (x - x_low) / (x_high - x_low) + 0.5) end
    function self.row(y) return 1 + math.floor((height - 1) * (y_high - y) / (y_high - y_low) + 0.5) end
    function self.lines(lines, format_x, format_y, x_label)
        local marks = { [1] = format_y(y_high), [(height + 1) // 2] = format_y((y_low + y_high) / 2), [height] = format_y(y_low) }
        local margin = 0
        for _, mark in pairs(marks) do margin = math.max(margin, size(mark)) end
        for r = 1, height do
            local text = table.concat(cells[r]):gsub("%s+$", "")
            lines[#lines + 1] = ("%s %s%s"):format(padded(marks[r] or "", margin, true), marks[r] and "┤" or "│", text)
        end
        lines[#lines + 1] = (" "):rep(margin + 1) .. "└" .. ("─"):rep(width)
        local first, last = format_x(x_low), format_x(x_high)
        local gap = width - size(first) - size(last)
        local middle = size(x_label) <= gap - 2 and x_label or ""
        local before = (gap - size(middle)) // 2
        lines[#lines + 1] = (" "):rep(margin + 2) .. first .. (" "):rep(before) .. middle
            .. (" "):rep(gap - before - size(middle)) .. last
    end
    return self
end

local function legend(names)
    local parts = {}
    for i, name in ipairs(names) do parts[i] = glyphs[(i - 1) % #glyphs + 1] .. " " .. clean(name) end
    return table.concat(parts, "   ")
end

-- One series: a dot in every column between its points, and its own sign at the points.
local function draw_series(canvas, series, glyph)
    for i = 1, #series.xs do
        local c, r = canvas.column(series.xs[i]), canvas.row(series.ys[i])
        if i > 1 then
            local c0, r0 = canvas.column(series.xs[i - 1]), canvas.row(series.ys[i - 1])
            for between = c0 + 1, c - 1 do
                local at = math.floor(r0 + (r - r0) * (between - c0) / (c - c0) + 0.5)
                if canvas.cells[at][between] == " " then canvas.cells[at][between] = "·" end
            end
        end
        canvas.cells[r][c] = glyph
    end
end

--- Panels of lines below each other.
function textchart.lines(spec)
    local lines = { spec.title }
    for _, panel in ipairs(spec.panels) do
        local xs, ys, names = {}, {}, {}
        for s, series in ipairs(panel.series) do
            names[s] = series.name
            table.move(series.xs, 1, #series.xs, #xs + 1, xs)
            table.move(series.ys, 1, #series.ys, #ys + 1, ys)
        end
        local canvas = field(xs, ys)
        for s, series in ipairs(panel.series) do draw_series(canvas, series, glyphs[(s - 1) % #glyphs + 1]) end
        lines[#lines + 1] = legend(names)
        canvas.lines(lines, plain, panel.format or plain, spec.x_label)
    end
    return table.concat(lines, "\n")
end

--- Points with a sign for each series; a label stands to the right or the left of its point where there is room.
function textchart.scatter(spec)
    local xs, ys, names, signs = {}, {}, {}, {}
    for i, point in ipairs(spec.points) do
        xs[i], ys[i] = point.x, point.y
        local name = point.series or ""
        if not signs[name] then
            names[#names + 1] = name
            signs[name] = glyphs[(#names - 1) % #glyphs + 1]
        end
    end
    local canvas = field(xs, ys)
    for i, point in ipairs(spec.points) do canvas.cells[canvas.row(ys[i])][canvas.column(xs[i])] = signs[point.series or ""] end
    for i, point in ipairs(spec.points) do
        local row, column = canvas.cells[canvas.row(ys[i])], canvas.column(xs[i])
        local letters = {}
        for _, code in utf8.codes(clean(point.label)) do letters[#letters + 1] = utf8.char(code) end
        for _, first in ipairs { column + 2, column - 1 - #letters } do
            local free = first >= 1 and first + #letters - 1 <= width
            for c = first - 1, first + #letters do free = free and (not row[c] or c == column or row[c] == " ") end
            if free then
                table.move(letters, 1, #letters, first, row)
                break
            end
        end
    end
    local lines = { spec.title, (#names > 1 and legend(names) .. "   " or "") .. "↑ " .. spec.y_label }
    canvas.lines(lines, spec.format_x or plain, spec.format_y or plain, spec.x_label)
    return table.concat(lines, "\n")
end

return textchart
